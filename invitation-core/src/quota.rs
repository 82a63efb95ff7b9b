//! Quotas: how many invitations may be pending at once.

use std::num::NonZeroU32;

use crate::{
    invitation::{Invitation, Inviter, Status},
    text::{Division, UserId},
    time::Timestamp,
};

/// Whose pending invitations a quota counts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a quota")]
pub enum QuotaOf {
    /// Those that this user created.
    Inviter(UserId),
    /// Those of this division.
    Division(Division),
}

/// A bound on pending invitations that a step must keep: the store counts and
/// changes as one, so that the bound holds however many try at once.
///
/// *Pending* is what is [active](Status::Active) at `now`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct Quota {
    /// Whose.
    pub of: QuotaOf,
    /// How many may be pending after the step.
    pub max: NonZeroU32,
    /// How many the step adds to those that are pending.
    pub adds: u32,
    /// The time of the call.
    pub now: Timestamp,
}

impl Quota {
    /// Whether it counts this invitation: one of those it is about, and pending.
    #[must_use]
    pub fn counts(&self, invitation: &Invitation) -> bool {
        let is_meant = match (&self.of, &invitation.inviter) {
            (QuotaOf::Inviter(user), Inviter::User { user: inviter, .. }) => user == inviter,
            (QuotaOf::Inviter(_), Inviter::System) => false,
            (QuotaOf::Division(division), _) => *division == invitation.division,
        };
        is_meant && invitation.deleted_at.is_none() && invitation.status(self.now) == Status::Active
    }

    /// Whether there is room, when so many are pending already.
    #[must_use]
    pub fn has_room(&self, pending: u32) -> bool {
        pending.checked_add(self.adds).is_some_and(|after| after <= self.max.get())
    }
}

/// How much of something there may be.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Cap {
    /// As much as anybody likes.
    #[default]
    Unlimited,
    /// So many at most.
    AtMost(NonZeroU32),
}

impl Cap {
    pub(crate) fn max(self) -> Option<NonZeroU32> {
        match self {
            Self::Unlimited => None,
            Self::AtMost(max) => Some(max),
        }
    }
}
