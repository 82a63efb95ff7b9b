//! Counts by status, exact up to a cap.

use crate::{query::Filter, status::Status};

/// The number of invitations of each status. Each number is exact, or a lower bound: if it
/// exceeds the cap, or if a store has not examined all candidates of a search.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Status, StatusCounts};
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
    active: Count,
    used: Count,
    expired: Count,
    revoked: Count,
}

/// A number of invitations, at most the cap.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Count {
    number: u32,
    is_lower_bound: bool,
}

impl StatusCounts {
    /// Returns counts of zero, which are exact up to `cap`.
    #[must_use]
    pub fn up_to(cap: u32) -> Self {
        let none = Count::default();
        Self { cap, active: none, used: none, expired: none, revoked: none }
    }

    /// Adds `number` invitations with `status`. A number beyond the cap becomes the cap, as a
    /// lower bound.
    pub fn add(&mut self, status: Status, number: u32) {
        let cap = self.cap;
        let count = self.count_mut(status);
        let sum = count.number.checked_add(number).filter(|sum| *sum <= cap);
        count.is_lower_bound |= sum.is_none();
        count.number = sum.unwrap_or(cap);
    }

    /// Marks the numbers as lower bounds, because only some of the invitations that may match
    /// the filter were examined. A status that the filter excludes keeps its exact zero.
    pub fn mark_lower_bounds(&mut self, filter: &Filter) {
        for status in filter.statuses() {
            self.count_mut(*status).is_lower_bound = true;
        }
    }

    /// Returns the number of invitations with `status`, at most the cap.
    #[must_use]
    pub fn of(&self, status: Status) -> u32 {
        self.count(status).number
    }

    /// Returns whether the number of `status` is exact. Otherwise it is a lower bound.
    #[must_use]
    pub fn is_exact(&self, status: Status) -> bool {
        !self.count(status).is_lower_bound
    }

    fn count(&self, status: Status) -> &Count {
        match status {
            Status::Active => &self.active,
            Status::Used => &self.used,
            Status::Expired => &self.expired,
            Status::Revoked => &self.revoked,
        }
    }

    fn count_mut(&mut self, status: Status) -> &mut Count {
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
    use crate::sample;

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
            (u32::MAX, &[u32::MAX], u32::MAX, true),
            (u32::MAX, &[u32::MAX, 1], u32::MAX, false),
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

    #[test]
    fn numbers_of_some_candidates_are_lower_bounds_of_the_statuses_that_the_filter_allows() {
        let all = Filter::all(sample::at(0));
        let used = Filter { status: Some(Status::Used), ..all.clone() };
        for (filter, exact) in
            [(all, &[][..]), (used, &[Status::Active, Status::Expired, Status::Revoked])]
        {
            let mut counts = StatusCounts::up_to(3);
            counts.add(Status::Used, 2);
            counts.mark_lower_bounds(&filter);
            counts.add(Status::Used, 1);
            assert_eq!(counts.of(Status::Used), 3);
            for status in Status::ALL {
                assert_eq!(counts.is_exact(*status), exact.contains(status), "{status}");
            }
        }
    }
}
