//! Limits of the input that calls accept.

use std::num::NonZeroU32;

use time::Duration;

use crate::{field_error::FieldError, quota::Cap, time::Timestamp};

/// The limits of a service. Limits that the host does not set keep their default.
///
/// The maximum lengths of names, addresses and metadata are constants of their own types.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::Limits;
/// use time::Duration;
///
/// let limits = Limits::default().with_lifetimes(
///     Duration::days(1),  // at least
///     Duration::days(14), // when none is asked for
///     Duration::days(30), // at most
/// )?;
/// assert_eq!(limits.default_lifetime(), Duration::days(14));
/// # Ok::<_, invitation::FieldError>(())
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
    resends_per_actor: NonZeroU32,
    resends_per_address: NonZeroU32,
}

impl Limits {
    /// The maximum number of items on one page of a list.
    pub const MAX_PAGE: u32 = 200;
    /// The maximum length of a revocation's reason, in bytes.
    pub const MAX_REASON: usize = 500;
    /// The maximum length of a search text, in bytes.
    pub const MAX_SEARCH: usize = 200;
    /// The maximum number of calls to the store for one page of a list. A store bounds the
    /// work of each call, so a page may take several. With a bound, no list runs for long
    /// because few items match.
    pub const MAX_LIST_CALLS: u32 = 8;
    /// The number up to which the invitations of each status are counted exactly.
    pub const COUNT_CAP: u32 = 10_000;
    /// The number of invitations up to which a store counts the matches of a search exactly,
    /// because it examines at least this number. If there are more, the counts may be lower bounds.
    pub const COUNT_CANDIDATES: u32 = 10_000;

    /// The maximum duration of a lease.
    pub const MAX_LEASE: Duration = Duration::DAY;
    /// The period of [`with_resends_per_actor`](Self::with_resends_per_actor).
    pub const ACTOR_PERIOD: Duration = Duration::HOUR;
    /// The period of [`with_resends_per_address`](Self::with_resends_per_address).
    pub const ADDRESS_PERIOD: Duration = Duration::DAY;
    /// The maximum of both limits of mails that are sent again.
    pub const MAX_RESENDS: u32 = 1_000;
    /// The minimum age of a purge: invitations that ended more recently are never purged.
    pub const MIN_RETENTION: Duration = Duration::DAY;

    /// Sets the minimum, default and maximum lifetime of an invitation: 1 hour, 7 days,
    /// 365 days by default.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] unless `0 < min <= default <= max`.
    pub fn with_lifetimes(
        self,
        min: Duration,
        default: Duration,
        max: Duration,
    ) -> Result<Self, FieldError> {
        if min.is_positive() && min <= default && default <= max {
            let (min_lifetime, default_lifetime, max_lifetime) = (min, default, max);
            Ok(Self { min_lifetime, default_lifetime, max_lifetime, ..self })
        } else {
            Err(FieldError::new("lifetimes", "must be positive, and minimum <= default <= maximum"))
        }
    }

    /// Sets the maximum number of uses of one code: 100,000 by default.
    #[must_use]
    pub fn with_max_uses(self, max_uses: NonZeroU32) -> Self {
        Self { max_uses, ..self }
    }

    /// Sets the maximum number of invitations that one call may create: 1,000 by default.
    #[must_use]
    pub fn with_batch(self, batch: NonZeroU32) -> Self {
        Self { batch, ..self }
    }

    /// Sets how many refusals and denials of one user or job per minute are written to the audit
    /// trail as single events: 60 by default. Further ones are counted in summary events.
    ///
    /// Actors and redeemers are counted separately, because the user ids of redeemers may
    /// be invented. The number of refused redemptions therefore never keeps an actor's
    /// denial from being recorded. All redeemers together have a hundred times this
    /// limit.
    #[must_use]
    pub fn with_denials_per_minute(self, denials: NonZeroU32) -> Self {
        Self { denials_per_minute: denials, ..self }
    }

    /// Sets how long a reservation holds its use: 10 minutes by default.
    ///
    /// Choose a time long enough for the host to create an account. The shorter the
    /// time, the sooner a use is free again that a crashed host left held.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] unless the duration is positive and at most
    /// [`MAX_LEASE`](Self::MAX_LEASE).
    pub fn with_lease(self, lease: Duration) -> Result<Self, FieldError> {
        if lease.is_positive() && lease <= Self::MAX_LEASE {
            Ok(Self { lease, ..self })
        } else {
            let message = format!("must be positive and at most {}", Self::MAX_LEASE);
            Err(FieldError::new("lease", message))
        }
    }

    /// Sets the maximum number of pending invitations of one inviter: [`Cap::Unlimited`]
    /// by default.
    ///
    /// An invitation is *pending* while it is [active](crate::Status::Active) at the time
    /// of the call. Extending an invitation before it expires keeps it pending and does
    /// not count it again.
    #[must_use]
    pub fn with_pending_per_inviter(self, cap: Cap) -> Self {
        Self { pending_per_inviter: cap, ..self }
    }

    /// Sets the maximum number of pending invitations of one division: [`Cap::Unlimited`]
    /// by default.
    #[must_use]
    pub fn with_pending_per_division(self, cap: Cap) -> Self {
        Self { pending_per_division: cap, ..self }
    }

    /// Sets how many mails one actor may send again within any hour: 60 by default. The system
    /// has no such limit.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] if the number is greater than [`MAX_RESENDS`](Self::MAX_RESENDS).
    pub fn with_resends_per_actor(self, resends: NonZeroU32) -> Result<Self, FieldError> {
        Ok(Self { resends_per_actor: checked_resends("resends_per_actor", resends)?, ..self })
    }

    /// Sets how many mails one address gets within any 24 hours: 5 by default. The holder of a right
    /// must not be able to flood a mailbox, by mails that are sent again or by new invitations.
    ///
    /// A mail beyond it that a user asks for again is refused. The first mail of an invitation and
    /// a reminder are sent as soon as there is room, if the invitation is still active then.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] if the number is greater than [`MAX_RESENDS`](Self::MAX_RESENDS).
    pub fn with_resends_per_address(self, resends: NonZeroU32) -> Result<Self, FieldError> {
        Ok(Self { resends_per_address: checked_resends("resends_per_address", resends)?, ..self })
    }

    /// Returns how long a reservation holds its use.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// Returns the lifetime of an invitation when the call sets none.
    #[must_use]
    pub fn default_lifetime(&self) -> Duration {
        self.default_lifetime
    }

    /// Returns the minimum lifetime of an invitation.
    #[must_use]
    pub fn min_lifetime(&self) -> Duration {
        self.min_lifetime
    }

    /// Returns the maximum lifetime of an invitation.
    #[must_use]
    pub fn max_lifetime(&self) -> Duration {
        self.max_lifetime
    }

    /// Returns the maximum number of uses of one code.
    #[must_use]
    pub fn max_uses(&self) -> NonZeroU32 {
        self.max_uses
    }

    /// Returns the maximum number of invitations that one call may create.
    #[must_use]
    pub fn batch(&self) -> NonZeroU32 {
        self.batch
    }

    pub(crate) fn denials_per_minute(&self) -> u32 {
        self.denials_per_minute.get()
    }

    /// Returns the same limits, but with any lifetime allowed.
    pub(crate) fn of_any_lifetime(self) -> Self {
        Self { min_lifetime: Duration::MIN, max_lifetime: Duration::MAX, ..self }
    }

    pub(crate) fn pending_per_inviter(&self) -> Cap {
        self.pending_per_inviter
    }

    pub(crate) fn pending_per_division(&self) -> Cap {
        self.pending_per_division
    }

    pub(crate) fn resends_per_actor(&self) -> NonZeroU32 {
        self.resends_per_actor
    }

    pub(crate) fn resends_per_address(&self) -> NonZeroU32 {
        self.resends_per_address
    }

    /// Returns the end of a lease that begins at `now`.
    pub(crate) fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.lease).unwrap_or(Timestamp::MAX)
    }

    /// Returns the instant before which an invitation must have ended to be purged at
    /// this age.
    pub(crate) fn purge_before(age: Duration, now: Timestamp) -> Result<Timestamp, FieldError> {
        // The comparison comes first, because negating the most negative duration would
        // overflow.
        let before = if age >= Self::MIN_RETENTION { now.checked_add(-age) } else { None };
        before.ok_or_else(|| {
            FieldError::new("age", format!("must be at least {}", Self::MIN_RETENTION))
        })
    }

    /// Returns the time of expiry for `expiry`, or an error if the lifetime is not
    /// allowed.
    pub(crate) fn expires_at(
        &self,
        expiry: Expiry,
        now: Timestamp,
    ) -> Result<Timestamp, FieldError> {
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
                Err(FieldError::new(field, format!("must be {min} to {max} from now")))
            }
        }
    }

    pub(crate) fn check_batch(&self, field: &'static str, n: NonZeroU32) -> Result<(), FieldError> {
        if n <= self.batch {
            Ok(())
        } else {
            Err(FieldError::new(field, format!("must be 1 to {}", self.batch)))
        }
    }

    pub(crate) fn check_uses(&self, max_uses: NonZeroU32) -> Result<(), FieldError> {
        if max_uses <= self.max_uses {
            Ok(())
        } else {
            Err(FieldError::new("max_uses", format!("must be 1 to {}", self.max_uses)))
        }
    }
}

fn checked_resends(field: &'static str, resends: NonZeroU32) -> Result<NonZeroU32, FieldError> {
    if resends.get() <= Limits::MAX_RESENDS {
        Ok(resends)
    } else {
        Err(FieldError::new(field, format!("must be 1 to {}", Limits::MAX_RESENDS)))
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
            resends_per_actor: NonZeroU32::MIN.saturating_add(59),
            resends_per_address: NonZeroU32::MIN.saturating_add(4),
        }
    }
}

/// The requested expiry of an invitation, which is valid while `now < expires_at`.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Expiry, Timestamp};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let week = Draft::new().expiring(Expiry::InDays(7));
/// let invitation = invitations.create(&manager, week).await?.invitation().clone();
/// let lifetime = invitation.expires_at().as_micros() - invitation.created_at().as_micros();
/// assert_eq!(lifetime, 7 * 24 * 3600 * 1_000_000);
///
/// let past = Draft::new().expiring(Expiry::At(Timestamp::from_micros(0).expect("the epoch")));
/// let refused = invitations.create(&manager, past).await.unwrap_err();
/// assert!(refused.to_string().starts_with("expires_at: "));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub enum Expiry {
    /// After [`Limits::default_lifetime`].
    #[default]
    Default,
    /// At this instant, which is the first one at which the invitation is not valid.
    At(Timestamp),
    /// After this number of periods of 24 hours.
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
