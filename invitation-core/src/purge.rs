//! Retention: removal of invitations that ended long ago.

use std::num::NonZeroU32;

use crate::{
    actor::Scope,
    event::Event,
    invitation::{Invitation, Status},
    time::Timestamp,
};

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
    /// Returns whether the invitation is to be removed: it lies in the scope and ended
    /// before [`before`](Self::before).
    ///
    /// The end of an invitation is the first entry of this list that applies:
    ///
    /// - when it was deleted;
    /// - when its last use was taken, if no uses are left;
    /// - when it was revoked;
    /// - when it expired.
    #[must_use]
    pub fn takes(&self, invitation: &Invitation) -> bool {
        let over = match (invitation.deleted_at, invitation.status(self.before)) {
            (Some(deleted_at), _) => Some(deleted_at),
            (None, Status::Used) => invitation.last_use.as_ref().map(|last| last.at),
            (None, Status::Revoked) => invitation.revocation.as_ref().map(|gone| gone.at),
            (None, Status::Expired | Status::Active) => Some(invitation.expires_at),
        };
        self.scope.contains(&invitation.division) && over.is_some_and(|over| over < self.before)
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
        let detail = event.detail.with("removed", &removed.to_string());
        Event { detail, ..event }
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
