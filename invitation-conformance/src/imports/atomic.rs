//! Imports of all rows or none.

use std::fmt::Write as _;

use invitation_core::{
    Clock as _,
    import::{OutcomeKind, jobs::ImportState},
};
use time::Duration;

use super::{
    ImportsFixture,
    scene::{MAX_POINTS, PART, Scene, atomic, file},
};
use crate::support::interrupt::Interrupt;

/// An import of one part is one call of any store.
pub async fn atomic_import_of_one_part_creates_all_rows(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let text = file(PART, "a", None);
    let id = scene.order(atomic(), &text).await;
    scene.run().await;
    assert_eq!(scene.job(id).await.state(), ImportState::Done);
    scene.has_each_row_once(id, &text, PART, "a").await;
}

/// One row with a mistake, in any part, prevents all others. The results name it.
pub async fn atomic_import_with_a_bad_row_creates_nothing(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let parts = if scene.fixture.has_transactions { 3 } else { 1 };
    let good = parts * PART - 1;
    let text = file(good, "a", Some(good));
    let id = scene.order(atomic(), &text).await;
    scene.run().await;
    let job = scene.job(id).await;
    let reason = "one row has mistakes, so nothing was created";
    assert_eq!((job.state(), job.reason()), (ImportState::Failed, Some(reason)));
    assert!(scene.stored(id).await.is_empty());
    let rows = scene.results(id).await;
    assert_eq!(rows.last().map(|row| row.outcome), Some(OutcomeKind::Invalid));
    assert_eq!(rows.iter().filter(|row| row.outcome == OutcomeKind::Valid).count(), good);
}

/// More rows than those of one part are one transaction. A store without transactions refuses them
/// with the maximum, and creates nothing.
pub async fn atomic_import_of_several_parts_is_one_step_or_refused(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let (good, text) = (3 * PART - 1, file(3 * PART - 1, "a", None));
    let id = scene.order(atomic(), &text).await;
    scene.run().await;
    let job = scene.job(id).await;
    if scene.fixture.has_transactions {
        assert_eq!((job.state(), job.reason()), (ImportState::Done, None));
        scene.has_each_row_once(id, &text, good, "a").await;
    } else {
        assert_eq!(job.state(), ImportState::Failed);
        let reason = job.reason().expect("a reason");
        assert!(reason.contains("at most 4 invitations in one step"), "{reason}");
        assert!(scene.stored(id).await.is_empty());
    }
}

/// The check of the rows looks at no quota. If a quota then has no room for one of them, none is
/// created.
pub async fn atomic_import_without_room_for_all_rows_creates_nothing(fixture: ImportsFixture) {
    let mut scene = Scene::new(fixture);
    scene.allow_pending(PART - 1);
    let id = scene.order(atomic(), &file(PART, "a", None)).await;
    scene.run().await;
    let job = scene.job(id).await;
    assert_eq!(job.state(), ImportState::Failed);
    let reason = job.reason().expect("a reason");
    assert!(reason.contains("pending"), "{reason}");
    let progress = job.progress();
    assert_eq!((progress.rows, progress.created, progress.valid), (0, 0, 0));
    assert!(scene.stored(id).await.is_empty());
    assert!(scene.results(id).await.is_empty());

    let text = file(PART - 1, "b", None);
    let id = scene.order(atomic(), &text).await;
    scene.run().await;
    scene.has_each_row_once(id, &text, PART - 1, "b").await;
}

/// A row may become invalid after the check of the rows, as by its expiry. Then none is created, and
/// the reason names its line in the file and its column.
pub async fn row_that_expires_after_the_check_is_named(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let parts = if scene.fixture.has_transactions { 2 } else { 1 };
    let mut named = 0;
    for point in 0..MAX_POINTS {
        let expiry = scene.clock.now().checked_add(Duration::hours(2)).expect("a time");
        let text = file(parts * PART - 1, &format!("point{point}"), None);
        let mut text = text.replace("Division", "Division;Expires").replace("sales", "sales;");
        writeln!(text, "last.point{point}@example.com;staff;sales;{expiry}").expect("a text");
        let id = scene.order(atomic(), &text).await;
        let was_at_point = scene.run_with_pause(&Interrupt::at(point), Duration::hours(2)).await;
        let job = scene.job(id).await;
        let rows = scene.stored(id).await.len();
        match (job.state(), job.reason()) {
            (ImportState::Done, None) => assert_eq!(rows, parts * PART, "point {point}"),
            (ImportState::Failed, Some(reason)) => {
                assert_eq!(rows, 0, "point {point}");
                let line = format!("line {}, Expires: must be", parts * PART + 1);
                let is_named = reason.starts_with(&line);
                let is_found = reason == "one row has mistakes, so nothing was created";
                assert!(is_named || is_found, "point {point}: {reason}");
                named += u32::from(is_named);
            }
            other => panic!("point {point}: {other:?}"),
        }
        if !was_at_point {
            assert!(named > 0, "no point is between the check and the creation");
            return;
        }
    }
    panic!("the worker has more than {MAX_POINTS} points");
}
