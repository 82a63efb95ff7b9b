//! The numbers of a funnel that the counter keeps.

use serde::{Deserialize, Serialize};

use super::TimesToRedeem;

/// What became of the counted invitations, in numbers.
///
/// [`created`](Self::created), [`sent`](Self::sent) and [`redeemed`](Self::redeemed) say how far
/// invitations ever came. The others say what they are now: each invitation is one of
/// [`open`](Self::open), [`used`](Self::used), [`revoked`](Self::revoked) and
/// [`deleted`](Self::deleted), so these four add up to `created`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunnelFigures {
    pub(super) created: u64,
    pub(super) sent: u64,
    pub(super) redeemed: u64,
    pub(super) redemptions: u64,
    pub(super) open: u64,
    pub(super) used: u64,
    pub(super) revoked: u64,
    pub(super) deleted: u64,
    pub(super) times: TimesToRedeem,
}

impl FunnelFigures {
    /// Returns the number of invitations that were created.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.created
    }

    /// Returns the number of invitations of which at least one mail was accepted by the mail
    /// server: the first one, a repeated one or a reminder.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns the number of invitations that were redeemed at least once, whatever happened to
    /// them afterwards.
    #[must_use]
    pub fn redeemed(&self) -> u64 {
        self.redeemed
    }

    /// Returns the number of redemptions. It is greater than [`redeemed`](Self::redeemed) if
    /// invitations with several uses were redeemed more than once.
    #[must_use]
    pub fn redemptions(&self) -> u64 {
        self.redemptions
    }

    /// Returns the number of invitations that have uses left and are neither revoked nor deleted:
    /// they are active or expired.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open
    }

    /// Returns the number of invitations without a use left, revoked or not. Deleted ones are not
    /// among them.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Returns the number of invitations that are revoked, with uses left. One that was reinstated
    /// or deleted is not among them.
    #[must_use]
    pub fn revoked(&self) -> u64 {
        self.revoked
    }

    /// Returns the number of invitations that were deleted.
    #[must_use]
    pub fn deleted(&self) -> u64 {
        self.deleted
    }

    /// Returns the times from creation to the first redemption.
    #[must_use]
    pub fn times(&self) -> &TimesToRedeem {
        &self.times
    }

    /// Replaces the part of one invitation in this sum.
    pub(super) fn replace(&mut self, before: &Self, after: &Self) {
        let replace = |sum: &mut u64, before: u64, after: u64| {
            *sum = sum.saturating_add(after).saturating_sub(before);
        };
        // Every field is named, so that a new one is not forgotten.
        let Self { created, sent, redeemed, redemptions, open, used, revoked, deleted, times } =
            self;
        replace(created, before.created, after.created);
        replace(sent, before.sent, after.sent);
        replace(redeemed, before.redeemed, after.redeemed);
        replace(redemptions, before.redemptions, after.redemptions);
        replace(open, before.open, after.open);
        replace(used, before.used, after.used);
        replace(revoked, before.revoked, after.revoked);
        replace(deleted, before.deleted, after.deleted);
        times.replace(&before.times, &after.times);
    }
}
