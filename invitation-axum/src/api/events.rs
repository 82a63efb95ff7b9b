//! The endpoint of the audit trail.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use invitation_core::{
    Action, Division, Event, EventCriteria, EventOutcome, InvitationId, Performer, Reason, UserId,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::docs;
use crate::{
    authorization::{Authorized, to},
    problem::Problem,
    query::{PageQuery, Paged, QueryParams, Wrong, answered},
    web::Web,
};

/// The filters of the audit trail.
#[derive(Default, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventQuery {
    /// Only events about this invitation.
    #[param(format = Uuid, nullable = false)]
    invitation: Option<String>,
    /// Only events of this user, as actor or as redeemer.
    #[param(min_length = 1, max_length = 128, nullable = false)]
    actor: Option<String>,
    /// Only events of this kind.
    #[param(inline, value_type = Option<EventKind>, nullable = false)]
    kind: Option<String>,
    /// Only events with this outcome.
    #[param(inline, value_type = Option<Outcome>, nullable = false)]
    outcome: Option<String>,
    /// Only events of this division.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    division: Option<String>,
}

impl QueryParams for EventQuery {
    type Parsed = EventCriteria;

    fn read(self, wrong: &mut Wrong) -> EventCriteria {
        let mut criteria = EventCriteria::new();
        let invitation = self.invitation.as_deref();
        if let Some(id) = wrong.read("invitation", invitation, str::parse::<InvitationId>) {
            criteria = criteria.about(id);
        }
        if let Some(user) = wrong.read("actor", self.actor.as_deref(), UserId::new) {
            criteria = criteria.by_user(user);
        }
        if let Some(action) = wrong.read("kind", self.kind.as_deref(), str::parse::<Action>) {
            criteria = criteria.of_action(action);
        }
        let outcome = self.outcome.as_deref();
        if let Some(outcome) = wrong.read("outcome", outcome, str::parse::<EventOutcome>) {
            criteria = criteria.with_outcome(outcome);
        }
        if let Some(division) = wrong.read("division", self.division.as_deref(), Division::new) {
            criteria = criteria.in_division(division);
        }
        criteria
    }
}

/// The action that was done or attempted.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the words of the core")]
pub(crate) enum EventKind {
    Create,
    Redeem,
    Reserve,
    Release,
    Copy,
    Amend,
    Rotate,
    Revoke,
    Reinstate,
    Delete,
    Purge,
    View,
    Audit,
}

/// The outcome of the action.
#[derive(ToSchema)]
#[schema(as = EventOutcome, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the words of the core")]
pub(crate) enum Outcome {
    /// The action was done.
    Succeeded,
    /// The state of the invitation did not allow the action.
    Refused,
    /// The actor lacked the right to the action.
    Denied,
}

/// One entry of the audit trail. It never contains a code.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventBody {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = DateTime)]
    at: String,
    /// The id of the user who acted; `null` if the host itself acted.
    #[schema(required)]
    actor: Option<String>,
    /// The role of the actor who manages invitations; `null` for a redeemer or the host.
    #[schema(required)]
    actor_role: Option<String>,
    /// The username of the new user who presented a code.
    #[schema(required)]
    username: Option<String>,
    #[schema(value_type = EventKind)]
    kind: Action,
    #[schema(value_type = Outcome)]
    outcome: EventOutcome,
    /// The exact reason of a refusal or denial; `null` if the action was done.
    #[schema(value_type = Option<String>, required)]
    reason: Option<Reason>,
    /// The id of the invitation that the event is about.
    #[schema(required, format = Uuid)]
    invitation: Option<String>,
    #[schema(required)]
    division: Option<String>,
    /// The id of the request that the event belongs to.
    #[schema(required)]
    correlation_id: Option<String>,
    /// The source of the request, as the host recorded it.
    #[schema(required)]
    source: Option<String>,
    /// Further details of the event, by name.
    detail: BTreeMap<String, String>,
}

impl EventBody {
    fn of(event: &Event) -> Self {
        let (mut actor_role, mut username) = (None, None);
        match &event.performer {
            Performer::System => {}
            Performer::Actor { role, .. } => actor_role = Some(role.to_string()),
            Performer::Redeemer { username: name, .. } => username = Some(name.to_string()),
        }
        let context = &event.context;
        let detail = event.detail.iter();
        Self {
            id: event.id.to_string(),
            at: event.at.to_string(),
            actor: event.performer.user().map(ToString::to_string),
            actor_role,
            username,
            kind: event.action,
            outcome: event.outcome,
            reason: event.reason,
            invitation: event.invitation.map(|id| id.to_string()),
            division: event.division.as_ref().map(ToString::to_string),
            correlation_id: context.correlation.as_ref().map(ToString::to_string),
            source: context.source.as_ref().map(ToString::to_string),
            detail: detail.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }
}

/// A page of the audit trail, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = EventPage)]
pub(crate) struct PageBody {
    /// The items of the page. A page may hold fewer than `limit` although more follow.
    items: Vec<EventBody>,
    /// The cursor of the next page; `null` if nothing follows.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists the audit trail within the actor's reach, newest first.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "list_events",
    params(EventQuery, PageQuery),
    responses((status = 200, description = "A page", body = PageBody), docs::Any, docs::WithValues),
)]
pub(crate) async fn events(
    State(web): State<Web>,
    Authorized(actor, _): Authorized<to::Audit>,
    Paged(criteria, paging): Paged<EventQuery>,
) -> Result<Json<PageBody>, Problem> {
    let page = answered(web.service().events(&actor, &criteria, paging).await)?;
    Ok(Json(PageBody {
        items: page.items().iter().map(EventBody::of).collect(),
        next_cursor: page.next().map(|cursor| cursor.to_string()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::PartialSchema;

    /// Returns the values of a schema's `enum`.
    fn listed<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let words = schema["enum"].as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_description_knows_every_word_of_the_core() {
        let words: Vec<_> = Action::ALL.iter().map(|word| word.as_str()).collect();
        assert_eq!(listed::<EventKind>(), words);
        let words: Vec<_> = EventOutcome::ALL.iter().map(|word| word.as_str()).collect();
        assert_eq!(listed::<Outcome>(), words);
    }
}
