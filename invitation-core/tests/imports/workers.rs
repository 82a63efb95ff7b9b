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
    Clock, Intercept, Interceptor, ManualClock, MemoryStore, Operation, StoreCall, StoreError,
    documents::{Document, DocumentKey, DocumentKind, DocumentState, Documents},
    import::{
        file::FileFormat,
        jobs::{ImportRun, ImportState, Imports},
    },
};
use time::Duration;

use crate::{FILE, Scene, weak::Weak};

/// Makes each replacement of documents take nine minutes, and counts the imports that another
/// worker could claim meanwhile.
#[derive(Debug)]
struct SlowReplacements {
    store: Arc<MemoryStore>,
    clock: ManualClock,
    claimable: Arc<AtomicU32>,
}

#[async_trait]
impl Interceptor for SlowReplacements {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        if operation != Operation::ReplaceDocuments {
            let _ = call.await;
            return Ok(());
        }
        self.clock.advance(Duration::minutes(9));
        let _ = call.await;
        let (kind, now) = (DocumentKind::new("import").expect("a kind"), self.clock.now());
        let due = self.store.due_documents(&kind, now, NonZeroU32::MIN).await?;
        self.claimable.fetch_add(u32::from(!due.is_empty()), Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn each_part_extends_the_lease() {
    let spool = Weak::default();
    let mut scene = Scene::new(spool.clone());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let claimable = Arc::new(AtomicU32::new(0));
    let (store, clock) = (Arc::clone(&scene.documents), scene.clock.clone());
    let slow =
        SlowReplacements { store: Arc::clone(&store), clock, claimable: Arc::clone(&claimable) };
    scene.imports = Imports::new(Intercept::new(store, slow), spool);
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
