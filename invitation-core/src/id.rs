//! Ids: UUIDs of version 7, made from an injected clock and injected randomness.

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    entropy::{Entropy, EntropyError},
    field_error::FieldError,
    time::Timestamp,
};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        ///
        /// Never use the id as a secret: it can be guessed from its time of creation.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Reads the bytes that a store kept.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Returns the bytes that a store keeps.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = FieldError;

            fn from_str(text: &str) -> Result<Self, FieldError> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| FieldError::new($field, "must be a UUID"))
            }
        }
    };
}

id! {
    /// The public id of an invitation. It neither redeems the invitation nor derives from
    /// the code.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::InvitationId;
    ///
    /// let id: InvitationId = "01890a5d-ac96-774b-bcce-b302099a8057".parse()?;
    /// assert_eq!(InvitationId::from_bytes(*id.as_bytes()), id); // the form that stores keep
    /// assert_eq!(id.to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
    ///
    /// let refused = "42".parse::<InvitationId>().unwrap_err();
    /// assert_eq!(refused.to_string(), "id: must be a UUID");
    /// # Ok::<_, invitation::FieldError>(())
    /// ```
    InvitationId, "id"
}

id! {
    /// The id of an event, and of the operation that the event documents. A store
    /// recognises a resent operation by it. The id of a redemption is that of its event.
    EventId, "event"
}

id! {
    /// The id of a call that created several invitations.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{Criteria, Paging};
    /// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let invitations = Invitations::new(MemoryStore::new());
    /// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
    /// # let manager = Actor::in_division(user, role, Division::new("sales")?);
    /// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?);
    /// let staff = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
    /// let created = invitations.create_many(&admin, vec![staff.clone(), staff]).await?;
    /// invitations.create(&manager, Draft::new()).await?;
    ///
    /// let batch = created[0].invitation().batch().expect("created with others");
    /// let together = Criteria::new().in_batch(batch);
    /// let page = invitations.list(&admin, &together, Paging::default()).await?;
    /// assert_eq!(page.items().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    BatchId, "batch"
}

id! {
    /// The id of a delivery: that of the event that asked for it, or one that is derived from what
    /// was asked for, so that asking again does not deliver twice.
    DeliveryId, "delivery"
}

impl DeliveryId {
    /// Derives the id of what these parts name: the same parts always have the same id.
    ///
    /// The id is a UUID of version 8 (RFC 9562) with the beginning of a SHA-256.
    pub(crate) fn derived(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix(b"invitation delivery");
        for part in parts {
            // With its length before each part, no two lists of parts run together.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// A generator of ids that are unique across processes. The ids of one generator strictly
/// increase, even while the clock stands still or slips back a little.
///
/// Layout (RFC 9562, 6.2, method 2): 48 bits of Unix milliseconds, and 74 bits that are
/// drawn at random for each new millisecond and incremented within it.
#[derive(Debug, Default)]
pub(crate) struct IdSource {
    last: Mutex<Last>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    millis: u64,
    /// The lower 74 bits of the id, drawn at random and then incremented.
    rest: u128,
}

impl IdSource {
    /// Returns `n` ids, in ascending order.
    pub(crate) fn invitations(
        &self,
        n: usize,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Vec<InvitationId>, EntropyError> {
        // The two numbers are consistent even if a thread panicked while it held the
        // lock.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (0..n).map(|_| last.next(now, entropy).map(InvitationId)).collect()
    }

    pub(crate) fn batch(
        &self,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<BatchId, EntropyError> {
        self.next(now, entropy).map(BatchId)
    }

    pub(crate) fn event(
        &self,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<EventId, EntropyError> {
        self.next(now, entropy).map(EventId)
    }

    fn next(&self, now: Timestamp, entropy: &dyn Entropy) -> Result<Uuid, EntropyError> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).next(now, entropy)
    }
}

impl Last {
    fn next(&mut self, now: Timestamp, entropy: &dyn Entropy) -> Result<Uuid, EntropyError> {
        let now = u64::try_from(now.as_micros() / 1_000).unwrap_or(0) & 0xffff_ffff_ffff;
        // A clock more than a second behind was set back on purpose; its time is
        // followed.
        let fresh = now > self.millis || now + 1_000 < self.millis;
        *self = if fresh {
            Self { millis: now, rest: draw(entropy)? }
        } else if self.rest >> 74 == 0 {
            Self { rest: self.rest + 1, ..*self }
        } else {
            Self { millis: self.millis + 1, rest: draw(entropy)? }
        };
        let Self { millis, rest } = *self;
        // 12 bits of the rest follow the version, 62 follow the variant.
        let high = (u128::from(millis) << 80) | ((rest >> 62) & 0xfff) << 64;
        let low = rest & ((1 << 62) - 1);
        Ok(uuid::Builder::from_u128(high | low)
            .with_version(uuid::Version::SortRand)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid())
    }
}

/// Draws 73 random bits. The 74th bit stays zero and leaves room for increments.
fn draw(entropy: &dyn Entropy) -> Result<u128, EntropyError> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes[..10])?;
    Ok(u128::from_le_bytes(bytes) & ((1 << 73) - 1))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::entropy::OsEntropy;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000).unwrap()
    }

    #[test]
    fn are_version_7_and_tell_their_time() {
        let id = IdSource::default().next(at(1_700_000_000_123), &OsEntropy).unwrap();
        assert_eq!(id.get_version(), Some(uuid::Version::SortRand));
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds, nanos), (1_700_000_000, 123_000_000));
    }

    #[test]
    fn increase_while_the_clock_stands_still_or_slips_back() {
        let ids = IdSource::default();
        let mut last = ids.next(at(5_000), &OsEntropy).unwrap();
        for millis in std::iter::repeat_n(5_000, 1_000).chain([4_999, 4_100, 5_000, 5_001]) {
            let next = ids.next(at(millis), &OsEntropy).unwrap();
            assert!(next > last, "{last} then {next}");
            last = next;
        }
    }

    #[test]
    fn follow_a_clock_that_was_set_back() {
        let ids = IdSource::default();
        let later = ids.next(at(50_000), &OsEntropy).unwrap();
        assert!(ids.next(at(10_000), &OsEntropy).unwrap() < later);
    }

    #[test]
    fn of_several_sources_in_the_same_millisecond_differ() {
        let mut seen = HashSet::new();
        for _ in 0..4 {
            let ids = IdSource::default();
            for _ in 0..10_000 {
                assert!(seen.insert(ids.next(at(5_000), &OsEntropy).unwrap()));
            }
        }
    }

    #[test]
    fn need_randomness() {
        #[derive(Debug)]
        struct Broken;
        impl Entropy for Broken {
            fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
                Err(EntropyError::new("no entropy today"))
            }
        }
        assert!(IdSource::default().event(at(1), &Broken).is_err());
    }
}
