//! Imports whose file is on no machine that is left.

use std::sync::Arc;

use invitation_core::{
    Action, EventCriteria, EventOutcome, Paging,
    import::{
        file::FileFormat,
        jobs::{ImportRun, ImportState, Imports, MemorySpool},
    },
};
use time::Duration;

use crate::{FILE, Scene, admin, weak::Weak};

#[tokio::test]
async fn any_number_of_imports_of_another_machine_does_not_hold_up_ones_own() {
    let mut scene = Scene::new(Weak::default());
    for _ in 0..150 {
        scene.order(FileFormat::Csv, FILE.as_bytes()).await;
        scene.clock.advance(Duration::SECOND);
    }
    scene.imports = Imports::new(Arc::clone(&scene.documents), MemorySpool::new());
    let own = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Worked);
    assert_eq!(scene.job(own).await.state(), ImportState::Done);
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Idle);
}

#[tokio::test]
async fn import_whose_file_no_machine_has_fails_after_a_week() {
    let spool = Weak::default();
    let mut scene = Scene::new(spool.clone());
    let id = scene.order(FileFormat::Csv, FILE.as_bytes()).await;
    let there = std::mem::replace(
        &mut scene.imports,
        Imports::new(Arc::clone(&scene.documents), MemorySpool::new()),
    );
    scene.clock.advance(Duration::WEEK - Duration::SECOND);
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Idle);
    assert_eq!(scene.job(id).await.state(), ImportState::Queued);

    scene.clock.advance(Duration::SECOND);
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Idle);
    let job = scene.job(id).await;
    assert_eq!((job.state(), job.reason()), (ImportState::Failed, Some("the file is lost")));
    let (criteria, paging) = (EventCriteria::new().of_action(Action::Import), Paging::first(10));
    let events = scene.invitations.events(&admin(), &criteria, paging.expect("a page")).await;
    let events = events.expect("events");
    let last = &events.items()[0];
    assert_eq!((last.outcome, last.detail.get("step")), (EventOutcome::Failed, Some("ended")));
    // The machine that has it comes back too late.
    scene.imports = there;
    assert_eq!(scene.run().await.expect("a run"), ImportRun::Idle);
    assert_eq!(scene.stored().await, 0);
}
