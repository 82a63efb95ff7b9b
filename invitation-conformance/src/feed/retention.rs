//! The removal of old events.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Action, Actor, CorrelationId, Event, EventFilter, Invitations, ManualClock, Outcome,
    PurgedEvents, Reason, Refusal, RequestContext, Right, Scope, Store, SystemActor,
    feed::{
        Advance, Claim, CursorHolder, CursorName, FeedEvent, FeedPosition, RemovedEvents, claim,
    },
};
use time::Duration;

use super::{FeedFixture, FeedStore, reader::whole_feed};
use crate::{
    SeededEntropy,
    support::{
        concurrent::run_concurrently,
        factory::{Factory, apply},
        harness::refusal,
        reads::all_events,
        samples::{admin, division, later, manager, newcomer, role, start, user},
    },
};

const HOUR: i64 = 3_600_000_000;

/// The age of the purges.
const AGE: Duration = Duration::DAY;

type Service = Invitations<Arc<dyn FeedStore>>;

/// Returns a service whose clock is long after the start.
fn service(fixture: &FeedFixture) -> (Service, ManualClock) {
    let clock = ManualClock::new(later(start(), 1_000 * HOUR));
    let service = Invitations::new(Arc::clone(&fixture.whole))
        .with_clock(clock.clone())
        .with_entropy(SeededEntropy::new(3));
    (service, clock)
}

fn at_most(max: u32) -> NonZeroU32 {
    NonZeroU32::new(max).expect("not zero")
}

async fn purge(service: &Service, max: u32) -> PurgedEvents {
    let job = SystemActor::for_bootstrap();
    service.purge_events(&job, AGE, at_most(max)).await.expect("the system may")
}

/// Records events, one an hour from the start on.
async fn record(store: &dyn Store, factory: &Factory, count: i64) {
    for n in 0..count {
        let event = factory.event(Action::View, later(start(), n * HOUR));
        store.record(&[event]).await.expect("the store records");
    }
}

/// Sets the cursor of this name.
async fn advance(fixture: &FeedFixture, name: &str, to: Option<FeedPosition>) {
    let (name, holder) = (CursorName::new(name), CursorHolder::new("machine 1"));
    let (name, holder) = (name.expect("a name"), holder.expect("a name"));
    let claimed = claim(&fixture.cursors, &name, &holder, start(), Duration::MINUTE).await;
    let Claim::Granted(mut cursor) = claimed.expect("the store answers") else {
        panic!("the holder is the same")
    };
    if let Some(to) = to {
        let _ = cursor.advance(to, start()).await.expect("the store answers");
    }
}

fn events_of(events: &[FeedEvent]) -> Vec<Event> {
    events.iter().map(|one| one.event.clone()).collect()
}

/// A purge removes the oldest events from the feed and the trail. The others stay at their
/// positions, and the event of the purge states what it removed.
pub async fn purge_removes_the_oldest_events_and_the_others_stay(fixture: FeedFixture) {
    let ((service, _), factory) = (service(&fixture), Factory::new());
    record(&*fixture.store(), &factory, 9).await;
    let before = whole_feed(&*fixture.feed, 9).await;
    for (purges, max, gone) in [(1, 4, 4), (2, 3, 7)] {
        let purged = purge(&service, max).await;
        assert_eq!((purged.removed, purged.more, purged.held_by), (max, true, None));
        let whole = whole_feed(&*fixture.feed, 9 - gone + purges).await;
        assert_eq!(whole[..9 - gone], before[gone..], "the others stay");
        let last = &whole.last().expect("that of the purge").event;
        assert_eq!(last.detail.get("removed"), Some(&*max.to_string()));
        let stated = RemovedEvents { at: service.now(), through: before[gone - 1].position };
        assert_eq!(RemovedEvents::stated_by(last), Some(stated));
        let mut trail =
            all_events(&*fixture.store(), &Scope::All, &EventFilter::default(), 50).await;
        trail.sort_by_key(|event| (event.at, event.id));
        let mut expected = events_of(&whole);
        expected.sort_by_key(|event| (event.at, event.id));
        assert_eq!(trail, expected, "the trail has the same events");
    }
}

/// The events of an invitation, of a user and of a request are removed from their lists too, and
/// the invitation stays usable.
pub async fn purged_events_are_in_no_list_and_change_no_invitation(fixture: FeedFixture) {
    let ((service, _), factory) = (service(&fixture), Factory::new());
    let (store, row) = (fixture.store(), factory.invitation());
    factory.insert(&*store, std::slice::from_ref(&row)).await;
    let redeem = factory.default_redeem(&row, &newcomer("anna"));
    assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)), "it is unused");
    let request = CorrelationId::new("request 7").expect("a correlation id");
    let context = RequestContext { correlation: Some(request.clone()), source: None };
    let viewed = Event { context, ..factory.event(Action::View, start()) };
    store.record(std::slice::from_ref(&viewed)).await.expect("the store records");
    let of_request = EventFilter { correlation: Some(request), ..EventFilter::default() };
    assert_eq!(all_events(&*store, &Scope::All, &of_request, 50).await, [viewed]);
    whole_feed(&*fixture.feed, 3).await;
    assert_eq!(purge(&service, 10).await.removed, 3);
    let none = EventFilter::default();
    for filter in [
        EventFilter { invitation: Some(row.id), ..none.clone() },
        EventFilter { user: Some(user("u-anna")), ..none.clone() },
        of_request,
    ] {
        assert_eq!(all_events(&*store, &Scope::All, &filter, 50).await, [], "{filter:?}");
    }
    let sales = Scope::Division(row.division.clone());
    assert_eq!(all_events(&*store, &sales, &none, 50).await, []);
    let again = factory.default_redeem(&row, &newcomer("anna"));
    let Outcome::Refused(facts) = apply(&*store, &again).await else { panic!("it is used") };
    assert_eq!(facts.mine.expect("the redemption stays").user, user("u-anna"));
}

/// A purge stops before the first event that is not old enough, although an older one follows.
/// It never goes beyond the slowest cursor, and says which one that is.
pub async fn purge_stops_at_a_young_event_and_at_the_slowest_cursor(fixture: FeedFixture) {
    let ((service, clock), factory) = (service(&fixture), Factory::new());
    record(&*fixture.store(), &factory, 6).await;
    let whole = whole_feed(&*fixture.feed, 6).await;
    let name = |name: &str| CursorName::new(name).expect("a name");
    advance(&fixture, "mail", None).await;
    advance(&fixture, "webhook", Some(whole[4].position)).await;
    for (to, removed, held_by) in [
        (None, 0, Some(name("mail"))),
        (Some(whole[2].position), 3, Some(name("mail"))),
        (Some(whole[5].position), 2, Some(name("webhook"))),
    ] {
        advance(&fixture, "mail", to).await;
        let purged = purge(&service, 50).await;
        assert_eq!((purged.removed, purged.held_by), (removed, held_by), "mail at {to:?}");
    }
    // Removing the cursor of a consumer that is gone lets the purge go on.
    let cursors = fixture.whole.cursors().await.expect("the store answers");
    assert_eq!(cursors.len(), 2);
    for cursor in &cursors {
        let removed = fixture.whole.remove_cursor(&cursor.name, cursor.version).await;
        assert!(removed.expect("the store answers"), "{cursor:?}");
    }
    let purged = purge(&service, 50).await;
    assert_eq!((purged.removed, purged.held_by), (1, None), "up to the first purge's event");
    // One microsecond before a day has passed, the events of the purges are too young.
    clock.advance(AGE);
    assert_eq!(purge(&service, 50).await.removed, 0);
    whole_feed(&*fixture.feed, 3).await;
    clock.advance(Duration::MICROSECOND);
    assert_eq!(purge(&service, 50).await.removed, 3, "the events of the purges");
}

/// After a purge of all events, later ones stand behind the position of the last removed one.
pub async fn events_after_a_purge_of_all_stand_behind_it(fixture: FeedFixture) {
    let ((service, _), factory) = (service(&fixture), Factory::new());
    record(&*fixture.store(), &factory, 5).await;
    let whole = whole_feed(&*fixture.feed, 5).await;
    let last = whole[4].position;
    assert_eq!(purge(&service, 50).await.removed, 5);
    // Some stores order events by the first read that finds them.
    let purged = whole_feed(&*fixture.feed, 1).await;
    assert_eq!(purged[0].event.action, Action::PurgeEvents);
    let more = factory.event(Action::Copy, start());
    fixture.store().record(std::slice::from_ref(&more)).await.expect("the store records");
    let left = whole_feed(&*fixture.feed, 2).await;
    assert!(left.iter().all(|one| one.position > last), "{left:?}");
    assert_eq!((&left[0], &left[1].event), (&purged[0], &more));
    let behind = fixture.feed.feed(Some(last), at_most(10)).await.expect("it answers");
    assert_eq!(behind.events, left, "a consumer at the last position misses nothing");
    let early = fixture.feed.feed(Some(whole[0].position), at_most(10)).await;
    assert_eq!(early.expect("it answers").events, left, "nor does one behind it");
}

/// Concurrent purges remove each event once, and their events state as many as were removed.
pub async fn concurrent_purges_remove_each_event_once(fixture: FeedFixture) {
    let ((service, _), factory) = (service(&fixture), Factory::new());
    record(&*fixture.store(), &factory, 24).await;
    whole_feed(&*fixture.feed, 24).await;
    let jobs = (0..6).map(|_| {
        let service = service.clone();
        async move {
            let job = SystemActor::for_bootstrap();
            let mut removed = 0;
            for _ in 0..2 {
                // A conflict with the others may last too long; the next call goes on.
                if let Ok(purged) = service.purge_events(&job, AGE, at_most(4)).await {
                    removed += purged.removed;
                }
            }
            removed
        }
    });
    let removed: u32 = run_concurrently(jobs.collect()).await.into_iter().sum();
    let rest = purge(&service, 50).await.removed;
    let filter = EventFilter::default();
    let left = all_events(&*fixture.store(), &Scope::All, &filter, 50).await;
    let stated = |event: &Event| event.detail.get("removed")?.parse::<u32>().ok();
    assert_eq!(removed + rest, 24, "each one once");
    assert_eq!(left.iter().filter_map(stated).sum::<u32>(), 24, "as their events state");
    assert!(left.iter().all(|event| event.action == Action::PurgeEvents), "{left:?}");
}

/// A cursor is removed at its version only. A consumer that claims it again begins anew.
pub async fn cursor_is_removed_at_its_known_version_only(fixture: FeedFixture) {
    let position = FeedPosition { epoch: 1, transaction: 0, sequence: 7 };
    advance(&fixture, "mail", Some(position)).await;
    advance(&fixture, "Mail", None).await;
    let name = CursorName::new("mail").expect("a name");
    for version in [0, 1, 3, u64::MAX] {
        let removed = fixture.whole.remove_cursor(&name, version).await;
        assert!(!removed.expect("the store answers"), "{version}");
    }
    assert!(fixture.whole.remove_cursor(&name, 2).await.expect("the store answers"));
    assert!(!fixture.whole.remove_cursor(&name, 2).await.expect("the store answers"), "gone");
    assert_eq!(fixture.cursors.cursor(&name).await.expect("the store answers"), None);
    let left = fixture.whole.cursors().await.expect("the store answers");
    let names: Vec<_> = left.iter().map(|cursor| cursor.name.as_str()).collect();
    assert_eq!(names, ["Mail"]);
    advance(&fixture, "mail", None).await;
    let again = fixture.cursors.cursor(&name).await.expect("the store answers");
    assert_eq!(again.map(|cursor| (cursor.position, cursor.version)), Some((None, 1)));
}

/// Purging events needs its right and all divisions. A denial is recorded, and nothing is removed
/// by it, nor by a call outside of the limits.
pub async fn purge_of_events_outside_rights_and_limits_removes_nothing(fixture: FeedFixture) {
    let ((service, _), factory) = (service(&fixture), Factory::new());
    record(&*fixture.store(), &factory, 3).await;
    let before = whole_feed(&*fixture.feed, 3).await;
    let at_home = Actor::in_division(user("u-ada"), role("admin"), division("sales"));
    let forbidden = Refusal::Forbidden { right: Right::PurgeEvents };
    for (actor, reason) in
        [(manager("sales"), Reason::RightMissing), (at_home, Reason::DivisionNotAllowed)]
    {
        let answer = service.purge_events(&actor, AGE, at_most(9)).await;
        assert_eq!(refusal(answer), forbidden, "{reason}");
        let filter = EventFilter { user: Some(actor.user().clone()), ..EventFilter::default() };
        let events = all_events(&*fixture.store(), &Scope::All, &filter, 50).await;
        assert_eq!((events[0].action, events[0].reason), (Action::PurgeEvents, Some(reason)));
    }
    let day = Duration::DAY - Duration::MICROSECOND;
    for (age, max) in [(day, 9), (-Duration::MAX, 9), (Duration::MAX, 9), (AGE, 1_001)] {
        let answer = service.purge_events(&admin(), age, at_most(max)).await;
        assert!(answer.is_err(), "{age} {max}");
    }
    let whole = whole_feed(&*fixture.feed, 5).await;
    assert_eq!(whole[..3], before, "all are there");
    let purged = service.purge_events(&admin(), AGE, at_most(9)).await.expect("they may");
    assert_eq!(purged.removed, 3);
}

/// A holder whose cursor was removed and claimed anew cannot change the new cursor, at whatever
/// version both stand.
pub async fn former_holder_of_a_removed_cursor_changes_no_new_one(fixture: FeedFixture) {
    let at = |sequence| FeedPosition { epoch: 1, transaction: 0, sequence };
    let name = CursorName::new("mail").expect("a name");
    let claimed = async |holder: &str, now| {
        let holder = CursorHolder::new(holder).expect("a name");
        let claimed = claim(&fixture.cursors, &name, &holder, now, Duration::MINUTE).await;
        let Claim::Granted(cursor) = claimed.expect("the store answers") else {
            panic!("{holder:?} finds no other lease")
        };
        cursor
    };
    for (changes_before, n) in [(0, 0), (1, 2), (3, 4)] {
        let now = later(start(), n * HOUR);
        let mut former = claimed("former", now).await;
        for sequence in 0..changes_before {
            let _ = former.advance(at(sequence), now).await.expect("the store answers");
        }
        let stored = fixture.cursors.cursor(&name).await.expect("the store answers");
        let version = stored.expect("it is stored").version;
        assert!(fixture.whole.remove_cursor(&name, version).await.expect("the store answers"));

        let now = later(now, HOUR);
        let mut present = claimed("present", now).await;
        let late = former.advance(at(9), now).await.expect("the store answers");
        assert_eq!(late, Advance::TakenOver, "after {changes_before} changes");
        former.release().await.expect("the store answers");
        assert_eq!(present.position(), None, "it begins anew");
        assert_eq!(present.advance(at(1), now).await.expect("it answers"), Advance::Done);
        assert_eq!(present.position(), Some(at(1)), "after {changes_before} changes");
        present.release().await.expect("the store answers");
        let stored = fixture.cursors.cursor(&name).await.expect("the store answers");
        let version = stored.expect("it is stored").version;
        assert!(fixture.whole.remove_cursor(&name, version).await.expect("the store answers"));
    }
}
