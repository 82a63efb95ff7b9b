//! Retries of operations that conflicted with concurrent work.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::{Duration, Instant},
};

use invitation_core::{EventId, StoreError, StoreErrorKind, admit::Attempts, observe};
use uuid::Uuid;

/// The maximum number of retries of one operation.
const MAX_RETRIES: u32 = 6;

/// The time after which no retry but the first one begins. A conflict that took longer was a wait
/// for a lock, and each further wait would take as long again.
///
/// The first retry does not depend on the time, because a deadlock may take as long as a wait for a
/// lock. PostgreSQL looks for one only after `deadlock_timeout`, 1 s by default.
const MAX_ELAPSED: Duration = Duration::from_secs(1);

/// The upper bound of the pause before the first retry. It doubles with each retry.
const FIRST_MAX_PAUSE: Duration = Duration::from_millis(4);

/// The attempts at one transaction of an [`SqlStore`](crate::SqlStore): up to seven within a
/// second, after short pauses, and a second one however long the first one took.
///
/// The store's own operations use it too. Inside a host's transaction nothing is repeated, because
/// the host's whole transaction has to be.
#[derive(Debug)]
pub struct SqlAttempts {
    begun: Instant,
    made: u32,
    random: u64,
}

impl SqlAttempts {
    /// Creates the attempts at the operation that writes this event, if it writes one. The random
    /// part of the event's id varies the pauses, so that conflicting operations do not meet again.
    pub(crate) fn of(operation: Option<EventId>) -> Self {
        let Some(id) = operation else { return Self::with_random_pauses() };
        let random = Uuid::from_bytes(*id.as_bytes()).as_u64_pair().1;
        Self { begun: Instant::now(), made: 0, random }
    }

    /// Creates the attempts at an operation that has no event yet.
    pub(crate) fn with_random_pauses() -> Self {
        Self { begun: Instant::now(), made: 0, random: RandomState::new().hash_one(()) }
    }

    fn pause(&mut self, kind: StoreErrorKind, elapsed: Duration) -> Option<Duration> {
        let is_late = self.made > 0 && elapsed >= MAX_ELAPSED;
        if kind != StoreErrorKind::Conflict || self.made >= MAX_RETRIES || is_late {
            return None;
        }
        let longest = FIRST_MAX_PAUSE * 2_u32.pow(self.made);
        self.made += 1;
        // Each retry takes other bits of the random number, as one of 1,024 equal parts of the
        // longest pause.
        let part = u32::try_from(self.random.rotate_right(10 * self.made) & 1023).unwrap_or(0);
        Some(longest * part / 1024)
    }
}

impl Attempts for SqlAttempts {
    async fn again_after(&mut self, error: &StoreError) -> bool {
        let Some(pause) = self.pause(error.kind(), self.begun.elapsed()) else { return false };
        observe::retry(error.operation());
        sqlx_core::rt::sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFLICT: StoreErrorKind = StoreErrorKind::Conflict;
    const IMMEDIATELY: Duration = Duration::ZERO;

    fn retries(last_bytes: u64) -> SqlAttempts {
        let bytes = (u128::from(u64::MAX) << 64) | u128::from(last_bytes);
        SqlAttempts::of(Some(EventId::from_bytes(bytes.to_be_bytes())))
    }

    #[test]
    fn only_conflicts_are_retried() {
        for kind in [
            StoreErrorKind::Unavailable,
            StoreErrorKind::OutcomeUnknown,
            StoreErrorKind::Corrupt,
            StoreErrorKind::Other,
        ] {
            assert_eq!(retries(7).pause(kind, IMMEDIATELY), None, "{kind:?}");
        }
        assert!(retries(7).pause(CONFLICT, IMMEDIATELY).is_some());
    }

    #[test]
    fn retries_are_bounded() {
        let mut retries = retries(7);
        let made = std::iter::from_fn(|| retries.pause(CONFLICT, IMMEDIATELY)).count();
        assert_eq!(made, 6);
    }

    #[test]
    fn long_conflict_is_retried_once() {
        let mut retries = retries(7);
        assert!(retries.pause(CONFLICT, Duration::from_mins(1)).is_some());
        assert!(retries.pause(CONFLICT, Duration::from_micros(999_999)).is_some());
        assert_eq!(retries.pause(CONFLICT, MAX_ELAPSED), None);
    }

    #[test]
    fn pauses_grow_within_bounds_and_differ_between_operations() {
        let pauses = |random| {
            let mut retries = retries(random);
            (0..MAX_RETRIES)
                .map(|n| {
                    let pause = retries.pause(CONFLICT, IMMEDIATELY).unwrap();
                    assert!(pause < FIRST_MAX_PAUSE * 2_u32.pow(n), "{n}");
                    pause
                })
                .collect::<Vec<_>>()
        };
        assert_ne!(pauses(0x0123_4567_89ab_cdef), pauses(0x0123_4567_89ab_0000));
        let most = pauses(u64::MAX);
        assert!(most.is_sorted() && most[5] > Duration::from_millis(100));
    }
}
