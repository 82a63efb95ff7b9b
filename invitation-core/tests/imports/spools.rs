//! Spools that fail, or return few bytes at a time.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    Intercept, Interceptor, MemoryStore, Operation, StoreCall, StoreError, StoreErrorKind,
    import::{
        ImportMode,
        file::FileFormat,
        jobs::{ImportError, ImportOrder, ImportRun, ImportState, SpoolError},
    },
};
use time::Duration;

use crate::{FILE, GOOD, Scene, weak::Weak};

#[tokio::test]
async fn file_that_cannot_be_read_does_not_hold_up_other_imports() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let broken = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    spool.break_file(Some(&spool.names()[0]));
    let other = scene.order(FileFormat::Csv, b"role,division\nstaff,sales\n").await;
    let run = scene.run().await;
    assert!(matches!(run, Err(ImportError::Spool(SpoolError::Failed(_)))), "{run:?}");
    assert_eq!(scene.job(other).await.state(), ImportState::Done);
    assert_eq!(scene.job(broken).await.state(), ImportState::Queued);
    spool.break_file(None);
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Worked);
    assert_eq!(scene.job(broken).await.progress().created, 4);
}

/// Fails the second of three lists of invitations.
#[derive(Debug, Default)]
struct FailingLists(AtomicU32);

#[async_trait]
impl Interceptor for FailingLists {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let is_list = operation.as_str() == "list";
        if is_list && self.0.fetch_add(1, Ordering::SeqCst) % 3 == 1 {
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation.as_str()));
        }
        let _outcome = call.await;
        Ok(())
    }
}

#[tokio::test]
async fn page_of_results_that_failed_is_whole_when_it_is_asked_for_again() {
    let spool = Weak::default();
    let memory = Arc::new(MemoryStore::new());
    let store = Intercept::new(Arc::clone(&memory), FailingLists::default());
    let scene = Scene::on(store, memory, spool.clone());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let _ = scene.run().await.expect("a run");
    let mut results = scene.results(id).await.expect("results");
    spool.fail_reads(3);
    let (mut rows, mut of_spool, mut of_store) = (Vec::new(), 0, 0);
    loop {
        match results.next_page(&scene.invitations).await {
            Ok(page) if page.is_empty() => break,
            Ok(page) => rows.extend(page),
            Err(ImportError::Spool(_)) => of_spool += 1,
            Err(ImportError::Service(_)) => of_store += 1,
            Err(other) => panic!("{other}"),
        }
        assert!(of_spool + of_store < 100, "the results do not end");
    }
    let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
    assert_eq!(rows.iter().filter(|row| row.code.is_some()).count(), 4);
    assert!(of_spool > 2 && of_store > 0, "{of_spool} and {of_store} failures");
}

#[tokio::test]
async fn import_that_failed_is_due_after_a_pause_that_doubles() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    // The first read of each attempt tells that the file is there, and the second one fails.
    spool.fail_reads(2);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        assert!(scene.run().await.is_err());
        assert_eq!(scene.job(id).await.state(), ImportState::Queued);
        pauses.push(scene.pause().await);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
    assert!(scene.run().await.is_err());
    let job = scene.job(id).await;
    assert_eq!(job.state(), ImportState::Failed);
    assert_eq!(job.reason(), Some("the file of the import cannot be read or written"));
}

#[tokio::test]
async fn failures_count_only_in_a_row() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let mut pauses = Vec::new();
    // Nothing is kept, and then one part.
    for n in [1, 2, 1, 2] {
        spool.fail_results(n);
        assert!(scene.run().await.is_err());
        pauses.push(scene.pause().await);
    }
    assert_eq!(pauses, [5, 5, 10, 5]);
    spool.fail_results(0);
    let _ = scene.run().await.expect("a run");
    assert_eq!(scene.job(id).await.progress().created, 4);
    assert_eq!(scene.rows(id).await.len(), 5);
}

#[tokio::test]
async fn atomic_import_whose_results_cannot_be_written_is_completed_however_often_that_fails() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let order = ImportOrder::new(FileFormat::Csv).with_mode(ImportMode::AllOrNone);
    let id = scene.submit(order, GOOD.as_bytes(), None).await.expect("an order").job.id();
    // The outcomes of the check are written. Those behind the creation are not.
    spool.fail_results(2);
    assert!(scene.run().await.is_err());
    spool.fail_results(1);
    for _ in 0..12 {
        scene.clock.advance(Duration::hours(1));
        assert!(scene.run().await.is_err());
        let job = scene.job(id).await;
        assert_eq!((job.state(), job.progress().created), (ImportState::Writing, 0));
        let cancelled = scene.imports.cancel(&scene.invitations, &crate::admin(), id).await;
        assert!(matches!(cancelled, Err(ImportError::Ended)), "{cancelled:?}");
    }
    spool.fail_results(0);
    scene.clock.advance(Duration::hours(1));
    let _ = scene.run().await.expect("a run");
    let job = scene.job(id).await;
    assert_eq!((job.state(), job.progress().created), (ImportState::Done, 2));
    assert!(scene.rows(id).await.iter().all(|row| row.code.is_some()));
}
