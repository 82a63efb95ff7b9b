//! The feed beside transactions that stay open.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use invitation_conformance::feed::system_event;
use invitation_core::{
    Event, EventId, Store, Timestamp,
    feed::{Feed, FeedEvent, FeedPosition},
};
use invitation_sqlx::SqlStore;
use support::host::Host;

/// Returns an event whose id is this number. Its time is always the same.
fn event(number: u8) -> Event {
    system_event(EventId::from_bytes([number; 16]), Timestamp::from_micros(1).unwrap())
}

/// Reads all that is there behind a position, without waiting.
async fn read(feed: &impl Feed, after: Option<FeedPosition>) -> Vec<FeedEvent> {
    let mut read: Vec<FeedEvent> = Vec::new();
    loop {
        let last = read.last().map(|one| one.position).or(after);
        let page = feed.feed(last, NonZeroU32::new(2).unwrap()).await.unwrap();
        assert!(page.events.iter().all(|one| Some(one.position) > last));
        read.extend(page.events);
        if !page.more {
            return read;
        }
    }
}

fn numbers(read: &[FeedEvent]) -> Vec<u8> {
    read.iter().map(|one| one.event.id.as_bytes()[0]).collect()
}

/// Reads until an event of this number has come. On PostgreSQL, transactions of other tests on
/// the same server hold events back.
async fn read_until<DB: support::host::Kind>(
    store: &SqlStore<DB>,
    after: Option<FeedPosition>,
    number: u8,
) -> Vec<FeedEvent> {
    let begun = Instant::now();
    loop {
        let found = read(store, after).await;
        if numbers(&found).contains(&number) {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", numbers(&found));
        tokio::task::yield_now().await;
    }
}

/// An event whose transaction commits late is in the feed behind everything that was read before,
/// although it was written first. Reading does not wait for the transaction.
async fn late_committer_stands_behind_what_was_read<DB: support::host::Kind>() {
    let host = Host::<DB>::new().await;
    let store = host.invitations.store();
    store.record(&[event(1)]).await.unwrap();
    let first = read_until(store, None, 1).await;
    assert_eq!(numbers(&first), [1]);

    let mut open = host.begin().await;
    store.join(&mut open).record(&[event(2)]).await.unwrap();
    let mut undone = host.begin().await;
    store.join(&mut undone).record(&[event(3)]).await.unwrap();
    store.record(&[event(4)]).await.unwrap();
    // The transactions are open. Whether event 4 is there depends on the database.
    let during = read(store, first.last().map(|one| one.position)).await;
    assert!(!numbers(&during).contains(&2) && !numbers(&during).contains(&3));

    undone.rollback().await.unwrap();
    open.commit().await.unwrap();
    store.record(&[event(5)]).await.unwrap();
    let after = during.last().or(first.last()).map(|one| one.position);
    let later = read_until(store, after, 5).await;
    let mut all: Vec<_> = numbers(&[first, during, later].concat());
    let whole = numbers(&read(store, None).await);
    assert_eq!(all, whole, "the order is the same for a consumer that reads it later");
    all.sort_unstable();
    assert_eq!(all, [1, 2, 4, 5], "each committed event once");
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_late_committer_stands_behind_what_was_read() {
    late_committer_stands_behind_what_was_read::<invitation_sqlx::sqlx::Postgres>().await;
}

/// A transaction with an event stays open while others write and a consumer reads, hundreds of
/// times. Its event comes behind everything that was read, and nothing is missing. The reads stand
/// for the minute that a slow job may take: the feed reads no clock.
#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_writer_held_open_over_many_reads_is_not_missed() {
    const ROUNDS: u8 = 240;
    let host = Host::<invitation_sqlx::sqlx::Postgres>::new().await;
    let store = host.invitations.store();
    store.record(&[event(0)]).await.unwrap();
    let mut seen = read_until(store, None, 0).await;
    let mut held = host.begin().await;
    store.join(&mut held).record(&[event(255)]).await.unwrap();
    for number in 1..ROUNDS {
        store.record(&[event(number)]).await.unwrap();
        let after = seen.last().map(|one| one.position);
        seen.extend(read(store, after).await);
    }
    assert!(!numbers(&seen).contains(&255), "it is not committed");
    held.commit().await.unwrap();
    let after = seen.last().map(|one| one.position);
    seen.extend(read_until(store, after, ROUNDS - 1).await);
    assert_eq!(numbers(&read(store, None).await), numbers(&seen), "the order stays");
    let mut all = numbers(&seen);
    all.sort_unstable();
    assert_eq!(all, (0..ROUNDS).chain([255]).collect::<Vec<_>>(), "each event once");
}

/// A dump restored on another server has events of transactions that the server has not begun.
#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_feed_of_a_dump_of_another_server_is_an_error_until_it_is_mended() {
    let host = Host::<invitation_sqlx::sqlx::Postgres>::new().await;
    let store = host.invitations.store();
    store.record(&[event(1)]).await.unwrap();
    let restored = "UPDATE invitation_events SET transaction = '4611686018427387904'::XID8";
    support::host::run(host.pool(), restored).await;
    let error = store.feed(None, NonZeroU32::MIN).await.unwrap_err();
    assert_eq!(error.kind(), invitation_core::StoreErrorKind::Corrupt);

    let page = include_str!("../src/lib.rs");
    let cure = page.lines().filter_map(|line| line.strip_prefix("//! UPDATE "));
    let cure = cure.map(|line| format!("UPDATE {line}")).collect::<Vec<_>>().join("\n");
    assert_eq!(cure.matches("UPDATE").count(), 2);
    support::host::run(host.pool(), &cure).await;
    store.record(&[event(2)]).await.unwrap();
    assert_eq!(numbers(&read_until(store, None, 2).await), [1, 2]);
}

#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_late_committer_stands_behind_what_was_read() {
    late_committer_stands_behind_what_was_read::<invitation_sqlx::sqlx::MySql>().await;
}

/// A call that assigns positions is at work in another process. This call neither waits for it, nor
/// makes its consumer ask again at once.
#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_page_beside_another_assigner_is_returned_at_once_without_more() {
    let host = Host::<invitation_sqlx::sqlx::MySql>::new().await;
    let store = host.invitations.store();
    store.record(&[event(1)]).await.unwrap();
    let mut assigner = host.begin().await;
    let lock = "SELECT last FROM invitation_feed WHERE id = 1 FOR UPDATE";
    support::host::inside(&mut assigner, lock).await;
    let page = store.feed(None, NonZeroU32::MIN);
    let page = tokio::time::timeout(Duration::from_secs(20), page).await;
    let page = page.expect("it does not wait for the lock").unwrap();
    assert!(page.events.is_empty());
    assert!(!page.more, "the consumer would ask again at once");
    assigner.rollback().await.unwrap();
    assert_eq!(numbers(&read(store, None).await), [1]);
}

/// More events than one call assigns positions to.
#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_feed_of_more_events_than_one_call_assigns_is_complete_and_in_order() {
    let host = Host::<invitation_sqlx::sqlx::MySql>::new().await;
    let store = host.invitations.store();
    let numbered = |n: u16| {
        let mut id = [7; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        Event { id: EventId::from_bytes(id), ..event(0) }
    };
    let events: Vec<Event> = (0..1_200).map(numbered).collect();
    for events in events.chunks(100) {
        store.record(events).await.unwrap();
    }
    let (mut found, mut last, mut calls) = (Vec::new(), None, 0);
    loop {
        let page = store.feed(last, NonZeroU32::new(1_000).unwrap()).await.unwrap();
        last = page.events.last().map(|one| one.position).or(last);
        found.extend(page.events.into_iter().map(|one| one.event.id));
        calls += 1;
        if !page.more {
            break;
        }
    }
    assert_eq!(found, events.iter().map(|one| one.id).collect::<Vec<_>>());
    assert_eq!(calls, 3);
}

/// An event of a host's transaction gets its position with the commit, or none.
#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_event_of_a_host_transaction_is_in_the_feed_after_its_commit() {
    let host = Host::<invitation_sqlx::sqlx::Sqlite>::new().await;
    let store = host.invitations.store();
    let mut undone = host.begin().await;
    store.join(&mut undone).record(&[event(9)]).await.unwrap();
    undone.rollback().await.unwrap();
    store.record(&[event(1)]).await.unwrap();
    let mut open = host.begin().await;
    store.join(&mut open).record(&[event(3)]).await.unwrap();
    assert_eq!(numbers(&read(store, None).await), [1]);
    open.commit().await.unwrap();
    store.record(&[event(2)]).await.unwrap();
    assert_eq!(numbers(&read(store, None).await), [1, 3, 2]);
}
