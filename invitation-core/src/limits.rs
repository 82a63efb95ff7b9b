//! The bounds of what may be asked for.

use std::num::NonZeroU32;

use time::Duration;

use crate::{invalid::Invalid, quota::Cap, time::Timestamp};

/// The bounds of what one call may ask for. What a host does not set stays at
/// its default.
///
/// The lengths of names, addresses and metadata are bounds of their own types.
///
/// ```
/// use invitation_core::Limits;
/// use time::Duration;
///
/// let limits = Limits::default().with_lifetimes(
///     Duration::days(1),  // at least
///     Duration::days(14), // when none is asked for
///     Duration::days(30), // at most
/// )?;
/// assert_eq!(limits.default_lifetime(), Duration::days(14));
/// # Ok::<_, invitation_core::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    min_lifetime: Duration,
    default_lifetime: Duration,
    max_lifetime: Duration,
    max_uses: NonZeroU32,
    batch: NonZeroU32,
    denials_per_minute: NonZeroU32,
    lease: Duration,
    pending_per_inviter: Cap,
    pending_per_division: Cap,
}

impl Limits {
    /// The most items that one page of a list has.
    pub const MAX_PAGE: u32 = 200;
    /// The longest reason of a revocation, in bytes.
    pub const MAX_REASON: usize = 500;
    /// The longest search, in bytes.
    pub const MAX_SEARCH: usize = 200;
    /// Up to which number each status is counted exactly.
    pub const COUNT_CAP: u32 = 10_000;

    /// The longest that a reservation holds its use.
    pub const MAX_LEASE: Duration = Duration::DAY;
    /// What has been over for less long is not purged.
    pub const MIN_RETENTION: Duration = Duration::DAY;

    /// Bounds how long an invitation may be valid: 1 hour, 7 days, 365 days by
    /// default.
    ///
    /// # Errors
    ///
    /// [`Invalid`] unless `0 < min <= default <= max`.
    pub fn with_lifetimes(
        self,
        min: Duration,
        default: Duration,
        max: Duration,
    ) -> Result<Self, Invalid> {
        if min.is_positive() && min <= default && default <= max {
            let (min_lifetime, default_lifetime, max_lifetime) = (min, default, max);
            Ok(Self { min_lifetime, default_lifetime, max_lifetime, ..self })
        } else {
            Err(Invalid::new("lifetimes", "must be positive, and minimum <= default <= maximum"))
        }
    }

    /// Bounds how often one code may be redeemed: 100,000 by default.
    #[must_use]
    pub fn with_max_uses(self, max_uses: NonZeroU32) -> Self {
        Self { max_uses, ..self }
    }

    /// Bounds how many invitations one call may create: 1,000 by default.
    #[must_use]
    pub fn with_batch(self, batch: NonZeroU32) -> Self {
        Self { batch, ..self }
    }

    /// Bounds how many refusals and denials of one user are written to the
    /// audit trail one by one in a minute: 60 by default. Those beyond are
    /// counted in summary events.
    ///
    /// Actors are counted apart from redeemers, whose user ids may be invented:
    /// whatever redeemers do, an actor's denial is recorded. All redeemers together
    /// have a hundred times this bound.
    #[must_use]
    pub fn with_denials_per_minute(self, denials: NonZeroU32) -> Self {
        Self { denials_per_minute: denials, ..self }
    }

    /// Sets how long a reservation holds its use: 10 minutes by default. Long enough
    /// for the host to create an account, short enough that a use that a crash left
    /// held is soon free again.
    ///
    /// # Errors
    ///
    /// [`Invalid`] unless it is positive and at most
    /// [`MAX_LEASE`](Self::MAX_LEASE).
    pub fn with_lease(self, lease: Duration) -> Result<Self, Invalid> {
        if lease.is_positive() && lease <= Self::MAX_LEASE {
            Ok(Self { lease, ..self })
        } else {
            let message = format!("must be positive and at most {}", Self::MAX_LEASE);
            Err(Invalid::new("lease", message))
        }
    }

    /// Bounds how many pending invitations one inviter may have:
    /// [`Cap::Unlimited`] by default. *Pending* is what is
    /// [active](crate::Status::Active) at the time of the call. An invitation that is
    /// extended just before it expires stays pending, and is not counted anew.
    #[must_use]
    pub fn with_pending_per_inviter(self, cap: Cap) -> Self {
        Self { pending_per_inviter: cap, ..self }
    }

    /// Bounds how many pending invitations one division may have:
    /// [`Cap::Unlimited`] by default.
    #[must_use]
    pub fn with_pending_per_division(self, cap: Cap) -> Self {
        Self { pending_per_division: cap, ..self }
    }

    /// How long a reservation holds its use.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// How long an invitation is valid when the call does not say.
    #[must_use]
    pub fn default_lifetime(&self) -> Duration {
        self.default_lifetime
    }

    /// How often a code may be redeemed at most.
    #[must_use]
    pub fn max_uses(&self) -> NonZeroU32 {
        self.max_uses
    }

    /// How many invitations one call may create.
    #[must_use]
    pub fn batch(&self) -> NonZeroU32 {
        self.batch
    }

    pub(crate) fn denials_per_minute(&self) -> u32 {
        self.denials_per_minute.get()
    }

    /// The same, but for how long an invitation may be valid.
    pub(crate) fn of_any_lifetime(self) -> Self {
        Self { min_lifetime: Duration::MIN, max_lifetime: Duration::MAX, ..self }
    }

    pub(crate) fn pending_per_inviter(&self) -> Cap {
        self.pending_per_inviter
    }

    pub(crate) fn pending_per_division(&self) -> Cap {
        self.pending_per_division
    }

    /// When a lease ends that begins now.
    pub(crate) fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.lease).unwrap_or(Timestamp::MAX)
    }

    /// Before when something must have been over to be purged at that age.
    pub(crate) fn purge_before(age: Duration, now: Timestamp) -> Result<Timestamp, Invalid> {
        // Only what is not negative can be turned around whatever its size.
        let before = if age >= Self::MIN_RETENTION { now.checked_add(-age) } else { None };
        before
            .ok_or_else(|| Invalid::new("age", format!("must be at least {}", Self::MIN_RETENTION)))
    }

    /// When an invitation expires that is to be valid as `expiry` says.
    pub(crate) fn expires_at(&self, expiry: Expiry, now: Timestamp) -> Result<Timestamp, Invalid> {
        let (field, at) = match expiry {
            Expiry::Default => ("expires_at", now.checked_add(self.default_lifetime)),
            Expiry::At(at) => ("expires_at", Some(at)),
            Expiry::InDays(days) => {
                ("expires_in_days", now.checked_add(Duration::days(i64::from(days))))
            }
        };
        let lifetime = at.map(|at| (at, at.since(now)));
        match lifetime {
            Some((at, lifetime)) if (self.min_lifetime..=self.max_lifetime).contains(&lifetime) => {
                Ok(at)
            }
            _ => {
                let (min, max) = (self.min_lifetime, self.max_lifetime);
                Err(Invalid::new(field, format!("must be {min} to {max} from now")))
            }
        }
    }

    pub(crate) fn check_batch(&self, field: &'static str, n: NonZeroU32) -> Result<(), Invalid> {
        if n <= self.batch {
            Ok(())
        } else {
            Err(Invalid::new(field, format!("must be 1 to {}", self.batch)))
        }
    }

    pub(crate) fn check_uses(&self, max_uses: NonZeroU32) -> Result<(), Invalid> {
        if max_uses <= self.max_uses {
            Ok(())
        } else {
            Err(Invalid::new("max_uses", format!("must be 1 to {}", self.max_uses)))
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_lifetime: Duration::hours(1),
            default_lifetime: Duration::days(7),
            max_lifetime: Duration::days(365),
            max_uses: NonZeroU32::MIN.saturating_add(99_999),
            batch: NonZeroU32::MIN.saturating_add(999),
            denials_per_minute: NonZeroU32::MIN.saturating_add(59),
            lease: Duration::minutes(10),
            pending_per_inviter: Cap::Unlimited,
            pending_per_division: Cap::Unlimited,
        }
    }
}

/// Until when an invitation is to be valid: always `now < expires_at`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub enum Expiry {
    /// As long as [`Limits::default_lifetime`] says.
    #[default]
    Default,
    /// Until just before this instant.
    At(Timestamp),
    /// This many times 24 hours.
    InDays(u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000).unwrap()
    }

    #[test]
    fn lifetimes_are_bounded_to_the_microsecond() {
        let limits = Limits::default();
        let at =
            |by: Duration| limits.expires_at(Expiry::At(now().checked_add(by).unwrap()), now());
        let tick = Duration::microseconds(1);
        assert!(at(Duration::hours(1)).is_ok());
        assert!(at(Duration::hours(1) - tick).is_err());
        assert!(at(Duration::days(365)).is_ok());
        assert!(at(Duration::days(365) + tick).is_err());
        assert!(at(-tick).is_err());
    }

    #[test]
    fn days_and_default_count_from_now() {
        let limits = Limits::default();
        let week = now().checked_add(Duration::days(7)).unwrap();
        assert_eq!(limits.expires_at(Expiry::Default, now()).unwrap(), week);
        assert_eq!(limits.expires_at(Expiry::InDays(7), now()).unwrap(), week);
        for days in [0, 366, u32::MAX] {
            let refused = limits.expires_at(Expiry::InDays(days), now()).unwrap_err();
            assert_eq!(refused.field(), "expires_in_days");
        }
    }

    #[test]
    fn lifetimes_must_be_in_order() {
        let (hour, day) = (Duration::HOUR, Duration::DAY);
        assert!(Limits::default().with_lifetimes(hour, hour, day).is_ok());
        for (min, default, max) in [(day, hour, day), (hour, day, hour), (-hour, hour, day)] {
            assert!(Limits::default().with_lifetimes(min, default, max).is_err());
        }
    }
}
