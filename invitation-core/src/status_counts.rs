//! Counts by status, exact up to a cap.

use crate::status::Status;

/// The number of invitations of each status. A number up to the cap is exact; a larger one
/// is given as the cap, and is then a lower bound.
///
/// ```
/// use invitation_core::{Status, StatusCounts};
///
/// let mut counts = StatusCounts::up_to(100);
/// counts.add(Status::Active, 100);
/// counts.add(Status::Used, 250);
/// assert_eq!((counts.of(Status::Active), counts.is_exact(Status::Active)), (100, true));
/// assert_eq!((counts.of(Status::Used), counts.is_exact(Status::Used)), (100, false));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatusCounts {
    cap: u32,
    active: u32,
    used: u32,
    expired: u32,
    revoked: u32,
}

impl StatusCounts {
    /// Returns counts of zero, which are exact up to `cap`.
    #[must_use]
    pub fn up_to(cap: u32) -> Self {
        Self { cap, active: 0, used: 0, expired: 0, revoked: 0 }
    }

    /// Adds `number` invitations with `status`. Numbers beyond the cap are all alike.
    pub fn add(&mut self, status: Status, number: u32) {
        let most = self.cap.saturating_add(1);
        let counted = self.counted_mut(status);
        *counted = counted.saturating_add(number).min(most);
    }

    /// Returns the number of invitations with `status`, at most the cap.
    #[must_use]
    pub fn of(&self, status: Status) -> u32 {
        self.counted(status).min(self.cap)
    }

    /// Returns whether the number of `status` is exact. Otherwise there are more.
    #[must_use]
    pub fn is_exact(&self, status: Status) -> bool {
        self.counted(status) <= self.cap
    }

    /// Returns the number of `status`; one more than the cap stands for all larger numbers.
    fn counted(&self, status: Status) -> u32 {
        match status {
            Status::Active => self.active,
            Status::Used => self.used,
            Status::Expired => self.expired,
            Status::Revoked => self.revoked,
        }
    }

    fn counted_mut(&mut self, status: Status) -> &mut u32 {
        match status {
            Status::Active => &mut self.active,
            Status::Used => &mut self.used,
            Status::Expired => &mut self.expired,
            Status::Revoked => &mut self.revoked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_up_to_the_cap_and_a_lower_bound_beyond() {
        // (cap, numbers added one after the other, number, exact)
        for (cap, added, number, is_exact) in [
            (3, &[][..], 0, true),
            (3, &[3], 3, true),
            (3, &[1, 1, 1], 3, true),
            (3, &[4], 3, false),
            (3, &[2, 2], 3, false),
            (3, &[u32::MAX, u32::MAX], 3, false),
            (u32::MAX, &[u32::MAX, 1], u32::MAX, true),
        ] {
            for &status in Status::ALL {
                let mut counts = StatusCounts::up_to(cap);
                for number in added {
                    counts.add(status, *number);
                }
                assert_eq!((counts.of(status), counts.is_exact(status)), (number, is_exact));
                for other in Status::ALL.iter().filter(|other| **other != status) {
                    assert_eq!((counts.of(*other), counts.is_exact(*other)), (0, true));
                }
            }
        }
    }
}
