//! The order of the feed, read by one consumer.

use invitation_core::{Action, EventFilter, Outcome, Scope};

use super::{
    FeedFixture,
    reader::{Reader, whole_feed},
};
use crate::support::{
    factory::{Factory, apply},
    reads::all_events,
    samples::{later, newcomer, start},
};

/// The feed of a new store has no event, and no more to read.
pub async fn feed_of_an_empty_store_is_empty(fixture: FeedFixture) {
    let mut reader = Reader::new(&*fixture.feed, 10);
    assert!(!reader.read_page().await, "there is no next page");
    assert_eq!(reader.received, [], "and no event");
}

/// The feed has each event of every way to write one, unchanged, at one position. It does so in
/// pages of any size.
pub async fn pages_of_the_feed_contain_every_event_once(fixture: FeedFixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let rows: Vec<_> = (0..7).map(|_| factory.invitation()).collect();
    factory.insert(&*store, &rows).await;
    for row in &rows[..3] {
        let redeem = factory.default_redeem(row, &newcomer("anna"));
        assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "it is unused");
    }
    let recorded: Vec<_> = (0..5).map(|n| factory.event(Action::View, later(start(), n))).collect();
    store.record(&recorded).await.expect("the store records");

    let mut all = all_events(&*store, &Scope::All, &EventFilter::default(), 50).await;
    all.sort_by_key(|event| event.id);
    assert_eq!(all.len(), 15, "the events that were written");
    let whole = whole_feed(&*fixture.feed, 15).await;
    for limit in [1, 2, 7, 15, u32::MAX] {
        let mut reader = Reader::new(&*fixture.feed, limit);
        reader.read_until(15).await;
        assert_eq!(reader.received, whole, "the same order in pages of {limit}");
        let mut events = reader.events();
        events.sort_by_key(|event| event.id);
        assert_eq!(events, all, "each event once in pages of {limit}");
    }
}

/// An event that is written after a page was read stands behind that page, although its time is
/// earlier.
pub async fn later_event_with_an_earlier_time_stands_behind(fixture: FeedFixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let first = factory.event(Action::View, later(start(), 10));
    let mut reader = Reader::new(&*fixture.feed, 10);
    store.record(std::slice::from_ref(&first)).await.expect("the store records");
    reader.read_until(1).await;
    // The id of this event is smaller, too.
    let early = Factory::new().event(Action::Copy, start());
    let early =
        invitation_core::Event { id: invitation_core::EventId::from_bytes([0; 16]), ..early };
    store.record(std::slice::from_ref(&early)).await.expect("the store records");
    reader.read_until(2).await;
    assert_eq!(reader.events(), [first, early]);
}

/// An event that is sent again keeps its one position.
pub async fn event_recorded_twice_has_one_position(fixture: FeedFixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (first, second) =
        (factory.event(Action::View, start()), factory.event(Action::Copy, start()));
    store.record(std::slice::from_ref(&first)).await.expect("the store records");
    let before = whole_feed(&*fixture.feed, 1).await;
    store.record(&[first.clone(), second.clone(), first.clone()]).await.expect("it records");
    let after = whole_feed(&*fixture.feed, 2).await;
    assert_eq!(after[..1], before[..], "the first one stays");
    assert_eq!(after.len(), 2, "and only the new one is added");
    assert_eq!(after[1].event, second);
}

/// A refused change writes no event, so the feed has none.
pub async fn refused_change_has_no_event_in_the_feed(fixture: FeedFixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let row = factory.invitation();
    factory.insert(&*store, std::slice::from_ref(&row)).await;
    for (name, applied) in [("anna", true), ("berta", false)] {
        let outcome = apply(&*store, &factory.default_redeem(&row, &newcomer(name))).await;
        assert_eq!(matches!(outcome, Outcome::Applied(_)), applied, "{name}");
    }
    // An event of the refused change would stand before this one.
    let last = factory.event(Action::View, start());
    store.record(std::slice::from_ref(&last)).await.expect("the store records");
    let whole = whole_feed(&*fixture.feed, 3).await;
    assert_eq!(whole.len(), 3, "the creation, one redemption and the last event");
    assert_eq!(whole[2].event, last);
}
