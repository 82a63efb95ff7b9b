//! The filters of the audit trail.

use invitation_core::{
    Action, CorrelationId, Division, EventCriteria, InvitationId, UserId, audit::OutcomeFilter,
};
use utoipa::IntoParams;

use super::{EventKind, Given, OutcomeChoice, QueryErrors, QueryParams};

/// The filters of the audit trail.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// Only events about this invitation.
    #[param(format = Uuid, nullable = false)]
    pub(crate) invitation: Option<String>,
    /// Only events of this user, as actor or as redeemer.
    #[param(min_length = 1, max_length = 128, nullable = false)]
    pub(crate) actor: Option<String>,
    /// Only events of this kind.
    #[param(inline, value_type = Option<EventKind>, nullable = false)]
    pub(crate) kind: Option<String>,
    /// Only events with this outcome; `not_succeeded` is refused, denied or failed.
    #[param(inline, value_type = Option<OutcomeChoice>, nullable = false)]
    pub(crate) outcome: Option<String>,
    /// Only events of the request with this id, which its answer had as `X-Request-Id`.
    #[param(min_length = 1, max_length = 128, nullable = false)]
    pub(crate) correlation_id: Option<String>,
    /// Only events of this division.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    pub(crate) division: Option<String>,
}

impl QueryParams for EventQuery {
    type Parsed = EventCriteria;

    fn take(given: &mut Given) -> Self {
        let mut take = |name| given.take(name);
        Self {
            invitation: take("invitation"),
            actor: take("actor"),
            kind: take("kind"),
            outcome: take("outcome"),
            correlation_id: take("correlation_id"),
            division: take("division"),
        }
    }

    fn parse(&self, errors: &mut QueryErrors) -> EventCriteria {
        let mut criteria = EventCriteria::new();
        let invitation = self.invitation.as_deref();
        if let Some(id) = errors.check("invitation", invitation, str::parse::<InvitationId>) {
            criteria = criteria.about(id);
        }
        if let Some(user) = errors.check("actor", self.actor.as_deref(), UserId::new) {
            criteria = criteria.by_user(user);
        }
        if let Some(action) = errors.check("kind", self.kind.as_deref(), str::parse::<Action>) {
            criteria = criteria.of_action(action);
        }
        let outcome = self.outcome.as_deref();
        if let Some(outcome) = errors.check("outcome", outcome, str::parse::<OutcomeFilter>) {
            criteria = criteria.with_outcome(outcome);
        }
        let correlation = self.correlation_id.as_deref();
        if let Some(id) = errors.check("correlation_id", correlation, CorrelationId::new) {
            criteria = criteria.with_correlation(id);
        }
        if let Some(division) = errors.check("division", self.division.as_deref(), Division::new) {
            criteria = criteria.in_division(division);
        }
        criteria
    }
}
