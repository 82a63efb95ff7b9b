//! Promises of a store's feed, of its cursors and of the removal of old events: the traits
//! [`Feed`], [`FeedCursors`] and [`FeedRetention`].
//!
//! Call [`feed_conformance!`](crate::feed_conformance) in a module of its own, beside
//! [`conformance!`](crate::conformance). Each function tests one promise. It takes a
//! [`FeedFixture`] with an empty store, and panics if the store breaks the promise.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test fails")]

mod cursors;
mod order;
mod races;
mod reader;
mod retention;

use std::{any::Any, fmt, sync::Arc};

use invitation_core::{
    Action, Event, EventId, EventOutcome, Store, Timestamp,
    audit::{Detail, Performer, RequestContext},
    feed::{Feed, FeedCursors, FeedRetention},
};

use crate::Fixture;

/// An empty store with a feed for one test, and the guards that must live as long as the store.
pub struct FeedFixture {
    fixture: Fixture,
    feed: Arc<dyn Feed>,
    cursors: Arc<dyn FeedCursors>,
    whole: Arc<dyn FeedStore>,
}

/// A store with a feed, cursors and a removal of old events.
trait FeedStore: Store + FeedRetention {}

impl<S: Store + FeedRetention> FeedStore for S {}

impl FeedFixture {
    /// Creates a fixture from `store`, which must be empty and must not be used elsewhere.
    #[must_use]
    pub fn new(store: impl Store + FeedRetention + 'static) -> Self {
        let store = Arc::new(store);
        let (feed, cursors, whole) = (Arc::clone(&store), Arc::clone(&store), Arc::clone(&store));
        Self { fixture: Fixture::new(store), feed, cursors, whole }
    }

    /// Keeps `guard` (a temporary directory, a server's process) alive until the test has
    /// ended.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send) -> Self {
        Self { fixture: self.fixture.keeping(guard), ..self }
    }

    fn store(&self) -> Arc<dyn Store> {
        self.fixture.store()
    }
}

impl fmt::Debug for FeedFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedFixture").field("feed", &self.feed).finish_non_exhaustive()
    }
}

/// Returns an event of the system without any optional field, for tests of a feed beside these
/// promises.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use invitation::{Timestamp, audit::EventId, testing::feed::system_event};
///
/// let event = system_event(EventId::from_bytes([7; 16]), Timestamp::MIN);
/// assert_eq!((event.at, event.performer.user()), (Timestamp::MIN, None));
/// ```
#[must_use]
pub fn system_event(id: EventId, at: Timestamp) -> Event {
    Event {
        id,
        at,
        performer: Performer::System { name: None },
        action: Action::View,
        outcome: EventOutcome::Succeeded,
        reason: None,
        invitation: None,
        division: None,
        context: RequestContext::default(),
        detail: Detail::none(),
    }
}

crate::__feed_promises!(crate::macros::export_feed_promises, ());
