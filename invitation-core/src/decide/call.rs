//! A call of the service, as a decision sees it.

use crate::{
    detail::Detail,
    event::{Action, Event, EventOutcome},
    id::EventId,
    inviter::Inviter,
    performer::Performer,
    request_context::RequestContext,
    time::Timestamp,
};

/// One call of the service: its performer, its time and its id.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the service and authors of stores build it")]
pub struct Call {
    /// The id of the operation, of its event, and of its redemption.
    pub id: EventId,
    /// The time of the call.
    pub now: Timestamp,
    /// The performer of the call.
    pub performer: Performer,
    /// The context that the host gives the call, such as its correlation id.
    pub context: RequestContext,
}

impl Call {
    /// Returns the event that this call performed `action`.
    pub(crate) fn done(&self, action: Action, detail: Detail) -> Event {
        Event {
            id: self.id,
            at: self.now,
            performer: self.performer.clone(),
            action,
            outcome: EventOutcome::Succeeded,
            reason: None,
            invitation: None,
            division: None,
            context: self.context.clone(),
            detail,
        }
    }

    /// Returns the performer as the inviter or grantor of an invitation.
    pub(crate) fn inviter(&self) -> Inviter {
        match &self.performer {
            Performer::Actor { user, role, name } => {
                Inviter::User { user: user.clone(), role: role.clone(), name: name.clone() }
            }
            Performer::System { .. } | Performer::Redeemer { .. } => Inviter::System,
        }
    }
}
