//! Cursors: one holder at a time, and a position that survives it.

use std::{collections::HashMap, sync::Arc};

use invitation_core::{
    Action, EventId, Timestamp,
    feed::{
        Advance, Claim, ClaimedCursor, CursorHolder, CursorName, FeedCursor, FeedCursors,
        FeedPosition, claim,
    },
};
use time::Duration;

use super::{FeedFixture, reader::whole_feed};
use crate::support::{
    concurrent::run_concurrently,
    factory::Factory,
    samples::{later, start},
};

const LEASE: Duration = Duration::MINUTE;

type Cursors = Arc<dyn FeedCursors>;

fn named(name: &str) -> CursorName {
    CursorName::new(name).expect("a valid name")
}

async fn claimed(cursors: &Cursors, name: &str, holder: &str, now: Timestamp) -> Claim<Cursors> {
    let holder = CursorHolder::new(holder).expect("a valid name");
    let claimed = claim(Arc::clone(cursors), &named(name), &holder, now, LEASE).await;
    claimed.expect("the store answers")
}

async fn held(
    cursors: &Cursors,
    name: &str,
    holder: &str,
    now: Timestamp,
) -> ClaimedCursor<Cursors> {
    match claimed(cursors, name, holder, now).await {
        Claim::Granted(cursor) => cursor,
        Claim::Taken(lease) => panic!("{holder} claims {name}, but {lease:?}"),
    }
}

fn position(sequence: u64) -> FeedPosition {
    FeedPosition { epoch: 7, transaction: u64::MAX / 2, sequence }
}

fn minutes(n: i64) -> Timestamp {
    start().checked_add(LEASE * i32::try_from(n).expect("a few")).expect("a valid time")
}

/// A cursor is returned as it was stored, with each of its parts, and names are compared byte for
/// byte.
pub async fn stored_cursor_is_returned_unchanged(fixture: FeedFixture) {
    let cursors = &fixture.cursors;
    assert_eq!(cursors.cursor(&named("mail")).await.expect("it answers"), None);
    held(cursors, "mail", "machine 1 – ä", start()).await;
    let mut cursor = held(cursors, "Mail", "machine 2", minutes(2)).await;
    let _ = cursor.advance(position(u64::MAX / 2), minutes(3)).await.expect("it answers");
    let stored = cursors.cursor(&named("Mail")).await.expect("it answers").expect("it exists");
    let FeedCursor { name, position: at, lease, claims, version } = stored;
    assert_eq!((name, at), (named("Mail"), Some(position(u64::MAX / 2))));
    assert_eq!((claims > 0, version), (true, 2));
    let lease = lease.expect("it is held");
    assert_eq!((lease.holder.as_str(), lease.until), ("machine 2", minutes(4)));
    let other = cursors.cursor(&named("mail")).await.expect("it answers").expect("it exists");
    assert_eq!((other.position, other.version), (None, 1));
    cursor.release().await.expect("it answers");
    let released = cursors.cursor(&named("Mail")).await.expect("it answers").expect("it exists");
    assert_eq!((released.lease, released.version), (None, 3));
}

/// Of several replacements of one version exactly one succeeds, and the others change nothing.
pub async fn cursor_is_replaced_at_its_known_version_only(fixture: FeedFixture) {
    let cursors = &fixture.cursors;
    held(cursors, "mail", "a", start()).await;
    let stored = cursors.cursor(&named("mail")).await.expect("it answers").expect("it exists");
    for version in [0, 1, 3, u64::MAX / 2] {
        let wrong = FeedCursor { version, claims: stored.claims + 9, ..stored.clone() };
        assert!(!cursors.replace_cursor(&wrong).await.expect("it answers"), "{version}");
    }
    let unknown = FeedCursor { name: named("other"), version: 2, ..stored.clone() };
    assert!(!cursors.replace_cursor(&unknown).await.expect("it answers"), "none is stored");
    let now = cursors.cursor(&named("mail")).await.expect("it answers");
    assert_eq!(now, Some(stored.clone()), "unchanged");
    let late = FeedCursor { version: 2, claims: stored.claims - 1, ..stored.clone() };
    assert!(!cursors.replace_cursor(&late).await.expect("it answers"), "a later claim is stored");
    let next = FeedCursor { version: 2, claims: stored.claims + 9, ..stored };
    assert!(cursors.replace_cursor(&next).await.expect("it answers"));
    assert_eq!(cursors.cursor(&named("mail")).await.expect("it answers"), Some(next));
}

/// A second holder gets the cursor from the end of the lease on, at the position of the first
/// one, which can then no longer advance it.
pub async fn cursor_of_a_dead_holder_is_handed_on(fixture: FeedFixture) {
    let cursors = &fixture.cursors;
    let mut first = held(cursors, "mail", "first", start()).await;
    assert_eq!(first.position(), None);
    assert_eq!(first.advance(position(5), start()).await.expect("it answers"), Advance::Done);
    let one_before = later(minutes(1), -1);
    let taken = claimed(cursors, "mail", "second", one_before).await;
    let Claim::Taken(lease) = taken else { panic!("the lease has not ended") };
    assert_eq!((lease.holder.as_str(), lease.until), ("first", minutes(1)));

    let mut second = held(cursors, "mail", "second", minutes(1)).await;
    assert_eq!(second.position(), Some(position(5)));
    let late = first.advance(position(9), minutes(1)).await.expect("it answers");
    assert_eq!(late, Advance::TakenOver);
    let again = first.advance(position(9), minutes(1)).await.expect("it answers");
    assert_eq!(again, Advance::TakenOver, "the first answer taught it no newer claim");
    first.release().await.expect("it answers");
    let stored = cursors.cursor(&named("mail")).await.expect("it answers").expect("it exists");
    let holder = stored.lease.map(|lease| lease.holder.as_str().to_owned());
    assert_eq!(holder.as_deref(), Some("second"), "the late release freed nothing");
    let on = second.advance(position(6), minutes(1)).await.expect("it answers");
    assert_eq!(on, Advance::Done, "the late calls changed nothing");
    second.release().await.expect("it answers");
    assert_eq!(held(cursors, "mail", "third", start()).await.position(), Some(position(6)));
}

/// Of many processes that claim a cursor at the same moment exactly one gets it.
pub async fn concurrent_claims_of_a_cursor_succeed_once(fixture: FeedFixture) {
    for round in 0..5 {
        let jobs = (0..16).map(|n| {
            let cursors = Arc::clone(&fixture.cursors);
            async move { claimed(&cursors, "mail", &format!("p{n}"), minutes(round)).await }
        });
        let claims = run_concurrently(jobs.collect()).await;
        let winners = claims.iter().filter(|claim| matches!(claim, Claim::Granted(_))).count();
        assert_eq!(winners, 1, "round {round}");
    }
}

/// Consumers that share a cursor process each event at least once, although some of them die
/// before they advance it.
pub async fn consumers_of_one_cursor_share_the_feed_and_lose_nothing(fixture: FeedFixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let events: Vec<_> = (0..40).map(|n| factory.event(Action::View, later(start(), n))).collect();
    store.record(&events).await.expect("the store records");
    let whole = whole_feed(&*fixture.feed, 40).await;
    let mut processed: HashMap<EventId, u32> = HashMap::new();
    let page = std::num::NonZeroU32::new(3).expect("not zero");
    for turn in 0..40 {
        let now = minutes(turn);
        let mut cursor = held(&fixture.cursors, "mail", &format!("p{}", turn % 3), now).await;
        let read = fixture.feed.feed(cursor.position(), page).await.expect("it answers");
        for one in &read.events {
            *processed.entry(one.event.id).or_default() += 1;
        }
        let Some(last) = read.events.last() else { break };
        // Every fourth consumer dies after its work, and holds the cursor until the lease ends.
        if turn % 4 != 3 {
            let moved = cursor.advance(last.position, now).await.expect("it answers");
            assert_eq!(moved, Advance::Done);
            cursor.release().await.expect("it answers");
        }
    }
    assert!(whole.iter().all(|one| processed.contains_key(&one.event.id)), "nothing is lost");
    let repeated = processed.values().filter(|times| **times > 1).count();
    assert!(repeated > 0 && repeated < 40, "{repeated} were repeated after a death");
}
