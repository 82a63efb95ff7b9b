//! A feed that promises more events and has none yet.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    MemoryStore, StoreError, Timestamp,
    audit::Event,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState,
        Documents, RemovalEvidence,
    },
    feed::{
        CursorName, EventRemoval, EventsRemoved, Feed, FeedCursor, FeedCursors, FeedPage,
        FeedPosition, FeedRetention,
    },
    store::{PageRequest, Scope, StorePage},
};
use invitation_delivery::webhook::Webhooks;

use super::fixture::{Fixture, Receiver, endpoint, transport};

type Result<T> = std::result::Result<T, StoreError>;

/// A store whose every page promises more, as while a transaction of the database is open.
#[derive(Debug)]
struct Promising {
    store: Arc<MemoryStore>,
    pages: AtomicU32,
}

#[tokio::test(flavor = "multi_thread")]
async fn feed_that_promises_more_without_events_ends_the_turn_of_an_endpoint() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    receiver.start(&secret);
    fixture.events().await;
    let store = Promising { store: Arc::clone(&fixture.store), pages: AtomicU32::new(0) };
    let webhooks = Webhooks::new(store, &transport()).unwrap();
    let webhooks = webhooks.with_clock(fixture.clock.clone());
    let run = webhooks.run().await.unwrap();
    assert_eq!((run.delivered, run.is_more), (2, true));
    let run = webhooks.run().await.unwrap();
    assert_eq!((run.delivered, run.is_more), (0, true));
    fixture.events().await;
    assert_eq!(webhooks.run().await.unwrap().delivered, 2, "the endpoint is free");
    assert_eq!(receiver.accepted(), fixture.feed().await);
}

#[async_trait]
impl Feed for Promising {
    async fn feed(&self, after: Option<FeedPosition>, limit: NonZeroU32) -> Result<FeedPage> {
        assert!(self.pages.fetch_add(1, Ordering::Relaxed) < 100, "the worker asks without end");
        Ok(FeedPage { more: true, ..self.store.feed(after, limit).await? })
    }
}

#[async_trait]
impl FeedCursors for Promising {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>> {
        self.store.cursor(name).await
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool> {
        self.store.replace_cursor(cursor).await
    }
}

#[async_trait]
impl FeedRetention for Promising {
    async fn cursors(&self) -> Result<Vec<FeedCursor>> {
        self.store.cursors().await
    }

    async fn remove_cursor(&self, name: &CursorName, version: u64) -> Result<bool> {
        self.store.remove_cursor(name, version).await
    }

    async fn remove_events(&self, removal: &EventRemoval) -> Result<EventsRemoved> {
        self.store.remove_events(removal).await
    }
}

#[async_trait]
impl Documents for Promising {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>> {
        self.store.document(key).await
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<()> {
        self.store.add_documents(documents).await
    }

    async fn replace_documents(&self, documents: &[Document], events: &[Event]) -> Result<bool> {
        self.store.replace_documents(documents, events).await
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>> {
        self.store.due_documents(kind, now, limit).await
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>> {
        self.store.list_documents(scope, filter, page).await
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
        evidence: Option<&RemovalEvidence>,
    ) -> Result<u32> {
        self.store.remove_documents(kind, state, before, limit, evidence).await
    }
}
