//! The events of imports.

use invitation_core::{
    Action, Event, EventOutcome, Performer, Reason,
    import::jobs::{ImportError, ImportState},
};

use super::{
    ImportsFixture,
    scene::{Scene, atomic, csv, file},
};
use crate::people::{admin, manager};

fn has(event: &Event, step: &str, details: &[(&str, &str)]) {
    assert_eq!(event.detail.get("step"), Some(step), "{event:?}");
    let Performer::Actor { user, .. } = &event.performer else { panic!("{event:?}") };
    assert_eq!(user, admin().user());
    for (name, value) in details {
        assert_eq!(event.detail.get(name), Some(*value), "{name} of {event:?}");
    }
}

/// Ordering, starting, cancelling and the end each leave one event with the batch; repeated calls
/// leave no more. A download with codes leaves one event for the whole batch.
pub async fn each_step_of_an_import_leaves_one_event(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let (imports, invitations) = (&scene.imports, &scene.invitations);
    let text = file(6, "a", Some(3));
    let submitted = scene.submit(csv().started_later(), &text, Some("k")).await.expect("one");
    let id = submitted.job.id();
    assert!(scene.submit(csv().started_later(), &text, Some("k")).await.is_ok());
    for _ in 0..2 {
        imports.start(invitations, &admin(), id).await.expect("a start");
    }
    scene.run().await;
    let rows = scene.results(id).await;
    assert_eq!(rows.len(), 8);

    let held = scene.order(atomic().started_later(), "role\n").await;
    for _ in 0..2 {
        imports.cancel(invitations, &admin(), held).await.expect("cancelled");
    }
    let denied = imports.cancel(invitations, &manager(), held).await;
    assert!(matches!(denied, Err(ImportError::Service(_))), "{denied:?}");

    let (batch, held) = (id.to_string(), held.to_string());
    let (batch, held) = (("batch", &*batch), ("batch", &*held));
    let bytes = text.len().to_string();
    let events = scene.events(Action::Import).await;
    let [ordered, started, ended, held_ordered, cancelled] = &*events else {
        panic!("{events:?}");
    };
    let file = [batch, ("file", "people.csv"), ("bytes", &bytes), ("mode", "best_effort")];
    has(ordered, "ordered", &file);
    assert_eq!(ordered.detail.get("sha256").map(str::len), Some(64));
    has(started, "started", &[batch]);
    let counts = [("rows", "8"), ("created", "6"), ("skipped", "0"), ("bad", "2")];
    has(ended, "ended", &[batch, counts[0], counts[1], counts[2], counts[3]]);
    has(held_ordered, "ordered", &[held, ("mode", "atomic"), ("duplicates", "skip")]);
    has(cancelled, "cancelled", &[held, ("rows", "0"), ("created", "0")]);
    assert!(events.iter().all(|event| event.outcome == EventOutcome::Succeeded));

    let copies = scene.events(Action::Copy).await;
    let [copy] = &*copies else { panic!("{copies:?}") };
    assert_eq!(copy.detail.get("invitations"), Some("6"));
}

/// The event of an import that fails has its reason, and nothing that stands in the file.
pub async fn failed_import_leaves_its_reason_in_the_import_only(fixture: ImportsFixture) {
    let scene = Scene::new(fixture);
    let id = scene.order(csv(), "anna@example.com;staff;sales\n").await;
    scene.run().await;
    let job = scene.job(id).await;
    assert_eq!(job.state(), ImportState::Failed);
    assert!(job.reason().is_some_and(|reason| reason.contains("anna")), "{:?}", job.reason());
    let events = scene.events(Action::Import).await;
    let [_, ended] = &*events else { panic!("{events:?}") };
    has(ended, "ended", &[("rows", "0"), ("created", "0")]);
    assert_eq!(ended.outcome, EventOutcome::Failed);
    assert_eq!(ended.reason, Some(Reason::ImportFailed));
    assert!(!format!("{ended:?}").contains("anna"));
}
