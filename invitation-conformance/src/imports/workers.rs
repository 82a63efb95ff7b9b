//! Several workers on one store.

use std::sync::Arc;

use invitation_core::import::jobs::ImportState;

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
