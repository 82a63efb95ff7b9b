//! Several workers on one store.

use std::sync::Arc;

use invitation_core::{
    Action,
    import::jobs::{ImportRun, ImportState},
};

use super::{
    ImportsFixture,
    scene::{PART, Scene, csv, file},
};
use crate::support::{concurrent::run_concurrently, interrupt::Interrupt};

/// Workers that begin at the same moment divide the imports: each import has one worker.
pub async fn workers_share_imports_and_create_each_row_once(fixture: ImportsFixture) {
    let scene = Arc::new(Scene::new(fixture));
    let (good, mut ids) = (2 * PART + 1, Vec::new());
    for n in 0..6 {
        let text = file(good, &format!("import{n}"), Some(5));
        ids.push((scene.order(csv(), &text).await, text));
    }
    let workers = (0..3).map(|_| {
        let scene = Arc::clone(&scene);
        async move { scene.run_with(&Interrupt::default()).await }
    });
    for run in run_concurrently(workers.collect()).await {
        let _ = run.expect("the worker succeeds");
    }
    for (n, (id, text)) in ids.into_iter().enumerate() {
        assert_eq!(scene.job(id).await.state(), ImportState::Done);
        scene.has_each_row_once(id, &text, good, &format!("import{n}")).await;
    }
}

/// Of two workers that claim an import at the same moment, one gets it. The other creates nothing,
/// and the import ends once.
pub async fn one_of_two_claims_at_the_same_moment_succeeds(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let text = file(PART, "a", None);
    let id = scene.order(csv(), &text).await;
    // The first worker stops immediately before it stores its claim, and the second one behind.
    let (before, behind) = (Interrupt::at(1), Interrupt::at(2));
    let first = async {
        let run = scene.run_in_calls(&before).await;
        behind.release();
        run
    };
    // It begins when the first worker has found the import: later ones would not find it.
    let second = async {
        before.reached().await;
        scene.run_in_calls(&behind).await
    };
    let order = async {
        behind.reached().await;
        before.release();
    };
    let (first, second, ()) = tokio::join!(first, second, order);
    assert_eq!(first.expect("a run"), ImportRun::Idle);
    assert_eq!(second.expect("a run"), ImportRun::Worked);
    scene.has_each_row_once(id, &text, PART, "a").await;
    assert_eq!(scene.events(Action::Import).await.len(), 2, "ordered and ended");
}
