//! Retention: removing what has long been over.

use std::num::NonZeroU32;

use crate::{
    actor::Scope,
    event::Event,
    invitation::{Invitation, Status},
    time::Timestamp,
};

/// Removes invitations that have been over for long, with everything that is
/// kept with them except for their events.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct Purge {
    /// Where.
    pub scope: Scope,
    /// Those that were over before this instant.
    pub before: Timestamp,
    /// How many at most.
    pub max: NonZeroU32,
    /// The evidence, but for the number. A store completes it
    /// ([`evidence`](Self::evidence)).
    pub event: Event,
}

impl Purge {
    /// Whether the invitation is to be removed.
    ///
    /// It was over when it was deleted; if it was not, when the last of its uses
    /// was taken; if some are left, when it was revoked; if it was not, when it
    /// expired.
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

    /// The answer of a store that removed so many: as many as it was to, so that there
    /// may be more, or all.
    #[must_use]
    pub fn removed(&self, removed: u32) -> Purged {
        Purged { removed, more: removed == self.max.get() }
    }

    /// The event of the removal of so many.
    #[must_use]
    pub fn evidence(&self, removed: u32) -> Event {
        let event = self.event.clone();
        let detail = event.detail.with("removed", &removed.to_string());
        Event { detail, ..event }
    }
}

/// What became of a purge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Purged {
    /// How many were removed.
    pub removed: u32,
    /// Whether there may be more to remove.
    pub more: bool,
}

impl Purged {
    /// The answer to a purge that was made before.
    pub const BEFORE: Self = Self { removed: 0, more: true };
}
