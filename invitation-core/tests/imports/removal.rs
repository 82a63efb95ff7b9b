//! Removing imports that have ended.

use invitation_core::import::{
    ImportMode,
    file::FileFormat,
    jobs::{ImportError, ImportOrder, ImportRun, ImportState},
};
use time::Duration;

use crate::{FILE, GOOD, Scene, admin, weak::Weak};

#[tokio::test]
async fn only_imports_that_ended_before_lose_their_files() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let atomic = ImportOrder::new(FileFormat::Csv).with_mode(ImportMode::AllOrNone);
    let done = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let failed = scene.submit(atomic, FILE.as_bytes(), None).await.expect("an order").job.id();
    let held = scene.submit(atomic.started_later(), GOOD.as_bytes(), None).await;
    let cancelled = held.expect("an order").job.id();
    let _ = scene.run().await.expect("a run");
    let _ = scene.imports.cancel(&scene.invitations, &admin(), cancelled).await.expect("cancelled");
    scene.clock.advance(Duration::DAY);
    let later = scene.order(FileFormat::Csv, b"role,division\nstaff,sales\n").await;
    let _ = scene.run().await.expect("a run");
    let waiting = scene.order(FileFormat::Csv, GOOD.as_bytes()).await;
    assert_eq!(scene.job(failed).await.state(), ImportState::Failed);
    assert_eq!(spool.names().len(), 5 + 3, "files of rows and of results");

    let removed = scene.imports.remove_ended(scene.job(later).await.ordered_at()).await;
    assert_eq!(removed.expect("a number"), 3);
    for id in [done, failed, cancelled] {
        let gone = scene.imports.get(&scene.invitations, &admin(), id).await;
        assert!(matches!(gone, Err(ImportError::NotFound)), "{gone:?}");
    }
    assert_eq!(spool.names().len(), 3);
    assert_eq!(scene.rows(later).await.len(), 1);
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Worked);
    assert_eq!(scene.job(waiting).await.state(), ImportState::Done);
}

#[tokio::test]
async fn check_that_is_repeated_leaves_one_file_of_results() {
    let spool = Weak::default();
    let scene = Scene::new(spool.clone());
    let atomic = ImportOrder::new(FileFormat::Csv).with_mode(ImportMode::AllOrNone);
    let id = scene.submit(atomic, FILE.as_bytes(), None).await.expect("an order").job.id();
    for _ in 0..3 {
        // The outcomes of the first part are written, and those of the second one are not.
        spool.fail_results(2);
        assert!(scene.run().await.is_err());
        assert_eq!(scene.job(id).await.state(), ImportState::Queued);
        let _ = scene.pause().await;
    }
    spool.fail_results(0);
    let _ = scene.run().await.expect("a run");
    assert_eq!(scene.job(id).await.state(), ImportState::Failed);
    assert_eq!(scene.rows(id).await.len(), 4);
    assert_eq!(spool.names().len(), 2, "{:?}", spool.names());
}
