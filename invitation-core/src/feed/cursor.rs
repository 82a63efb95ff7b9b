//! Durable cursors: how far the consumers of one name have come, and who works from there.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::FeedPosition;
use crate::{
    store_error::StoreError,
    text::{CursorHolder, CursorName},
    time::Timestamp,
};

/// A named position in the feed that a store keeps, and the lease on it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct FeedCursor {
    /// The name, which the consumers of one kind share.
    pub name: CursorName,
    /// The position of the last processed event; none before the first.
    pub position: Option<FeedPosition>,
    /// The lease of the process that may advance the cursor; none if it was released.
    pub lease: Option<CursorLease>,
    /// The number of the latest claim, greater than those before; 0 before the first. It serves as
    /// the fence: a holder may change the cursor only while the number is that of its own claim.
    ///
    /// It begins with the time of the claim, in microseconds. So a cursor that was removed and
    /// claimed anew has another number than its former holder knows.
    pub claims: u64,
    /// The number of changes, from 1 on.
    pub version: u64,
}

/// The lease on a cursor.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct CursorLease {
    /// The process that holds the cursor.
    pub holder: CursorHolder,
    /// The end of the lease. From then on, another holder may claim the cursor.
    pub until: Timestamp,
}

impl FeedCursor {
    /// Returns whether a store that has `stored` under this name may replace it by this cursor:
    /// its version follows the stored one, and no claim behind its own is stored. This is the
    /// specification of [`FeedCursors::replace_cursor`].
    #[must_use]
    pub fn replaces(&self, stored: Option<&Self>) -> bool {
        let (version, claims) = stored.map_or((0, 0), |stored| (stored.version, stored.claims));
        version.checked_add(1) == Some(self.version) && claims <= self.claims
    }

    /// Returns a cursor that was claimed for the first time.
    pub(super) fn new(name: CursorName, lease: CursorLease, now: Timestamp) -> Self {
        let claims = number_of_claim(0, now);
        Self { name, position: None, lease: Some(lease), claims, version: 1 }
    }

    /// Returns the cursor of a consumer that has come to a position and claims nothing; none if it
    /// is there already.
    pub(super) fn following(
        stored: Option<&Self>,
        name: &CursorName,
        position: Option<FeedPosition>,
    ) -> Option<Self> {
        match stored {
            None => Some(Self { name: name.clone(), position, lease: None, claims: 0, version: 1 }),
            Some(stored) => {
                (stored.position < position).then(|| Self { position, ..stored.next() })
            }
        }
    }

    /// Returns the cursor after a claim, or the lease that forbids it.
    ///
    /// A lease ends at its last instant. A process that claims again under its own name, for
    /// instance after a restart, does not wait for the end.
    pub(super) fn claimed(&self, lease: CursorLease, now: Timestamp) -> Result<Self, CursorLease> {
        match &self.lease {
            Some(other) if other.holder != lease.holder && now < other.until => Err(other.clone()),
            _ => {
                let claims = number_of_claim(self.claims, now);
                Ok(Self { lease: Some(lease), claims, ..self.next() })
            }
        }
    }

    /// Returns the cursor at a later position, for the holder of this claim. None if another
    /// claim has followed. A cursor never moves back.
    pub(super) fn advanced(
        &self,
        claims: u64,
        position: FeedPosition,
        lease: CursorLease,
    ) -> Option<Self> {
        (self.claims == claims).then(|| {
            let position = self.position.max(Some(position));
            Self { position, lease: Some(lease), ..self.next() }
        })
    }

    /// Returns the cursor without a lease, for the holder of this claim.
    pub(super) fn released(&self, claims: u64) -> Option<Self> {
        let is_held = self.claims == claims && self.lease.is_some();
        is_held.then(|| Self { lease: None, ..self.next() })
    }

    fn next(&self) -> Self {
        Self { version: self.version.saturating_add(1), ..self.clone() }
    }
}

/// Returns the number of a claim at `now` that follows the claim of the number `before`.
fn number_of_claim(before: u64, now: Timestamp) -> u64 {
    before.saturating_add(1).max(u64::try_from(now.as_micros()).unwrap_or(0))
}

/// The durable cursors of a store.
///
/// # For implementors
///
/// A store keeps one [`FeedCursor`] for each name, unchanged, and compares names byte for byte.
/// The functions that change a cursor, such as [`claim`](super::claim), decide and then replace
/// it.
#[async_trait]
pub trait FeedCursors: fmt::Debug + Send + Sync {
    /// Returns the cursor of this name, as the last replacement left it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError>;

    /// Stores a cursor in place of the one with the version before, unless that has a later claim,
    /// and returns whether it did.
    ///
    /// A store MUST compare and write in one atomic step, as [`FeedCursor::replaces`] specifies:
    /// of several replacements of one version, exactly one returns `true`. Otherwise it MUST
    /// leave the stored cursor as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError>;
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        impl<C: FeedCursors + ?Sized> FeedCursors for $type {
            async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
                (**self).cursor(name).await
            }

            async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
                (**self).replace_cursor(cursor).await
            }
        }
    };
}

forward!(&C);
forward!(Box<C>);
forward!(Arc<C>);

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: &str, until: i64) -> CursorLease {
        let holder = CursorHolder::new(holder).unwrap();
        CursorLease { holder, until: Timestamp::from_micros(until).unwrap() }
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn held_by_a() -> FeedCursor {
        FeedCursor::new(CursorName::new("mail").unwrap(), lease("a", 100), at(1))
    }

    #[test]
    fn claim_during_the_lease_of_another_holder_is_refused_until_its_end() {
        let cursor = held_by_a();
        assert_eq!(cursor.claimed(lease("b", 300), at(99)), Err(lease("a", 100)));
        let taken = cursor.claimed(lease("b", 300), at(100)).unwrap();
        assert_eq!((taken.claims, taken.version, &taken.lease), (100, 2, &Some(lease("b", 300))));
        let back = taken.claimed(lease("b", 300), at(7)).unwrap();
        assert_eq!((back.claims, back.version), (101, 3), "although the clock went back");
        assert!(cursor.claimed(lease("a", 300), at(99)).is_ok(), "the holder itself");
        let free = cursor.released(1).unwrap();
        assert!(free.claimed(lease("b", 300), at(0)).is_ok(), "released");
    }

    #[test]
    fn only_the_latest_claim_moves_the_cursor_and_only_forward() {
        let position = |sequence| FeedPosition { epoch: 1, transaction: 0, sequence };
        let cursor = held_by_a().advanced(1, position(5), lease("a", 200)).unwrap();
        assert_eq!(cursor.position, Some(position(5)));
        let back = cursor.advanced(1, position(3), lease("a", 200)).unwrap();
        assert_eq!((back.position, back.version), (Some(position(5)), 3));
        let taken = cursor.claimed(lease("b", 300), at(250)).unwrap();
        assert_eq!(taken.position, Some(position(5)));
        assert_eq!(taken.advanced(1, position(9), lease("a", 400)), None);
        assert_eq!(taken.released(1), None);
        assert!(taken.advanced(taken.claims, position(9), lease("b", 400)).is_some());
    }

    #[test]
    fn following_cursor_moves_forward_only_and_keeps_the_lease() {
        let at = |sequence| Some(FeedPosition { epoch: 1, transaction: 0, sequence });
        let held = held_by_a();
        let following = |stored: Option<&FeedCursor>, position| {
            FeedCursor::following(stored, &held.name, position)
        };
        let new = following(None, None).unwrap();
        assert_eq!((new.position, new.claims, new.version), (None, 0, 1));
        let moved = following(Some(&held), at(5)).unwrap();
        assert_eq!((moved.position, moved.version, &moved.lease), (at(5), 2, &held.lease));
        for position in [None, at(4), at(5)] {
            assert_eq!(following(Some(&moved), position), None, "{position:?}");
        }
    }

    #[test]
    fn replacement_needs_the_version_before_and_no_later_claim() {
        let (name, now) = (CursorName::new("mail").unwrap(), at(150));
        let anew = FeedCursor::new(name, lease("b", 200), now);
        let late = held_by_a().released(1).unwrap();
        assert!(!late.replaces(Some(&anew)), "the cursor was removed and claimed anew");
        let first = held_by_a();
        let second = first.released(1).unwrap();
        assert!(first.replaces(None) && second.replaces(Some(&first)));
        assert!(!second.replaces(None) && !first.replaces(Some(&first)));
        assert!(!second.replaces(Some(&second)));
    }
}
