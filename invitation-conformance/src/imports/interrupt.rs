//! Workers that die or are suspended at a chosen point of their work.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    Event, PageRequest, Scope, StoreError, StorePage, Timestamp,
    documents::{
        Document, DocumentFilter, DocumentKey, DocumentKind, DocumentName, DocumentState, Documents,
    },
    import::jobs::{MemorySpool, Spool, SpoolError, SpoolFile},
};
use tokio::sync::Notify;

/// The point at which a worker stops: immediately before or after one of its reads and writes.
#[derive(Clone, Default, Debug)]
pub(super) struct Interrupt(Option<Arc<Point>>);

#[derive(Debug)]
struct Point {
    /// The number of points that the worker still passes.
    left: AtomicUsize,
    reached: Notify,
    released: Notify,
}

impl Interrupt {
    /// Stops a worker at its `n`th point, counted from 0.
    pub(super) fn at(n: usize) -> Self {
        let (reached, released) = (Notify::new(), Notify::new());
        Self(Some(Arc::new(Point { left: AtomicUsize::new(n), reached, released })))
    }

    /// Waits until the worker has stopped.
    pub(super) async fn reached(&self) {
        match &self.0 {
            Some(point) => point.reached.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Lets the worker continue.
    pub(super) fn release(&self) {
        if let Some(point) = &self.0 {
            point.released.notify_one();
        }
    }

    async fn pass(&self) {
        let Some(point) = &self.0 else { return };
        let passed = |left: usize| left.checked_sub(1);
        // Below 0 the update fails: the worker stops at one point only.
        let before = point.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, passed);
        if before == Err(0) && point.left.swap(usize::MAX, Ordering::SeqCst) == 0 {
            point.reached.notify_one();
            point.released.notified().await;
        }
    }
}

/// The files of a spool. A crash of the machine loses what is not synced.
#[derive(Default, Debug)]
pub(super) struct Files {
    files: MemorySpool,
    /// What a crash leaves of each file; none of one that was never synced.
    durable: Mutex<HashMap<SpoolFile, Option<Vec<u8>>>>,
}

impl Files {
    fn keep(&self, file: SpoolFile, keep: impl FnOnce(&mut Option<Vec<u8>>)) {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        keep(durable.entry(file).or_default());
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        let bytes = self.files.read(file, 0, usize::MAX).await?;
        self.keep(file, |durable| *durable = Some(bytes));
        Ok(())
    }

    /// Loses what is not synced.
    pub(super) async fn crash(&self) {
        let durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (file, bytes) in durable {
            self.files.remove(file).await.expect("memory does not fail");
            if let Some(bytes) = bytes {
                self.files.write(file, 0, bytes).await.expect("memory does not fail");
            }
        }
    }
}

/// A spool in memory, at which a worker stops.
#[derive(Clone, Debug)]
pub(super) struct InterruptedSpool {
    pub(super) files: Arc<Files>,
    pub(super) interrupt: Interrupt,
}

#[async_trait]
impl Spool for InterruptedSpool {
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError> {
        self.interrupt.pass().await;
        self.files.keep(file, |_| ());
        self.files.files.write(file, at, bytes).await?;
        self.interrupt.pass().await;
        Ok(())
    }

    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.interrupt.pass().await;
        self.files.sync(file).await
    }

    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError> {
        self.interrupt.pass().await;
        self.files.files.read(file, at, max).await
    }

    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError> {
        self.files.keep(file, |durable| *durable = None);
        self.files.files.remove(file).await
    }
}

/// The documents of a store, at whose replacements a worker stops.
#[derive(Debug)]
pub(super) struct InterruptedDocuments {
    pub(super) documents: Arc<dyn Documents>,
    pub(super) interrupt: Interrupt,
}

#[async_trait]
impl Documents for InterruptedDocuments {
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
        self.interrupt.pass().await;
        let is_replaced = self.documents.replace_documents(documents, events).await?;
        self.interrupt.pass().await;
        Ok(is_replaced)
    }

    async fn due_documents(
        &self,
        kind: &DocumentKind,
        now: Timestamp,
        limit: NonZeroU32,
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
        limit: NonZeroU32,
    ) -> Result<u32, StoreError> {
        self.documents.remove_documents(kind, state, before, limit).await
    }
}
