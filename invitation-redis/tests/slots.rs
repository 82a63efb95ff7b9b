//! Slots of a cluster that move to another node.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    num::NonZeroU32,
    thread,
    time::{Duration, Instant},
};

use invitation_conformance::feed::system_event;
use invitation_core::{
    Error, EventId, Invitations, Store as _, StoreErrorKind, Timestamp, feed::Feed as _,
};
use invitation_redis::{Namespace, RedisOptions, RedisStore};
use invitation_testkit::RedisCluster;
use support::{admin, options, staff};

async fn open(cluster: &RedisCluster, options: RedisOptions) -> RedisStore {
    let urls = cluster.urls();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    RedisStore::connect_cluster(&urls, options).await.unwrap()
}

fn key(namespace: &Namespace, name: &str) -> String {
    format!("{{{namespace}}}:{name}")
}

/// Returns the present and the next primary of a namespace.
fn primaries(cluster: &RedisCluster, namespace: &Namespace) -> [usize; 2] {
    let from = cluster.primary_of(&key(namespace, "index")).unwrap();
    [from, (from + 1) % 3]
}

fn variants(options: &RedisOptions) -> [RedisOptions; 2] {
    let one = NonZeroU32::MIN;
    [options.clone(), options.clone().wait_replicas(one, Duration::from_secs(1))]
}

/// While some keys are on their way, the cluster asks to try again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_is_made_soon_after_the_slot_has_arrived() {
    let cluster = RedisCluster::start().unwrap();
    for options in variants(&options()) {
        let namespace = options.namespace().clone();
        let invitations = Invitations::new(open(&cluster, options).await);
        invitations.create(&admin(), staff()).await.unwrap();
        let [_, to] = primaries(&cluster, &namespace);
        cluster.begin_to_move_slot_of(&key(&namespace, "codes"), to).unwrap();
        let (created, arrived) = thread::scope(|scope| {
            let moving = scope.spawn(|| {
                thread::sleep(Duration::from_millis(100));
                cluster.move_slot_of(&key(&namespace, "index"), to).unwrap();
                Instant::now()
            });
            let created = tokio::task::block_in_place(|| {
                let runtime = tokio::runtime::Handle::current();
                let created = runtime.block_on(invitations.create(&admin(), staff()));
                created.map(|_| Instant::now())
            });
            (created, moving.join().unwrap())
        });
        let late = created.unwrap().saturating_duration_since(arrived);
        assert!(late < Duration::from_millis(700), "{late:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_ends_although_the_slot_never_arrives() {
    let cluster = RedisCluster::start().unwrap();
    let response = Duration::from_millis(500);
    let patience = [response, response + Duration::from_secs(1)];
    let options = options().with_response_timeout(response);
    for (options, patience) in variants(&options).into_iter().zip(patience) {
        let namespace = options.namespace().clone();
        let invitations = Invitations::new(open(&cluster, options).await);
        let [_, to] = primaries(&cluster, &namespace);
        cluster.begin_to_move_slot_of(&key(&namespace, "codes"), to).unwrap();
        let begun = Instant::now();
        let answer = invitations.create(&admin(), staff()).await;
        let Err(Error::Store(error)) = answer else { panic!("the slot is on its way") };
        assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown);
        let taken = begun.elapsed();
        assert!(taken < patience * 2 + Duration::from_millis(500), "{taken:?}");
        cluster.move_slot_of(&key(&namespace, "index"), to).unwrap();
        invitations.create(&admin(), staff()).await.unwrap();
    }
}

/// The new node has another replication id. A consumer reads on, and misses no event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feed_begins_an_epoch_when_its_slot_moves() {
    let (cluster, options) = (RedisCluster::start().unwrap(), options());
    let namespace = options.namespace().clone();
    let store = open(&cluster, options).await;
    let record = async |numbers: &[u8]| {
        let at = Timestamp::from_micros(1).unwrap();
        let event = |number: &u8| system_event(EventId::from_bytes([*number; 16]), at);
        store.record(&numbers.iter().map(event).collect::<Vec<_>>()).await.unwrap();
    };
    let read = async |after| {
        let page = store.feed(after, NonZeroU32::new(10).unwrap()).await.unwrap();
        let number = |one: &invitation_core::feed::FeedEvent| one.event.id.as_bytes()[0];
        let numbers: Vec<u8> = page.events.iter().map(number).collect();
        (numbers, page.events.last().map(|one| one.position), page.epoch)
    };
    record(&[1, 2, 3]).await;
    let (numbers, position, epoch) = read(None).await;
    assert_eq!(numbers, [1, 2, 3]);

    let [_, to] = primaries(&cluster, &namespace);
    cluster.move_slot_of(&key(&namespace, "index"), to).unwrap();
    record(&[4]).await;
    let (numbers, last, new_epoch) = read(position).await;
    assert_eq!(numbers, [4]);
    assert!(new_epoch.number > epoch.number);
    assert_eq!(new_epoch.follows, position);
    record(&[5]).await;
    assert_eq!(read(last).await.0, [5]);
}
