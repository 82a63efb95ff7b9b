//! Workers that die or are suspended in the middle.

use invitation_core::import::jobs::{ImportOrder, ImportState};

use super::{
    ImportsFixture,
    scene::{PART, Scene, atomic, csv, file},
};
use crate::support::interrupt::Interrupt;

/// More points than a worker passes in any of the tests.
const MAX_POINTS: usize = 200;

/// A worker that dies immediately before or after any of its reads and writes leaves an import that
/// the next worker completes: no row is lost, and none is created twice.
pub async fn import_whose_worker_dies_anywhere_creates_each_row_once(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    die_anywhere(&scene, csv(), 2 * PART + 1, Some(5)).await;
}

/// The same holds for the check and the transaction of an atomic import.
pub async fn atomic_import_whose_worker_dies_anywhere_creates_each_row_once(
    fixture: ImportsFixture,
) {
    let scene = Scene::new(fixture);
    let good = if scene.fixture.has_transactions { 2 * PART + 1 } else { PART };
    die_anywhere(&scene, atomic(), good, None).await;
}

async fn die_anywhere(scene: &Scene, order: ImportOrder, good: usize, bad_after: Option<usize>) {
    for point in 0..MAX_POINTS {
        let tag = format!("point{point}");
        let text = file(good, &tag, bad_after);
        let id = scene.order(order, &text).await;
        let interrupt = Interrupt::at(point);
        let is_dead = tokio::select! {
            biased;
            () = interrupt.reached() => true,
            run = scene.run_with(&interrupt) => {
                let _ = run.expect("the worker succeeds");
                false
            }
        };
        if is_dead {
            // Until its lease ends, the import belongs to the dead worker, if it had claimed it.
            scene.end_leases();
            scene.run().await;
        }
        let job = scene.job(id).await;
        assert_eq!((job.state(), job.reason()), (ImportState::Done, None), "point {point}");
        scene.has_each_row_once(id, &text, good, &tag).await;
        if !is_dead {
            assert!(point > 10, "the worker has {point} points only");
            return;
        }
    }
    panic!("the worker has more than {MAX_POINTS} points");
}

/// A worker that is suspended beyond its lease loses the import: when it continues, it changes
/// neither the invitations nor the results of the worker that has finished.
pub async fn suspended_worker_changes_nothing_after_another_has_finished(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let good = 2 * PART + 1;
    for point in 0..MAX_POINTS {
        let tag = format!("point{point}");
        let text = file(good, &tag, Some(5));
        let id = scene.order(csv(), &text).await;
        let interrupt = Interrupt::at(point);
        let suspended = async {
            interrupt.reached().await;
            scene.end_leases();
            scene.run().await;
            interrupt.release();
        };
        let run = scene.run_with(&interrupt);
        tokio::pin!(run, suspended);
        let is_suspended = tokio::select! {
            biased;
            () = &mut suspended => true,
            run = &mut run => {
                let _ = run.expect("the worker succeeds");
                false
            }
        };
        if !is_suspended {
            return;
        }
        let _ = run.await.expect("the worker stops");
        assert_eq!(scene.job(id).await.state(), ImportState::Done, "point {point}");
        scene.has_each_row_once(id, &text, good, &tag).await;
    }
    panic!("the worker has more than {MAX_POINTS} points");
}
