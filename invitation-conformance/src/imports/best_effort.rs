//! Imports of as many rows as possible.

use std::num::NonZeroU32;

use invitation_core::{
    Error, Refusal,
    import::{
        OutcomeKind,
        jobs::{ImportError, ImportState},
    },
};

use super::{
    ImportsFixture,
    scene::{PART, Scene, atomic, csv, file},
};
use crate::people::admin;

/// An import of several parts creates its good rows, and the results name the others by line.
pub async fn import_creates_every_good_row_and_keeps_each_outcome(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let text = file(10, "a", Some(5));
    let id = scene.order(csv(), &text).await;
    assert_eq!(scene.job(id).await.state(), ImportState::Queued);
    scene.run().await;
    let job = scene.job(id).await;
    assert_eq!((job.state(), job.reason()), (ImportState::Done, None));
    assert_eq!((job.progress().invalid, job.progress().bytes), (2, job.bytes()));
    scene.has_each_row_once(id, &text, 10, "a").await;

    // The same mailboxes again are duplicates.
    let again = scene.order(csv(), &text).await;
    scene.run().await;
    let progress = *scene.job(again).await.progress();
    assert_eq!((progress.created, progress.skipped, progress.invalid), (0, 10, 2));
    assert!(scene.stored(again).await.is_empty());
}

/// A look at the first rows returns what would become of them, and the import waits until it is
/// started. A second start changes nothing.
pub async fn preview_of_an_import_creates_nothing(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let text = file(6, "a", Some(2));
    let id = scene.order(csv().started_later(), &text).await;
    let (imports, invitations) = (&scene.imports, &scene.invitations);
    let three = NonZeroU32::new(3).expect("not zero");
    let preview = imports.preview(invitations, &admin(), id, three).await.expect("a preview");
    let outcomes: Vec<_> = preview.rows.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [OutcomeKind::Valid, OutcomeKind::Valid, OutcomeKind::Invalid]);
    assert!(preview.has_more && preview.reason.is_none());
    scene.run().await;
    assert_eq!(scene.job(id).await.state(), ImportState::Uploaded);
    assert!(scene.stored(id).await.is_empty());

    for _ in 0..2 {
        let started = imports.start(invitations, &admin(), id).await.expect("a start");
        assert_eq!(started.state(), ImportState::Queued);
    }
    scene.run().await;
    let done = imports.start(invitations, &admin(), id).await.expect("no effect");
    assert_eq!(done.state(), ImportState::Done);
    scene.has_each_row_once(id, &text, 6, "a").await;
}

/// A request that is sent again under its key orders nothing more. Another file or other options
/// under the key are refused.
pub async fn import_under_the_same_key_is_ordered_once(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let text = file(5, "a", None);
    let first = scene.submit(csv(), &text, Some("k")).await.expect("an import");
    let again = scene.submit(csv(), &text, Some("k")).await.expect("the same import");
    assert!(!first.is_replayed && again.is_replayed);
    let id = first.job.id();
    assert_eq!(again.job.id(), id);
    for (order, text) in [(csv(), file(4, "a", None)), (atomic(), text.clone())] {
        let refused = scene.submit(order, &text, Some("k")).await;
        let Err(ImportError::Service(Error::Refused(refused))) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(refused.refusal(), &Refusal::IdempotencyKeyReused);
    }
    scene.run().await;
    let late = scene.submit(csv(), &text, Some("k")).await.expect("the same import");
    assert!(late.is_replayed);
    assert_eq!(late.job.state(), ImportState::Done);
    scene.has_each_row_once(id, &text, 5, "a").await;
}

/// Rows for which a quota has no room are named with the reason, and the rows before them are
/// created.
pub async fn rows_without_room_are_named_and_the_others_created(fixture: ImportsFixture) {
    let mut scene = Scene::new(fixture);
    scene.allow_pending(PART + 1);
    let id = scene.order(csv(), &file(PART + 3, "a", None)).await;
    scene.run().await;
    let job = scene.job(id).await;
    assert_eq!(job.state(), ImportState::Done);
    let progress = job.progress();
    assert_eq!((progress.created, progress.quota_exceeded), (PART as u64 + 1, 2));
    assert_eq!(scene.stored(id).await.len(), PART + 1);
    let rows = scene.results(id).await;
    let (created, refused) = rows.split_at(PART + 1);
    assert!(created.iter().all(|row| row.outcome == OutcomeKind::Created && row.code.is_some()));
    let lines: Vec<_> = refused.iter().map(|row| row.line).collect();
    assert_eq!(lines, [PART + 3, PART + 4]);
    for row in refused {
        assert_eq!(row.outcome, OutcomeKind::QuotaExceeded);
        assert!(row.code.is_none() && row.errors[0].contains("pending"), "{:?}", row.errors);
    }
}
