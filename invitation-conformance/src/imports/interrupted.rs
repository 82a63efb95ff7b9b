//! Workers that die or are suspended in the middle.

use invitation_core::import::{
    OutcomeKind,
    jobs::{ImportOrder, ImportState},
};

use super::{
    ImportsFixture,
    scene::{MAX_POINTS, PART, Scene, address, atomic, csv, file},
};
use crate::support::interrupt::Interrupt;

/// A worker that dies immediately before or after any of its reads and writes leaves an import that
/// the next worker completes: no row is lost, and none is created twice.
pub async fn import_whose_worker_dies_anywhere_creates_each_row_once(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    die_anywhere(&scene, csv(), 2 * PART + 1, Some(5), false).await;
}

/// The same holds for the check and the transaction of an atomic import.
pub async fn atomic_import_whose_worker_dies_anywhere_creates_each_row_once(
    fixture: ImportsFixture,
) {
    let scene = Scene::new(fixture);
    let good = if scene.fixture.has_transactions { 2 * PART + 1 } else { PART };
    die_anywhere(&scene, atomic(), good, None, false).await;
}

/// The same holds if the machine of the worker crashes, and its spool loses what is not durable.
/// The outcome of each row of an import that has ended is durable.
pub async fn import_whose_machine_crashes_anywhere_creates_each_row_once(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    die_anywhere(&scene, csv(), 2 * PART + 1, Some(5), true).await;
    die_anywhere(&scene, atomic(), PART, None, true).await;
}

/// Runs a worker that dies at a point, and returns whether it came to the point.
async fn dies(scene: &Scene, interrupt: &Interrupt) -> bool {
    tokio::select! {
        biased;
        () = interrupt.reached() => true,
        run = scene.run_with(interrupt) => {
            let _ = run.expect("the worker succeeds");
            false
        }
    }
}

async fn die_anywhere(
    scene: &Scene,
    order: ImportOrder,
    good: usize,
    bad_after: Option<usize>,
    is_crash: bool,
) {
    for point in 0..MAX_POINTS {
        let tag = format!("{:?}.point{point}", order.mode()).to_lowercase();
        let text = file(good, &tag, bad_after);
        let id = scene.order(order, &text).await;
        let interrupt = Interrupt::at(point);
        let is_dead = dies(scene, &interrupt).await;
        if is_crash {
            scene.crash().await;
        }
        if is_dead {
            // Until its lease ends, the import belongs to the dead worker, if it had claimed it.
            scene.end_leases();
            scene.run().await;
        }
        if is_crash {
            scene.crash().await;
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
    suspend_anywhere(&scene, csv(), 2 * PART + 1, Some(5)).await;
}

/// The same holds for an atomic import, whose rows are checked first.
pub async fn suspended_worker_of_an_atomic_import_changes_nothing_after_another_has_finished(
    fixture: ImportsFixture,
) {
    let scene = Scene::new(fixture);
    suspend_anywhere(&scene, atomic(), PART, None).await;
}

async fn suspend_anywhere(
    scene: &Scene,
    order: ImportOrder,
    good: usize,
    bad_after: Option<usize>,
) {
    for point in 0..MAX_POINTS {
        let tag = format!("point{point}");
        let text = file(good, &tag, bad_after);
        let id = scene.order(order, &text).await;
        let interrupt = Interrupt::at(point);
        let suspended = async {
            interrupt.reached().await;
            scene.end_leases();
            scene.run().await;
            interrupt.release();
        };
        let run = scene.run_in_calls(&interrupt);
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

/// A worker that takes an import over treats duplicates as one worker does: a row repeats an
/// earlier one that was created, and not one that was refused.
pub async fn rows_behind_a_takeover_have_the_outcomes_of_one_worker(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let mut expected = vec![OutcomeKind::Forbidden; PART];
    expected.extend([OutcomeKind::Created; PART]);
    // The other division has no invitation to the mailbox: only the file has it twice.
    expected.push(OutcomeKind::Skipped);
    for point in 0..MAX_POINTS {
        let tag = format!("point{point}");
        let rows = |role: &str, division: &str, number: usize| -> String {
            let row = |n: usize| format!("{};{role};{division}\n", address(n, &tag));
            (0..number).map(row).collect()
        };
        let (refused, good) = (rows("root", "sales", PART), rows("staff", "sales", PART));
        let repeated = rows("staff", "operations", 1);
        let text = format!("E-Mail;Role;Division\n{refused}{good}{repeated}");
        let id = scene.order(csv(), &text).await;
        let interrupt = Interrupt::at(point);
        let is_dead = dies(&scene, &interrupt).await;
        if is_dead {
            scene.end_leases();
            scene.run().await;
        }
        let outcomes: Vec<_> = scene.results(id).await.iter().map(|row| row.outcome).collect();
        assert_eq!(outcomes, expected, "point {point}");
        if !is_dead {
            return;
        }
    }
    panic!("the worker has more than {MAX_POINTS} points");
}
