//! The feed: all events of a store in one total order, each with a position.
//!
//! A consumer reads the feed page by page and remembers the last position that it has
//! processed. It then misses no event, because a store never adds one at or before a
//! position that it has handed out.
//!
//! ```
//! # use invitation_core as invitation;
//! use std::num::NonZeroU32;
//!
//! use invitation::store::feed::Feed;
//! use invitation::{Division, Draft, Invitations, MemoryStore, Role, SystemActor};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let invitations = Invitations::new(&store);
//! for _ in 0..3 {
//!     let draft = Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
//!     invitations.create(&SystemActor::for_bootstrap(), draft).await?;
//! }
//!
//! let two = NonZeroU32::new(2).expect("not zero");
//! let mut last = None;
//! let mut processed = Vec::new();
//! loop {
//!     let page = store.feed(last, two).await?;
//!     for one in page.events {
//!         assert!(last < Some(one.position), "positions increase");
//!         last = Some(one.position);
//!         processed.push(one.event.id);
//!     }
//!     if !page.more {
//!         break;
//!     }
//! }
//! assert_eq!(processed.len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! - **The port**: [`Feed`]. Its page states the requirements on a store.
//! - **What it returns**: a [`FeedPage`] of [`FeedEvent`]s, each at a [`FeedPosition`].
//! - **Lost writes**: a store whose server may have lost acknowledged writes begins a new
//!   [`FeedEpoch`]. A consumer sees the discontinuity in the page.
//! - **Several consumers of one kind**: [`claim`] takes a durable named cursor for a time, so
//!   that machines share the work, and another one continues after a crash. The port of a store
//!   is [`FeedCursors`].
//! - **Old events**: [`FeedRetention`] removes them.
//!
//! The feed has the events of all divisions. It is for the host's own code, and asks no
//! [`Policy`](crate::Policy).
//!
//! # Delivery at least once
//!
//! A consumer processes a page, and advances its cursor afterwards. After a crash in between,
//! the next holder gets the same page again. So every event is processed at least once, and the
//! consumer recognises a repeated event by its [id](crate::audit::Event::id).
//!
//! # The order in each store
//!
//! | Store | Order |
//! |---|---|
//! | memory, SQLite, Redis | the order of writing, because one call writes at a time |
//! | PostgreSQL | by transaction; an event is in the feed once all transactions that write and began earlier have ended |
//! | MySQL, MariaDB, Galera | by the call of `feed` that first finds the event committed, and then by its id |
//!
//! The pages of the stores state what a failover or a restored backup means for the feed.
//!
//! # Retention
//!
//! A [`Purge`](crate::Purge) removes invitations and keeps their events.
//! [`Invitations::purge_events`](crate::Invitations::purge_events) removes events, oldest first:
//!
//! - It removes a prefix of the positions, at most one page a call. The other events keep
//!   their positions.
//! - Each removed event is at least a day old, and older than the caller asked for.
//! - No removal goes beyond the slowest durable cursor, so a cursor is never overtaken, however
//!   far it is behind. A consumer that keeps its position elsewhere is not protected, unless it
//!   also [sets a cursor](follow), as the sealer of an audit log and each endpoint of webhooks do.
//! - A cursor without a consumer holds back all later removals.
//!   [`FeedRetention::remove_cursor`] removes it, which is a decision of the host.
//! - Each removal leaves one event, which a verification of the audit log reads: see
//!   [`RemovedEvents`].
//!
//! The port of a store is [`FeedRetention`].

mod claim;
mod cursor;
pub(crate) mod retention;

use std::{cmp::Ordering, fmt, num::NonZeroU32, str::FromStr, sync::Arc};

use async_trait::async_trait;

pub use self::{
    claim::{Advance, Claim, ClaimedCursor, claim, follow},
    cursor::{CursorLease, FeedCursor, FeedCursors},
    retention::{EventRemoval, EventsRemoved, FeedRetention, RemovedEvents},
};
use crate::{event::Event, field_error::FieldError, store_error::StoreError};
pub use crate::{
    service::PurgedEvents,
    text::{CursorHolder, CursorName},
};

/// The position of an event in the feed of one store. Positions are ordered by epoch, then
/// transaction, then sequence; they increase, but have gaps.
///
/// Each part is at most 2⁶³ − 1, so that a signed column holds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct FeedPosition {
    /// The number of the [epoch](FeedEpoch).
    pub epoch: u64,
    /// The number of the transaction that wrote the event, if the store orders events by
    /// transactions first; otherwise 0.
    pub transaction: u64,
    /// The number of the event within the transaction, or within the epoch if `transaction`
    /// is 0.
    pub sequence: u64,
}

impl FeedPosition {
    /// The length of [`to_bytes`](Self::to_bytes).
    pub const BYTES: usize = 24;

    /// Returns the position as bytes, whose order is that of positions.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (part, place) in
            [self.epoch, self.transaction, self.sequence].iter().zip(bytes.chunks_exact_mut(8))
        {
            place.copy_from_slice(&part.to_be_bytes());
        }
        bytes
    }

    /// Returns the sequence up to which a consumer at this position has the events of an epoch and
    /// a transaction: 0 if it has none of them, [`u64::MAX`] if it has all.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::store::feed::FeedPosition;
    ///
    /// let position = FeedPosition { epoch: 2, transaction: 0, sequence: 9 };
    /// assert_eq!(position.sequence_within(1, 0), u64::MAX);
    /// assert_eq!(position.sequence_within(2, 0), 9);
    /// assert_eq!(position.sequence_within(3, 0), 0);
    /// ```
    #[must_use]
    pub fn sequence_within(self, epoch: u64, transaction: u64) -> u64 {
        match (self.epoch, self.transaction).cmp(&(epoch, transaction)) {
            Ordering::Less => 0,
            Ordering::Equal => self.sequence,
            Ordering::Greater => u64::MAX,
        }
    }

    /// Returns the position of bytes that [`to_bytes`](Self::to_bytes) returned.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::store::feed::FeedPosition;
    ///
    /// let position = FeedPosition { epoch: 1, transaction: 4_711, sequence: 3 };
    /// assert_eq!(FeedPosition::from_bytes(position.to_bytes()), position);
    /// let later = FeedPosition { transaction: 70_000, sequence: 1, ..position };
    /// assert!(position < later && position.to_bytes() < later.to_bytes());
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let part = |n: usize| {
            let from = n * 8;
            bytes[from..from + 8].iter().fold(0, |part, byte| part << 8 | u64::from(*byte))
        };
        Self { epoch: part(0), transaction: part(1), sequence: part(2) }
    }
}

impl fmt::Display for FeedPosition {
    /// Writes the three numbers with full stops between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.epoch, self.transaction, self.sequence)
    }
}

impl FromStr for FeedPosition {
    type Err = FieldError;

    /// Reads the text that [`Display`](fmt::Display) writes.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::store::feed::FeedPosition;
    ///
    /// let position = FeedPosition { epoch: 1, transaction: 4_711, sequence: 3 };
    /// assert_eq!("1.4711.3".parse(), Ok(position));
    /// assert_eq!(position.to_string(), "1.4711.3");
    /// assert!("1.4711".parse::<FeedPosition>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        match [(); 4].map(|()| parts.next()) {
            [Some(Some(epoch)), Some(Some(transaction)), Some(Some(sequence)), None] => {
                Ok(Self { epoch, transaction, sequence })
            }
            _ => Err(FieldError::new("position", "must be three numbers with full stops between")),
        }
    }
}

/// A period in which a store lost no event that it had handed out.
///
/// A new epoch begins when the server may have lost acknowledged writes, for example after
/// the promotion of a Redis replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct FeedEpoch {
    /// The number of the epoch, from 1 on. It increases, but may have gaps.
    pub number: u64,
    /// The last position of the earlier epochs; none if they have no event.
    ///
    /// Events that were handed out at later positions of the earlier epochs may be lost. Those
    /// that are not lost appear again in this epoch, at other positions.
    pub follows: Option<FeedPosition>,
}

impl FeedEpoch {
    /// The first epoch of a store.
    pub const FIRST: Self = Self { number: 1, follows: None };
}

/// An event at its position in the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct FeedEvent {
    /// The position of the event.
    pub position: FeedPosition,
    /// The event at this position.
    pub event: Event,
}

/// One page of the feed, oldest events first.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct FeedPage {
    /// The epoch of all events of the page; in a page without events, the latest epoch.
    ///
    /// If it is later than the epoch of the consumer's last position, the feed has a
    /// discontinuity between that position and this page.
    pub epoch: FeedEpoch,
    /// The events, in the order of their positions. They are at most as many as were asked for,
    /// and at most [`MAX_EVENTS`](Self::MAX_EVENTS).
    pub events: Vec<FeedEvent>,
    /// Whether the next page may have events already. If false, the consumer has reached
    /// the end for the moment.
    pub more: bool,
}

impl FeedPage {
    /// The maximum number of events of a page, whatever the caller asks for.
    pub const MAX_EVENTS: u32 = 1_000;

    /// Returns the number of events that a store reads for a page: one more than the page holds,
    /// to find out whether there is more.
    #[must_use]
    pub fn one_more(limit: NonZeroU32) -> u32 {
        limit.get().min(Self::MAX_EVENTS) + 1
    }

    /// Creates a page from the next events, at most [`one_more`](Self::one_more).
    #[must_use]
    pub fn from_one_more(epoch: FeedEpoch, mut events: Vec<FeedEvent>, limit: NonZeroU32) -> Self {
        let limit = usize::try_from(Self::one_more(limit) - 1).unwrap_or(usize::MAX);
        let more = events.len() > limit;
        events.truncate(limit);
        Self { epoch, events, more }
    }
}

/// The events of a store in one total order.
///
/// # For implementors
///
/// The feed consists of the events that the store keeps anyway. It has no rows of its own
/// that could be lost or doubled.
///
/// - Every event of a call that has succeeded MUST appear at exactly one position, once all
///   transactions have ended that were open when the call returned.
/// - An event MUST NOT appear at or before a position that any caller has received. An id or
///   an auto-increment that the database assigns before the commit is not a position: a
///   transaction that commits later may have a smaller one.
/// - The position and the content of an event MUST stay the same, except for what an
///   [erasure](crate::erasure) removes. If the server may have
///   lost acknowledged writes, the store MUST begin a new [`FeedEpoch`] before it returns
///   events that were written afterwards.
/// - Events of a transaction that is rolled back MUST NOT appear.
/// - A call MUST NOT wait for open transactions; it returns what stands before them.
/// - `feed` SHOULD take one round trip, and MUST NOT slow down the calls that write.
///
/// The requirements on every call of [`Store`](crate::Store) hold here too.
#[async_trait]
pub trait Feed: fmt::Debug + Send + Sync {
    /// Returns the events behind a position, or from the first event on, oldest first.
    ///
    /// All events of a page belong to one epoch. A page may be short or empty with
    /// [`more`](FeedPage::more) set, because the work for one page is bounded; repeated
    /// calls make progress.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError>;
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        impl<F: Feed + ?Sized> Feed for $type {
            async fn feed(
                &self,
                after: Option<FeedPosition>,
                limit: NonZeroU32,
            ) -> Result<FeedPage, StoreError> {
                (**self).feed(after, limit).await
            }
        }
    };
}

forward!(&F);
forward!(Box<F>);
forward!(Arc<F>);
