//! Instants in microseconds, and the clock that returns them.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use crate::field_error::FieldError;

/// An instant: whole microseconds since 1970-01-01T00:00:00Z.
///
/// The unit is the microsecond because every store keeps it exactly; Redis' Lua loses
/// nanoseconds. An instant lies between the years 0 and 9999, so that it can be written
/// as RFC 3339.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::Timestamp;
///
/// let t = Timestamp::from_micros(1_500_000).unwrap();
/// assert_eq!(t.to_string(), "1970-01-01T00:00:01.5Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last supported instant: the end of the year 9999.
    pub const MAX: Self = Self(253_402_300_799_999_999);
    /// The first supported instant: the beginning of the year 0.
    pub const MIN: Self = Self(-62_167_219_200_000_000);

    /// Returns the instant `micros` microseconds after the epoch; none outside the
    /// supported range.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros < Self::MIN.0 || micros > Self::MAX.0 { None } else { Some(Self(micros)) }
    }

    /// Describes the texts that [`FromStr`] accepts, for a message.
    pub const SYNTAX: &str = "must be an instant, as in 2027-01-04T08:00:00Z";

    /// Returns the microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns this instant moved by `by`; none outside the supported range.
    #[must_use]
    pub fn checked_add(self, by: Duration) -> Option<Self> {
        let by = i64::try_from(by.whole_microseconds()).ok()?;
        Self::from_micros(self.0.checked_add(by)?)
    }

    /// Returns the duration from `earlier` to this instant, negative if this instant is
    /// before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        // Both instants lie within the years 0 to 9999, so the difference cannot
        // overflow.
        Duration::microseconds(self.0 - earlier.0)
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(timestamp: Timestamp) -> Self {
        // Every `Timestamp` lies within the range of `OffsetDateTime`.
        Self::from_unix_timestamp_nanos(i128::from(timestamp.0) * 1_000).unwrap_or(Self::UNIX_EPOCH)
    }
}

impl TryFrom<OffsetDateTime> for Timestamp {
    type Error = FieldError;

    /// Converts the instant, and truncates it to the microsecond.
    fn try_from(instant: OffsetDateTime) -> Result<Self, FieldError> {
        i64::try_from(instant.unix_timestamp_nanos().div_euclid(1_000))
            .ok()
            .and_then(Self::from_micros)
            .ok_or_else(|| FieldError::new("time", "must lie between the years 0 and 9999"))
    }
}

impl FromStr for Timestamp {
    type Err = FieldError;

    /// Parses an RFC 3339 instant, and truncates it to the microsecond.
    fn from_str(text: &str) -> Result<Self, FieldError> {
        // The parser accepts any byte between date and time, such as a minus sign or NUL.
        let is_separated = matches!(text.as_bytes().get(10), Some(b'T' | b't'));
        let instant = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| is_separated);
        instant
            .and_then(|instant| Self::try_from(instant).ok())
            .ok_or_else(|| FieldError::new("time", Self::SYNTAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from(*self)
            .to_offset(UtcOffset::UTC)
            .format(&Rfc3339)
            .map_err(|_| fmt::Error)?;
        f.pad(&text)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// Returns a waiting time in whole seconds, rounded up: at its end, the wait is over.
pub(crate) fn in_whole_seconds(wait: Duration) -> Duration {
    let part = i64::from(wait.subsec_nanoseconds() > 0);
    Duration::seconds(wait.whole_seconds().saturating_add(part))
}

/// A source of the current time. The service reads it once per call.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The system clock of the machine.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that gets injected")]
    fn now(&self) -> Timestamp {
        // If the machine's clock lies beyond the year 9999, new codes are expired at
        // once.
        Timestamp::try_from(OffsetDateTime::now_utc()).unwrap_or(Timestamp::MAX)
    }
}

/// A clock for tests that moves only by explicit calls. Clones share the time.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{
///     Timestamp,
///     clock::{Clock, ManualClock},
/// };
///
/// let clock = ManualClock::new(Timestamp::from_micros(0).unwrap());
/// clock.advance(time::Duration::days(1));
/// assert_eq!(clock.now().to_string(), "1970-01-02T00:00:00Z");
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Returns a clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.0)))
    }

    /// Sets the time, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the time by `by`, which may be negative. The time stops at the first or last
    /// instant that a [`Timestamp`] supports.
    pub fn advance(&self, by: Duration) {
        let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        self.set(self.now().checked_add(by).unwrap_or(end));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn its_ends_are_the_ends_of_rfc_3339() {
        assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from_micros(i64::MAX), None);
        assert_eq!(Timestamp::MAX.checked_add(Duration::microseconds(1)), None);
        assert_eq!(Timestamp::MIN.checked_add(Duration::MAX), None);
    }

    #[test]
    fn date_and_time_are_separated_by_a_t() {
        for text in ["2027-02-01T08:00:00Z", "2027-02-01t08:00:00z", "2027-02-01T09:00:00+01:00"] {
            let at = text.parse::<Timestamp>().unwrap();
            assert_eq!(at.to_string(), "2027-02-01T08:00:00Z", "{text}");
        }
        for separator in ["x", "-", " ", "_", "0", "\0", "", "TT", "\u{2003}"] {
            let text = format!("2027-02-01{separator}08:00:00Z");
            assert!(text.parse::<Timestamp>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn converts_by_cutting_below_the_microsecond() {
        let instant = datetime!(1969-12-31 23:59:59.999_999_999 UTC);
        assert_eq!(Timestamp::try_from(instant).unwrap().as_micros(), -1);
        let offset = datetime!(2026-11-22 18:00 +2);
        assert_eq!(Timestamp::try_from(offset).unwrap().to_string(), "2026-11-22T16:00:00Z");
    }
}
