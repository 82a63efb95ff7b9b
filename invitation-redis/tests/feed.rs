//! The feed across promotions and restarts, which may lose acknowledged events.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::num::NonZeroU32;

use invitation_conformance::feed::system_event;
use invitation_core::{
    EventId, Invitations, Store, StoreErrorKind, SystemActor, Timestamp,
    feed::{Feed, FeedEpoch, FeedEvent, FeedPosition},
};
use invitation_redis::{RedisOptions, RedisStore};
use invitation_testkit::Redis;
use support::options;

/// Records events with these numbers as ids.
async fn record(store: &RedisStore, numbers: impl IntoIterator<Item = u8>) {
    let at = Timestamp::from_micros(1).unwrap();
    let event = |number| system_event(EventId::from_bytes([number; 16]), at);
    store.record(&numbers.into_iter().map(event).collect::<Vec<_>>()).await.unwrap();
}

async fn open(server: &Redis, options: &RedisOptions) -> RedisStore {
    RedisStore::connect(&server.url(), options.clone()).await.unwrap()
}

/// Reads to the end behind a position. Returns the events, and the epoch of the last page.
async fn read(store: &RedisStore, after: Option<FeedPosition>) -> (Vec<FeedEvent>, FeedEpoch) {
    let mut read: Vec<FeedEvent> = Vec::new();
    loop {
        let last = read.last().map(|one| one.position).or(after);
        let page = store.feed(last, NonZeroU32::new(2).unwrap()).await.unwrap();
        assert!(page.events.iter().all(|one| Some(one.position) > last), "positions increase");
        assert!(page.events.iter().all(|one| one.position.epoch == page.epoch.number));
        read.extend(page.events);
        if !page.more {
            return (read, page.epoch);
        }
    }
}

fn numbers(read: &[FeedEvent]) -> Vec<u8> {
    read.iter().map(|one| one.event.id.as_bytes()[0]).collect()
}

/// The new primary gives the sequences of lost events to new events. A consumer that has received
/// the lost ones receives the new ones, in a new epoch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_in_the_place_of_a_lost_one_is_read_in_a_new_epoch() {
    let (primary, options) = (Redis::start().unwrap(), options());
    let replica = Redis::replica_of(&primary).unwrap();
    let before = open(&primary, &options).await;
    record(&before, 1..=3).await;
    let (first, epoch) = read(&before, None).await;
    assert_eq!((numbers(&first), epoch.follows), (vec![1, 2, 3], None));
    record(&before, [4]).await;
    replica.catch_up_with(&primary).unwrap();
    // As in a partition: the replica is promoted while the primary still answers.
    replica.promote().unwrap();
    record(&before, [5, 6]).await;
    let (lost, _) = read(&before, first.last().map(|one| one.position)).await;
    assert_eq!(numbers(&lost), [4, 5, 6]);
    let position = lost.last().map(|one| one.position);
    primary.stop_now().unwrap();

    let after = open(&replica, &options).await;
    record(&after, [7, 8]).await;
    let (next, new_epoch) = read(&after, position).await;
    // The new primary does not know that event 4 was handed out, so it comes again.
    assert_eq!(numbers(&next), [4, 7, 8], "no event is missed");
    assert!(new_epoch.number > epoch.number);
    let follows = new_epoch.follows.unwrap();
    assert_eq!(Some(follows), first.last().map(|one| one.position), "the last certain position");

    // A consumer that was further behind receives the same events from then on.
    let (all, _) = read(&after, None).await;
    assert_eq!(numbers(&all), [1, 2, 3, 4, 7, 8]);
    assert_eq!(all[..3], first[..], "certain positions stay");
    assert_eq!(all[3..], next[..]);
    record(&after, [9]).await;
    let (ninth, same_epoch) = read(&after, next.last().map(|one| one.position)).await;
    assert_eq!((numbers(&ninth), same_epoch), (vec![9], new_epoch));
}

/// A second primary, promoted from a replica that has not heard of the first one's epoch, begins
/// an epoch that differs from it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_epoch_is_not_begun_again() {
    let (primary, options) = (Redis::start().unwrap(), options());
    let [first, second] = [(); 2].map(|()| Redis::replica_of(&primary).unwrap());
    let store = open(&primary, &options).await;
    record(&store, 1..=2).await;
    let (read_before, _) = read(&store, None).await;
    let position = read_before.last().map(|one| one.position);
    for replica in [&first, &second] {
        replica.catch_up_with(&primary).unwrap();
        replica.promote().unwrap();
    }
    primary.stop_now().unwrap();
    let lost = open(&first, &options).await;
    record(&lost, 3..=5).await;
    let (of_lost, lost_epoch) = read(&lost, position).await;
    assert_eq!(numbers(&of_lost), [3, 4, 5]);
    first.stop_now().unwrap();

    let kept = open(&second, &options).await;
    record(&kept, [6]).await;
    // Another consumer lets the epoch of this server begin.
    read(&kept, None).await;
    record(&kept, [7]).await;
    let (next, epoch) = read(&kept, of_lost.last().map(|one| one.position)).await;
    assert_eq!(numbers(&next), [6, 7], "no event is missed");
    assert!(epoch.number > lost_epoch.number);
}

/// A restart of the only server begins a new epoch without repeating events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_begins_an_epoch_behind_what_was_read() {
    let (server, options) = (Redis::durable().unwrap(), options());
    let store = open(&server, &options).await;
    record(&store, 1..=3).await;
    let (first, epoch) = read(&store, None).await;
    let mut epochs = vec![epoch.number];
    for _ in 0..2 {
        server.stop_now().unwrap();
        server.start_again().unwrap();
        let store = open(&server, &options).await;
        let (none, epoch) = read(&store, first.last().map(|one| one.position)).await;
        assert_eq!(none, []);
        assert_eq!(epoch.follows, first.last().map(|one| one.position));
        epochs.push(epoch.number);
    }
    assert!(epochs.is_sorted() && epochs[0] < epochs[1], "{epochs:?}");
    let store = open(&server, &options).await;
    record(&store, [4]).await;
    let (all, _) = read(&store, None).await;
    assert_eq!(numbers(&all), [1, 2, 3, 4]);
    assert_eq!(all[..3], first[..]);
}

/// The list of the feed is shorter after a purge. Sequences stay, also in the epoch of a promoted
/// replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sequences_stay_after_a_purge_and_a_promotion() {
    let (primary, options) = (Redis::start().unwrap(), options());
    let replica = Redis::replica_of(&primary).unwrap();
    let before = open(&primary, &options).await;
    record(&before, 1..=5).await;
    let (first, _) = read(&before, None).await;
    let invitations = Invitations::new(before);
    let (job, age) = (SystemActor::for_bootstrap(), time::Duration::DAY);
    let three = NonZeroU32::new(3).unwrap();
    assert_eq!(invitations.purge_events(&job, age, three).await.unwrap().removed, 3);
    let (left, _) = read(invitations.store(), None).await;
    assert_eq!(left[..2], first[3..], "the others stay at their positions");
    assert_eq!((left.len(), left[2].position.sequence), (3, 6));
    replica.catch_up_with(&primary).unwrap();
    replica.promote().unwrap();
    primary.stop_now().unwrap();

    let after = open(&replica, &options).await;
    record(&after, [6]).await;
    let (all, epoch) = read(&after, None).await;
    assert_eq!(all[..3], left[..], "certain positions stay");
    assert_eq!((all.len(), all[3].position.sequence), (4, 7));
    assert_eq!(epoch.follows, Some(left[2].position));
    let invitations = Invitations::new(after);
    assert_eq!(invitations.purge_events(&job, age, three).await.unwrap().removed, 2);
    let (rest, _) = read(invitations.store(), first.last().map(|one| one.position)).await;
    assert_eq!(rest[..2], all[2..], "events of two epochs");
}

/// A server whose clock was days ahead has numbered an epoch, and was then replaced or corrected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn epoch_numbered_by_a_clock_that_was_ahead_is_read_on() {
    let options = options();
    let store = open(Redis::shared(), &options).await;
    record(&store, 1..=3).await;
    let cursors = format!("{{{}}}:cursors", options.namespace());
    let number_ahead = "
        local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
        local ahead = (redis.call('TIME')[1] + 2 * 86400) * 1000000
        return redis.call('HSET', KEYS[1], 'e', cmsgpack.pack({ id, 0, { ahead, 0 } }))";
    Redis::shared().ask(&["EVAL", number_ahead, "1", &cursors]).unwrap();
    let (first, epoch) = read(&store, None).await;
    assert_eq!(numbers(&first), [1, 2, 3]);
    record(&store, [4]).await;
    let (next, same_epoch) = read(&store, first.last().map(|one| one.position)).await;
    assert_eq!((numbers(&next), same_epoch), (vec![4], epoch));
}

/// A position that no server can have handed out is an error, and not the end of the feed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn position_of_a_far_future_epoch_is_an_error() {
    let store = open(Redis::shared(), &options()).await;
    let after = FeedPosition { epoch: u64::MAX / 2, transaction: 0, sequence: 1 };
    let error = store.feed(Some(after), NonZeroU32::MIN).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
}

/// The server comes back empty while the store is open, as after a restart without persistence.
/// The store lays out the namespace with its next write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_event_after_all_data_was_lost_is_read() {
    for reads_first in [false, true] {
        let (server, options) = (Redis::start().unwrap(), options());
        let store = open(&server, &options).await;
        record(&store, 1..=3).await;
        let (before, lost_epoch) = read(&store, None).await;
        let position = before.last().map(|one| one.position);
        server.ask(&["FLUSHALL"]).unwrap();
        if reads_first {
            assert_eq!(read(&store, None).await.0, []);
        }
        record(&store, [4]).await;
        let (found, epoch) = read(&store, None).await;
        assert_eq!((numbers(&found), found[0].position.sequence), (vec![4], 1), "{reads_first}");
        assert!(epoch.number > lost_epoch.number);
        record(&store, 5..=6).await;
        for store in [store, open(&server, &options).await] {
            assert_eq!(numbers(&read(&store, position).await.0), [4, 5, 6], "{reads_first}");
        }
    }
}
