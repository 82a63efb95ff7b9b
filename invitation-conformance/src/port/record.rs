//! Recording of events that belong to no change.

use std::slice;

use invitation_core::{Action, Event, EventFilter, EventOutcome, Outcome, Scope, Store};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply},
        reads::{all_events, trail},
        samples::{later, newcomer, start},
    },
};

async fn everything(store: &dyn Store) -> Vec<Event> {
    all_events(store, &Scope::All, &EventFilter::default(), 50).await
}

/// An event is recorded once, even if it is sent repeatedly in one call or in several.
/// The first one stays.
pub async fn event_recorded_twice_is_stored_once(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    store.record(&[]).await.expect("nothing is nothing to record");
    let first = factory.event(Action::Copy, start());
    let second = factory.event(Action::View, later(start(), 1));
    store.record(&[first.clone(), first.clone()]).await.expect("the store records");
    assert_eq!(everything(&*store).await, slice::from_ref(&first), "twice in one call");

    let changed = Event { outcome: EventOutcome::Denied, at: later(start(), 9), ..first.clone() };
    let batch = [second.clone(), changed, first.clone()];
    store.record(&batch).await.expect("the store records");
    store.record(&batch).await.expect("the store records");
    assert_eq!(everything(&*store).await, [second, first], "again, with other content");
}

/// The event of a change or an insert is evidence: recording a different event under its
/// id does not alter it.
pub async fn recording_under_a_known_id_keeps_the_first_event(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let row = factory.invitation();
    factory.insert(&*store, std::slice::from_ref(&row)).await;
    let redeem = factory.default_redeem(&row, &newcomer("anna"));
    assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "the guard holds");
    let before = trail(&*store, &row).await;
    for event in &before {
        let same_time = Event { outcome: EventOutcome::Denied, ..event.clone() };
        let other_time = Event { at: later(event.at, 1), ..event.clone() };
        store.record(&[same_time, other_time]).await.expect("the store records");
    }
    assert_eq!(trail(&*store, &row).await, before, "the first events stay");
    assert_eq!(everything(&*store).await, before, "and no others are added");
}

/// One call can record many events.
pub async fn record_of_many_events_stores_all(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut events: Vec<_> =
        (0..1_000).map(|n| factory.event(Action::View, later(start(), n / 10))).collect();
    store.record(&events).await.expect("the store records");
    events.reverse();
    assert!(everything(&*store).await == events, "every one, newest first");
}
