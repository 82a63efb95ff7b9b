//! Claiming a cursor, and working from it.

use time::Duration;

use super::{CursorHolder, CursorLease, CursorName, FeedCursor, FeedCursors, FeedPosition};
use crate::{
    store_error::{StoreError, StoreErrorKind},
    time::Timestamp,
};

/// The number of times that a change is tried while other calls change the cursor.
const TRIES: u32 = 8;

/// The result of a [`claim`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a cursor is held by the caller or by another one")]
pub enum Claim<S> {
    /// The caller holds the cursor.
    Granted(ClaimedCursor<S>),
    /// Another process holds the cursor.
    Taken(CursorLease),
}

/// The result of [`ClaimedCursor::advance`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the cursor is still held or not")]
#[must_use]
pub enum Advance {
    /// The cursor stands at the position, and its lease is extended.
    Done,
    /// Another process has claimed the cursor. It processes the same events again.
    TakenOver,
}

/// A cursor that the caller has claimed.
///
/// After the end of the lease, another process may claim the cursor. Until one does, the caller
/// can still advance it.
#[derive(Debug)]
pub struct ClaimedCursor<S> {
    store: S,
    /// The cursor as this claim last knows it. It is never the cursor of another claim.
    cursor: FeedCursor,
    /// The number of this claim.
    claims: u64,
    holder: CursorHolder,
    lease: Duration,
}

/// Claims the cursor of this name for `lease` from `now` on, in two calls of the store.
///
/// The claim succeeds if the cursor is new, was released, or its lease has ended, and for the
/// same holder at any time. Each process therefore needs a holder's name of its own.
///
/// Clocks of machines may differ. A claim that comes too early by that only repeats events,
/// because the earlier holder can no longer advance the cursor.
///
/// ```
/// # use invitation_core as invitation;
/// use std::num::NonZeroU32;
///
/// use invitation::store::feed::{Advance, Claim, CursorHolder, CursorName, Feed, claim};
/// use invitation::{
///     Division, Draft, Invitations, MemoryStore, Role, SystemActor,
///     clock::{Clock, SystemClock},
/// };
/// use time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
/// Invitations::new(&store).create(&SystemActor::for_bootstrap(), draft).await?;
///
/// let (mail, lease) = (CursorName::new("mail")?, Duration::seconds(30));
/// let (first, second) = (CursorHolder::new("host-1:71")?, CursorHolder::new("host-2:19")?);
/// let page = NonZeroU32::new(100).expect("not zero");
///
/// let now = SystemClock.now();
/// let Claim::Granted(mut cursor) = claim(&store, &mail, &first, now, lease).await? else {
///     panic!("no other process works on this cursor")
/// };
/// let events = store.feed(cursor.position(), page).await?.events;
/// assert!(matches!(claim(&store, &mail, &second, now, lease).await?, Claim::Taken(_)));
/// if let Some(last) = events.last() {
///     // … process the events, and then:
///     assert_eq!(cursor.advance(last.position, now).await?, Advance::Done);
/// }
/// cursor.release().await?;
///
/// // Another machine continues behind the processed events.
/// let Claim::Granted(cursor) = claim(&store, &mail, &second, now, lease).await? else {
///     panic!("the cursor was released")
/// };
/// assert!(store.feed(cursor.position(), page).await?.events.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`StoreError`] when the store fails. The same call may be repeated after any error.
pub async fn claim<S: FeedCursors>(
    store: S,
    name: &CursorName,
    holder: &CursorHolder,
    now: Timestamp,
    lease: Duration,
) -> Result<Claim<S>, StoreError> {
    let wanted = || CursorLease { holder: holder.clone(), until: end_of(lease, now) };
    for _ in 0..TRIES {
        let cursor = match store.cursor(name).await? {
            None => FeedCursor::new(name.clone(), wanted(), now),
            Some(stored) => match stored.claimed(wanted(), now) {
                Ok(cursor) => cursor,
                Err(taken) => return Ok(Claim::Taken(taken)),
            },
        };
        if store.replace_cursor(&cursor).await? {
            let (claims, holder) = (cursor.claims, holder.clone());
            return Ok(Claim::Granted(ClaimedCursor { store, cursor, claims, holder, lease }));
        }
    }
    Err(StoreError::new(StoreErrorKind::Conflict, "claim"))
}

/// Moves the cursor of this name forward to a position, and creates it if there is none. It needs
/// no claim, and leaves the lease of one as it is. A position before the present one changes
/// nothing. It takes two calls of the store, or one if nothing changes.
///
/// It is for a consumer that keeps its progress itself, beside its work, and only has to hold
/// events back from a [removal](super::FeedRetention): the sealer of an audit log. Without a
/// position, the cursor holds all events back.
///
/// # Errors
///
/// [`StoreError`] when the store fails. The same call may be repeated after any error.
pub async fn follow<S: FeedCursors>(
    store: S,
    name: &CursorName,
    position: Option<FeedPosition>,
) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        let stored = store.cursor(name).await?;
        let Some(cursor) = FeedCursor::following(stored.as_ref(), name, position) else {
            return Ok(());
        };
        if store.replace_cursor(&cursor).await? {
            return Ok(());
        }
    }
    Err(StoreError::new(StoreErrorKind::Conflict, "follow"))
}

impl<S: FeedCursors> ClaimedCursor<S> {
    /// Returns the position of the last processed event; none before the first.
    #[must_use]
    pub fn position(&self) -> Option<FeedPosition> {
        self.cursor.position
    }

    /// Moves the cursor to the last event that the caller has processed, and extends the lease
    /// to its full length from `now` on. A position before the present one only extends it. It
    /// takes one call of the store.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails. The same call may be repeated after any error.
    pub async fn advance(
        &mut self,
        position: FeedPosition,
        now: Timestamp,
    ) -> Result<Advance, StoreError> {
        let claims = self.claims;
        let until = end_of(self.lease, now);
        let holder = self.holder.clone();
        let lease = CursorLease { holder, until };
        let is_held = self.change(|cursor| cursor.advanced(claims, position, lease.clone()));
        Ok(if is_held.await? { Advance::Done } else { Advance::TakenOver })
    }

    /// Releases the cursor, so that another process can claim it at once. It does nothing if
    /// another process has claimed it already. It takes one call of the store.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails. The lease then ends by itself.
    pub async fn release(mut self) -> Result<(), StoreError> {
        let claims = self.claims;
        self.change(|cursor| cursor.released(claims)).await?;
        Ok(())
    }

    /// Replaces the cursor by its change. Returns `false` if there is no change for this claim.
    async fn change(
        &mut self,
        change: impl Fn(&FeedCursor) -> Option<FeedCursor>,
    ) -> Result<bool, StoreError> {
        for _ in 0..TRIES {
            let Some(changed) = change(&self.cursor) else { return Ok(false) };
            if self.store.replace_cursor(&changed).await? {
                self.cursor = changed;
                return Ok(true);
            }
            // Another process has claimed the cursor, or the answer to an earlier change was lost.
            match self.store.cursor(&self.cursor.name).await? {
                Some(stored) if stored.claims == self.claims => self.cursor = stored,
                // With the cursor of another claim, a later call would change it as its holder.
                _ => return Ok(false),
            }
        }
        Err(StoreError::new(StoreErrorKind::Conflict, "advance"))
    }
}

fn end_of(lease: Duration, now: Timestamp) -> Timestamp {
    now.checked_add(lease).unwrap_or(Timestamp::MAX)
}
