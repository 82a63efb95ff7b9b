//! Promises of the [funnel](invitation_core::funnel) on a store: its counter needs the traits
//! [`Feed`], [`FeedCursors`] and [`Documents`] together.
//!
//! Call [`funnel_conformance!`](crate::funnel_conformance) in a module of its own, beside
//! [`feed_conformance!`](crate::feed_conformance) and
//! [`documents_conformance!`](crate::documents_conformance). Each function tests one promise. It
//! takes a [`FunnelFixture`] with an empty store, and panics if the store breaks the promise.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a test fails")]

mod count;
mod killed;
mod people;
mod races;

use std::{any::Any, fmt, sync::Arc};

use invitation_core::{
    Store,
    documents::Documents,
    feed::{Feed, FeedCursors},
};

use crate::Fixture;

/// An empty store for one test, and the guards that must live as long as the store.
pub struct FunnelFixture {
    fixture: Fixture,
    store: Arc<dyn Source>,
}

impl FunnelFixture {
    /// Creates a fixture from `store`, which must be empty and must not be used elsewhere.
    #[must_use]
    pub fn new(store: impl Store + Feed + FeedCursors + Documents + 'static) -> Self {
        let store = Arc::new(store);
        Self { fixture: Fixture::new(Arc::clone(&store)), store }
    }

    /// Keeps `guard` (a temporary directory, a server's process) alive until the test has
    /// ended.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send) -> Self {
        Self { fixture: self.fixture.keeping(guard), ..self }
    }
}

impl fmt::Debug for FunnelFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunnelFixture").field("store", &self.store).finish_non_exhaustive()
    }
}

/// The ports that a counter needs.
trait Source: Feed + FeedCursors + Documents {}

impl<S: Feed + FeedCursors + Documents> Source for S {}

crate::__funnel_promises!(crate::macros::export_funnel_promises, ());
