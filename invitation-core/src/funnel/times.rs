//! The times from creation to the first redemption, as a histogram with fixed bounds.

use serde::{Deserialize, Serialize};
use time::Duration;

/// The number of invitations that were first redeemed within each range of time after their
/// creation.
///
/// The ranges never change: up to 1 minute, 10 minutes, 1 hour, 6 hours, 1 day, 3 days, 7 days,
/// 14 days, 30 days, 90 days, and longer. A range contains its end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimesToRedeem([u64; RANGES]);

/// The number of ranges: one for each end, and one without an end.
const RANGES: usize = TimesToRedeem::ENDS.len() + 1;

/// A range of times to redeem: longer than `after`, and up to `until`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a range has two ends")]
pub struct TimeRangeToRedeem {
    /// The longest time that is below the range; zero for the first range.
    pub after: Duration,
    /// The longest time within the range; none for the last range.
    pub until: Option<Duration>,
}

impl TimesToRedeem {
    /// The longest time of each range but the last, which has none.
    pub const ENDS: [Duration; 10] = [
        Duration::MINUTE,
        Duration::minutes(10),
        Duration::HOUR,
        Duration::hours(6),
        Duration::DAY,
        Duration::days(3),
        Duration::days(7),
        Duration::days(14),
        Duration::days(30),
        Duration::days(90),
    ];

    /// Returns the histogram of one time. A negative time, from clocks that differ, is in the
    /// first range.
    pub(super) fn of(time: Duration) -> Self {
        let mut numbers = [0; RANGES];
        let range = Self::ENDS.iter().position(|end| time <= *end).unwrap_or(Self::ENDS.len());
        numbers[range] = 1;
        Self(numbers)
    }

    /// Returns each range with its number of invitations, the shortest times first.
    pub fn iter(&self) -> impl Iterator<Item = (TimeRangeToRedeem, u64)> {
        self.0.iter().enumerate().map(|(n, number)| (range(n), *number))
    }

    /// Returns the number of invitations of all ranges.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, number| sum.saturating_add(*number))
    }

    /// Returns the range that contains the median: half of the invitations were redeemed within
    /// this time or sooner. None if no invitation was redeemed.
    #[must_use]
    pub fn median(&self) -> Option<TimeRangeToRedeem> {
        let middle = self.total().div_ceil(2);
        let mut until_here = 0_u64;
        let n = self.0.iter().position(|number| {
            until_here = until_here.saturating_add(*number);
            middle > 0 && until_here >= middle
        });
        n.map(range)
    }

    /// Replaces the part of one invitation in this sum.
    pub(super) fn replace(&mut self, before: &Self, after: &Self) {
        for (sum, (before, after)) in self.0.iter_mut().zip(before.0.iter().zip(&after.0)) {
            *sum = sum.saturating_add(*after).saturating_sub(*before);
        }
    }
}

fn range(n: usize) -> TimeRangeToRedeem {
    let end = |n: usize| TimesToRedeem::ENDS.get(n).copied();
    let after = n.checked_sub(1).and_then(end).unwrap_or(Duration::ZERO);
    TimeRangeToRedeem { after, until: end(n) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_contains_its_end_and_no_more() {
        for (n, end) in TimesToRedeem::ENDS.into_iter().enumerate() {
            for (time, expected) in
                [(end - Duration::MICROSECOND, n), (end, n), (end + Duration::MICROSECOND, n + 1)]
            {
                assert_eq!(TimesToRedeem::of(time).0.iter().position(|n| *n == 1), Some(expected));
            }
        }
        assert_eq!(TimesToRedeem::of(-Duration::DAY).0[0], 1, "clocks differ");
    }

    #[test]
    fn median_is_in_the_range_that_reaches_half() {
        let times = |numbers: &[(usize, u64)]| {
            let mut all = TimesToRedeem::default();
            for (n, number) in numbers {
                all.0[*n] = *number;
            }
            all
        };
        for (numbers, median) in [
            (&[][..], None),
            (&[(3, 1)], Some(3)),
            (&[(0, 1), (3, 1)], Some(0)),
            (&[(0, 1), (3, 2)], Some(3)),
            (&[(0, 2), (3, 1), (10, 1)], Some(0)),
            (&[(9, 1), (10, 2)], Some(10)),
            (&[(1, u64::MAX), (2, u64::MAX)], Some(1)),
        ] {
            assert_eq!(times(numbers).median(), median.map(range), "{numbers:?}");
        }
        assert_eq!(range(0).after, Duration::ZERO);
        assert_eq!(range(10), TimeRangeToRedeem { after: Duration::days(90), until: None });
    }
}
