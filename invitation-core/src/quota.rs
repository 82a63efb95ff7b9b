//! Quotas: limits of the number of pending invitations.

use std::num::NonZeroU32;

use crate::{
    inviter::Inviter,
    record::Record,
    status::Status,
    text::{Division, UserId},
    time::Timestamp,
};

/// The inviter or division whose pending invitations a quota counts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a quota")]
pub enum QuotaOf {
    /// The invitations that this user created.
    Inviter(UserId),
    /// The invitations of this division.
    Division(Division),
}

/// A limit of pending invitations that a transition or insertion must keep.
///
/// The store counts and changes in one atomic step, so that the limit holds under any
/// number of concurrent calls. An invitation is *pending* while it is
/// [active](Status::Active) at `now`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct Quota {
    /// The inviter or division that the quota counts for.
    pub of: QuotaOf,
    /// The maximum number of pending invitations after the step.
    pub max: NonZeroU32,
    /// The number of pending invitations that the step adds.
    pub adds: u32,
    /// The time of the call.
    pub now: Timestamp,
}

impl Quota {
    /// Returns whether the quota counts this invitation: it belongs to the inviter or
    /// division, and is pending.
    #[must_use]
    pub fn counts(&self, invitation: &Record) -> bool {
        let is_meant = match (&self.of, &invitation.inviter) {
            (QuotaOf::Inviter(user), Inviter::User { user: inviter, .. }) => user == inviter,
            (QuotaOf::Inviter(_), Inviter::System) => false,
            (QuotaOf::Division(division), _) => *division == invitation.division,
        };
        is_meant && invitation.deleted_at.is_none() && invitation.status(self.now) == Status::Active
    }

    /// Returns whether there is room for the step, given the current number of pending
    /// invitations.
    #[must_use]
    pub fn has_room(&self, pending: u32) -> bool {
        pending.checked_add(self.adds).is_some_and(|after| after <= self.max.get())
    }
}

/// An optional maximum.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Cap, Limits, Refusal};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::num::NonZeroU32;
///
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let one = Cap::AtMost(NonZeroU32::MIN);
/// let limits = Limits::default().with_pending_per_inviter(one);
/// let invitations = Invitations::new(MemoryStore::new()).with_limits(limits);
/// invitations.create(&manager, Draft::new()).await?;
///
/// let second = invitations.create(&manager, Draft::new()).await.unwrap_err();
/// assert!(matches!(second.refusal(), Some(Refusal::QuotaExceeded { max, .. }) if max.get() == 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Cap {
    /// There is no maximum.
    #[default]
    Unlimited,
    /// The number may not exceed this value.
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
