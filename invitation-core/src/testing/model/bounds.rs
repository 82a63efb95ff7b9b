//! The bounds of a sequence, as plain numbers and as the real thing.

use std::num::NonZeroU32;

use time::Duration;

use super::{
    cast::Who,
    state::{HOUR, Model, No, Row},
};
use crate::{
    event::Reason,
    invitation::Status,
    limits::Limits,
    quota::{Cap, QuotaOf},
    refusal::Refusal,
    text::Division,
};

/// What the service is set to: small, so that sequences reach it.
pub(super) const MAX_USES: u32 = 3;
pub(super) const MAX_BATCH: u32 = 3;

/// What may be asked for, and how long a lease is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bounds {
    /// How many may be pending of one inviter, if that is bounded.
    pub(super) inviter: Option<u32>,
    /// How many may be pending in one division, if that is bounded.
    pub(super) division: Option<u32>,
    /// How long a use is held, in microseconds.
    pub(super) lease: i64,
}

impl Bounds {
    /// Nothing is bounded that need not be.
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
    /// Why there is no room for more pending invitations of `inviter`, one in each
    /// of `divisions`: first the inviter's bound, then those of the divisions, in
    /// their order.
    pub(super) fn no_room(&self, inviter: Option<Who>, divisions: &[Division]) -> Option<No> {
        let count = |is_meant: &dyn Fn(&Row) -> bool| {
            let mut pending = 0;
            for row in &self.rows {
                if row.is_there() && row.status(self.now) == Status::Active && is_meant(row) {
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

    /// Why a change from `before` to `after` has no room: it makes pending what
    /// was not.
    pub(super) fn no_room_again(&self, before: &Row, after: &Row) -> Option<No> {
        let pending = |row: &Row| row.status(self.now) == Status::Active;
        if pending(before) || !pending(after) {
            return None;
        }
        let inviter = after.inviter.map(|(who, _)| who);
        self.no_room(inviter, std::slice::from_ref(&after.facts.division))
    }
}

fn full(of: QuotaOf, max: u32) -> No {
    let max = NonZeroU32::new(max).expect("no bound of a sequence is 0");
    (Refusal::QuotaExceeded { of, max }, Reason::QuotaExceeded)
}
