//! The endpoint of the audit trail.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use invitation_core::{Action, Event, EventOutcome, Performer, Reason};
use serde::Serialize;
use utoipa::ToSchema;

use super::{docs, page_body::page_body};
use crate::{
    authorization::{Authorized, to},
    problem::Problem,
    query::{EventKind, EventQuery, Outcome, PageQuery},
    web::Web,
};

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
    /// The name of the actor, or of the host's job that acted, as the host gave it at the time;
    /// `null` if it gave none.
    #[schema(required)]
    actor_name: Option<String>,
    /// The username of the new user who presented a code.
    #[schema(required)]
    username: Option<String>,
    #[schema(value_type = EventKind)]
    kind: Action,
    #[schema(value_type = Outcome)]
    outcome: EventOutcome,
    /// The exact reason of a refusal, denial or failure; `null` if the action was done.
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
        let name = event.performer.name().map(str::to_owned);
        let (actor_role, actor_name, username) = match &event.performer {
            Performer::System { .. } => (None, name, None),
            Performer::Actor { role, .. } => (Some(role.to_string()), name, None),
            Performer::Redeemer { .. } => (None, None, name),
        };
        let context = &event.context;
        let detail = event.detail.iter();
        Self {
            id: event.id.to_string(),
            at: event.at.to_string(),
            actor: event.performer.user().map(ToString::to_string),
            actor_role,
            actor_name,
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

page_body! {
    /// A page of the audit trail, newest first.
    PageBody as EventPage of EventBody
}

/// Lists the audit trail within the actor's reach, newest first.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "list_events",
    params(EventQuery, PageQuery),
    responses((status = 200, description = "A page", body = PageBody), docs::Common),
)]
pub(crate) async fn events(
    State(web): State<Web>,
    Authorized(actor, (criteria, paging), _): Authorized<to::Audit, (EventQuery, PageQuery)>,
) -> Result<Json<PageBody>, Problem> {
    PageBody::answer(web.service().events(&actor, &criteria, paging).await, EventBody::of)
}
