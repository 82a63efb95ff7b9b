//! The waiting times between attempts.

use time::Duration;

/// The waiting times between the attempts of one delivery: each is twice the one before, up to a
/// maximum, for a bounded number of attempts.
///
/// ```
/// # mod invitation { pub use invitation_delivery as delivery; }
/// use invitation::delivery::Backoff;
/// use time::Duration;
///
/// let backoff = Backoff::default();
/// assert_eq!(backoff.wait_after(1), Some(Duration::seconds(30)));
/// assert_eq!(backoff.wait_after(2), Some(Duration::minutes(1)));
/// assert_eq!(backoff.wait_after(12), None, "the twelfth attempt was the last");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
}

impl Default for Backoff {
    /// Returns 12 attempts within about 13 hours: the first wait takes 30 seconds, the longest 4
    /// hours.
    fn default() -> Self {
        Self { first: Duration::seconds(30), longest: Duration::hours(4), attempts: 12 }
    }
}

impl Backoff {
    /// Creates a backoff of up to `attempts` attempts. The first wait is `first`, and no wait is
    /// longer than `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration, attempts: u32) -> Self {
        Self { first, longest, attempts }
    }

    /// Returns the maximum number of attempts.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the wait after this many failed attempts; none if the delivery is given up.
    #[must_use]
    pub fn wait_after(&self, failed: u32) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        // More than 2³⁰ times the first wait is always beyond the longest.
        let doublings = failed.saturating_sub(1).min(30);
        let wait = self.first.saturating_mul(1 << doublings);
        Some(wait.min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_waits_sum_up_to_half_a_day_and_end() {
        let backoff = Backoff::default();
        let waits: Vec<_> = (1..).map_while(|failed| backoff.wait_after(failed)).collect();
        assert_eq!(waits.len(), 11);
        let total = waits.iter().fold(Duration::ZERO, |total, wait| total + *wait);
        assert_eq!(total.whole_hours(), 12);
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let backoff = Backoff::new(Duration::MAX, Duration::MAX, u32::MAX);
        assert_eq!(backoff.wait_after(u32::MAX - 1), Some(Duration::MAX));
        assert_eq!(backoff.wait_after(u32::MAX), None);
        assert_eq!(Backoff::new(Duration::ZERO, Duration::ZERO, 0).wait_after(0), None);
    }
}
