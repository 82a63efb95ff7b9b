//! Imports that a user cancels.

use std::sync::Arc;

use invitation_core::{
    Action,
    import::{
        OutcomeKind,
        jobs::{ImportError, ImportState},
    },
};

use super::{
    ImportsFixture,
    scene::{PART, Scene, csv, file},
};
use crate::{
    people::admin,
    support::{concurrent::run_concurrently, interrupt::Interrupt},
};

/// A worker stops after the part that it was creating. What is created stays, and nothing more
/// comes.
pub async fn cancelled_import_stops_behind_the_part_in_progress(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let text = file(3 * PART, "a", None);
    let id = scene.order(csv(), &text).await;
    let (imports, invitations) = (&scene.imports, &scene.invitations);
    // The replacements of the documents are the claim and one for each part, so the worker is
    // inside the second part.
    let interrupt = Interrupt::at(10);
    let cancelling = async {
        interrupt.reached().await;
        let cancelled = imports.cancel(invitations, &admin(), id).await.expect("cancelled");
        assert_eq!(cancelled.state(), ImportState::Cancelled);
        interrupt.release();
    };
    let (run, ()) = tokio::join!(scene.run_with(&interrupt), cancelling);
    let _ = run.expect("the worker stops");
    scene.end_leases();
    scene.run().await;

    let job = scene.job(id).await;
    assert_eq!(job.state(), ImportState::Cancelled);
    let (stored, counted) = (scene.stored(id).await.len(), job.progress().created);
    assert!((PART..=2 * PART).contains(&stored), "{stored}");
    let rows = scene.results(id).await;
    assert_eq!(rows.len() as u64, counted);
    assert!(rows.iter().all(|row| row.outcome == OutcomeKind::Created && row.code.is_some()));
    let again = imports.cancel(invitations, &admin(), id).await.expect("no effect");
    assert_eq!(again.ended_at(), job.ended_at());

    let done = scene.order(csv(), &file(1, "b", None)).await;
    scene.run().await;
    let refused = imports.cancel(invitations, &admin(), done).await;
    assert!(matches!(refused, Err(ImportError::Ended)), "{refused:?}");
}

/// Users who cancel one import at the same moment all succeed, and one of them leaves the event.
pub async fn concurrent_cancellations_leave_one_event(fixture: ImportsFixture) {
    let scene = Arc::new(Scene::new(fixture));
    let id = scene.order(csv(), &file(1, "a", None)).await;
    let jobs = (0..8).map(|_| {
        let scene = Arc::clone(&scene);
        async move { scene.imports.cancel(&scene.invitations, &admin(), id).await }
    });
    for cancelled in run_concurrently(jobs.collect()).await {
        assert_eq!(cancelled.expect("cancelled").state(), ImportState::Cancelled);
    }
    let steps = scene.events(Action::Import).await;
    let steps: Vec<_> = steps.iter().filter_map(|event| event.detail.get("step")).collect();
    assert_eq!(steps, ["ordered", "cancelled"]);
}
