//! Retention: removal of invitations that ended long ago.

use std::num::NonZeroU32;

use crate::{detail::DetailTemplate, event::Event, record::Record, scope::Scope, time::Timestamp};

/// The name of the detail that states how many invitations a purge removed.
const REMOVED: &str = "removed";

/// A request to remove invitations that ended before an instant. Their redemptions and
/// other records are removed with them, but their events are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct Purge {
    /// The divisions in which invitations are removed.
    pub scope: Scope,
    /// The instant before which an invitation must have ended.
    pub before: Timestamp,
    /// The maximum number of invitations to remove in this call.
    pub max: NonZeroU32,
    /// The audit event of the purge, without the number of removed invitations. The store
    /// adds that number with [`evidence`](Self::evidence).
    pub event: Event,
}

impl Purge {
    /// Returns whether the invitation is to be removed: it lies in the scope, and its
    /// [end](Record::ended_at) lies before [`before`](Self::before).
    #[must_use]
    pub fn takes(&self, invitation: &Record) -> bool {
        let ended_at = invitation.ended_at();
        self.scope.contains(&invitation.division) && ended_at.is_some_and(|at| at < self.before)
    }

    /// Returns the answer of a store that removed `removed` invitations. There may be
    /// more to remove if the number reached the maximum.
    #[must_use]
    pub fn removed(&self, removed: u32) -> Purged {
        Purged { removed, more: removed == self.max.get() }
    }

    /// Returns the audit event for the removal of `removed` invitations.
    #[must_use]
    pub fn evidence(&self, removed: u32) -> Event {
        let event = self.event.clone();
        let detail = event.detail.with(REMOVED, &removed.to_string());
        Event { detail, ..event }
    }

    /// Returns the detail of [`evidence`](Self::evidence) as a text, into which the store
    /// writes the number of removed invitations.
    #[must_use]
    pub fn evidence_template(&self) -> DetailTemplate {
        self.event.detail.template(REMOVED)
    }
}

/// The result of a purge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Purged {
    /// The number of removed invitations.
    pub removed: u32,
    /// Whether there may be more invitations to remove.
    pub more: bool,
}

impl Purged {
    /// The answer to a repeated purge that was done before.
    pub const BEFORE: Self = Self { removed: 0, more: true };
}
