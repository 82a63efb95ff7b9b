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

use async_trait::async_trait;
use invitation_core::{
    Event, PageRequest, Scope, Store, StoreError, StorePage, Timestamp,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState, Documents,
    },
    feed::{CursorName, Feed, FeedCursor, FeedCursors, FeedPage, FeedPosition},
};

use crate::Fixture;

/// An empty store for one test, and the guards that must live as long as the store.
pub struct FunnelFixture {
    fixture: Fixture,
    store: Source,
}

impl FunnelFixture {
    /// Creates a fixture from `store`, which must be empty and must not be used elsewhere.
    #[must_use]
    pub fn new(store: impl Store + Feed + FeedCursors + Documents + 'static) -> Self {
        let store = Arc::new(store);
        let (feed, cursors, documents) =
            (Arc::clone(&store), Arc::clone(&store), Arc::clone(&store));
        let source = Source { feed, cursors, documents };
        Self { fixture: Fixture::new(store), store: source }
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

/// The three ports that a counter needs, of one store.
#[derive(Clone, Debug)]
struct Source {
    feed: Arc<dyn Feed>,
    cursors: Arc<dyn FeedCursors>,
    documents: Arc<dyn Documents>,
}

#[async_trait]
impl Feed for Source {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: std::num::NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        self.feed.feed(after, limit).await
    }
}

#[async_trait]
impl FeedCursors for Source {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
        self.cursors.cursor(name).await
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
        self.cursors.replace_cursor(cursor).await
    }
}

#[async_trait]
impl Documents for Source {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        self.documents.document(key).await
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError> {
        self.documents.add_documents(documents).await
    }

    async fn replace_documents(
        &self,
        documents: &[Document],
        events: &[Event],
    ) -> Result<bool, StoreError> {
        self.documents.replace_documents(documents, events).await
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: std::num::NonZeroU32,
    ) -> Result<Vec<Document>, StoreError> {
        self.documents.due_documents(kind, now, limit).await
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError> {
        self.documents.list_documents(scope, filter, page).await
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: std::num::NonZeroU32,
    ) -> Result<u32, StoreError> {
        self.documents.remove_documents(kind, state, before, limit).await
    }
}

crate::__funnel_promises!(crate::macros::export_funnel_promises, ());
