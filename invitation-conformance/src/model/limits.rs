//! The limits of a sequence, as plain numbers and as [`Limits`].

use std::num::NonZeroU32;

use invitation_core::{Cap, Division, Limits, QuotaOf, Reason, Refusal, Status};
use time::Duration;

use super::{
    identities::ActingUser,
    state::{ExpectedRefusal, HOUR, Model, ModelInvitation},
};

/// The limits of the service, small enough for sequences to reach them.
pub(super) const MAX_USES: u32 = 3;
pub(super) const MAX_BATCH: u32 = 3;

/// The quotas, and the length of a lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LimitsSpec {
    /// The maximum number of pending invitations per inviter; `None` means unlimited.
    pub(super) inviter: Option<u32>,
    /// The maximum number of pending invitations per division; `None` means unlimited.
    pub(super) division: Option<u32>,
    /// The length of a lease, in microseconds.
    pub(super) lease: i64,
}

impl LimitsSpec {
    /// The widest limits: no quotas, and leases of one hour.
    pub(super) const WIDE: Self = Self { inviter: None, division: None, lease: HOUR };

    pub(super) fn limits(self) -> Limits {
        let number = |n: u32| NonZeroU32::MIN.saturating_add(n - 1);
        let cap = |max: Option<u32>| max.map_or(Cap::Unlimited, |max| Cap::AtMost(number(max)));
        Limits::default()
            .with_max_uses(number(MAX_USES))
            .with_batch(number(MAX_BATCH))
            .with_denials_per_minute(NonZeroU32::MAX)
            .with_lease(Duration::microseconds(self.lease))
            .expect("leases of sequences are short")
            .with_pending_per_inviter(cap(self.inviter))
            .with_pending_per_division(cap(self.division))
    }
}

impl Model {
    /// Returns the refusal if a quota has no room for more pending invitations of
    /// `inviter`, one in each of `divisions`. The inviter's quota is checked first, then
    /// those of the divisions in order.
    pub(super) fn quota_refusal(
        &self,
        inviter: Option<ActingUser>,
        divisions: &[Division],
    ) -> Option<ExpectedRefusal> {
        let count = |is_meant: &dyn Fn(&ModelInvitation) -> bool| {
            let mut pending = 0;
            for row in &self.rows {
                if row.is_live() && row.status(self.now) == Status::Active && is_meant(row) {
                    pending += 1;
                }
            }
            pending
        };
        if let (Some(max), Some(who)) = (self.bounds.inviter, inviter) {
            let own = count(&|row| row.inviter.is_some_and(|(other, _)| other == who));
            if own + divisions.len() > max as usize {
                return Some(full(QuotaOf::Inviter(who.user()), max));
            }
        }
        let max = self.bounds.division?;
        let mut in_order = divisions.to_vec();
        in_order.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        for division in in_order {
            let there = count(&|row| row.facts.division == division);
            let more = divisions.iter().filter(|other| **other == division).count();
            if there + more > max as usize {
                return Some(full(QuotaOf::Division(division), max));
            }
        }
        None
    }

    /// Returns the refusal if the change from `before` to `after` makes the invitation
    /// pending and a quota has no room.
    pub(super) fn revival_refusal(
        &self,
        before: &ModelInvitation,
        after: &ModelInvitation,
    ) -> Option<ExpectedRefusal> {
        let pending = |row: &ModelInvitation| row.status(self.now) == Status::Active;
        if pending(before) || !pending(after) {
            return None;
        }
        let inviter = after.inviter.map(|(who, _)| who);
        self.quota_refusal(inviter, std::slice::from_ref(&after.facts.division))
    }
}

fn full(of: QuotaOf, max: u32) -> ExpectedRefusal {
    let max = NonZeroU32::new(max).expect("no bound of a sequence is 0");
    (Refusal::QuotaExceeded { of, max }, Reason::QuotaExceeded)
}
