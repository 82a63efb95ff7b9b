//! Workers and their leases.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    Event, ManualClock, MemoryStore, PageRequest, Scope, StoreError, StorePage, Timestamp,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState, Documents,
    },
    import::{
        file::FileFormat,
        jobs::{ImportRun, ImportState, Imports},
    },
};
use time::Duration;

use crate::{FILE, Scene, weak::Weak};

/// The documents of a store on which each replacement takes nine minutes. It counts the imports
/// that another worker could claim meanwhile.
#[derive(Debug)]
struct SlowDocuments {
    store: Arc<MemoryStore>,
    clock: ManualClock,
    claimable: Arc<AtomicU32>,
}

#[async_trait]
impl Documents for SlowDocuments {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        self.store.document(key).await
    }

    async fn add_documents(&self, documents: &[Document]) -> Result<(), StoreError> {
        self.store.add_documents(documents).await
    }

    async fn replace_documents(
        &self,
        documents: &[Document],
        events: &[Event],
    ) -> Result<bool, StoreError> {
        self.clock.advance(Duration::minutes(9));
        let replaced = self.store.replace_documents(documents, events).await?;
        let (kind, now) = (&documents[0].key.kind, invitation_core::Clock::now(&self.clock));
        let due = self.store.due_documents(kind, now, NonZeroU32::MIN).await?;
        self.claimable.fetch_add(u32::from(!due.is_empty()), Ordering::SeqCst);
        Ok(replaced)
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Document>, StoreError> {
        self.store.due_documents(kind, now, limit).await
    }

    async fn list_documents(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: &PageRequest<DocumentName>,
    ) -> Result<StorePage<Document, DocumentName>, StoreError> {
        self.store.list_documents(scope, filter, page).await
    }

    async fn remove_documents(
        &self,
        kind: &DocumentKind,
        state: &DocumentState,
        before: Timestamp,
        limit: NonZeroU32,
    ) -> Result<u32, StoreError> {
        self.store.remove_documents(kind, state, before, limit).await
    }
}

#[tokio::test]
async fn each_part_extends_the_lease() {
    let spool = Weak::default();
    let mut scene = Scene::new(spool.clone());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let claimable = Arc::new(AtomicU32::new(0));
    let (store, clock) = (Arc::clone(&scene.documents), scene.clock.clone());
    let documents = SlowDocuments { store, clock, claimable: Arc::clone(&claimable) };
    scene.imports = Imports::new(documents, spool);
    let _ = scene.run().await.expect("a run");
    assert_eq!(scene.job(id).await.progress().created, 4);
    assert_eq!(claimable.load(Ordering::SeqCst), 0, "the import of a worker that is at work");
}

#[tokio::test]
async fn document_of_a_newer_version_does_not_hold_up_other_imports() {
    let scene = Scene::new(Weak::default());
    let now = scene.invitations.now();
    let key = DocumentKey::new(DocumentKind::new("import").expect("a kind"), "newer");
    let state = DocumentState::new("archived").expect("a state");
    let newer = Document::new(key.expect("a key"), state, now).due_at(now);
    scene.documents.add_documents(&[newer]).await.expect("it is added");
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Worked);
    assert_eq!(scene.job(id).await.state(), ImportState::Done);
}
