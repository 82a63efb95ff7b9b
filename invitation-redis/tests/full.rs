//! Full memory and a full disk under load: no acknowledged change is lost, no change is
//! half made, and the host recovers by itself when there is space again.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{num::NonZeroU32, time::Duration};

use invitation_core::{
    Error, Invitations, Limits, ManualClock, StoreErrorKind, SystemActor, feed::Feed as _,
};
use invitation_redis::{RedisOptions, RedisStore};
use invitation_testkit::Redis;
use support::{
    admin,
    load::{Load, Service},
    newcomer, options, staff,
    whole::whole,
};

async fn open(server: &Redis, options: &RedisOptions) -> Service {
    let store = RedisStore::connect(&server.url(), options.clone()).await.unwrap();
    let limits = Limits::default().with_denials_per_minute(NonZeroU32::MAX);
    Invitations::new(store).with_limits(limits)
}

fn used_memory(server: &Redis) -> u64 {
    let info = server.ask(&["INFO", "memory"]).unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    line.trim().parse().unwrap()
}

fn limit_memory(server: &Redis, bytes: u64) {
    server.ask(&["CONFIG", "SET", "maxmemory", &bytes.to_string()]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_memory_under_load_and_then_space_again() {
    let (server, options) = (Redis::start().unwrap(), options());
    let invitations = open(&server, &options).await;
    let load = Load::start(&invitations);
    for _ in 0..3 {
        load.each_succeeds().await;
        // The memory fills up while the callers work.
        limit_memory(&server, used_memory(&server) + 300_000);
        load.each_fails().await;
        load.each_fails().await;
        limit_memory(&server, 0);
        let took = load.each_succeeds().await;
        assert!(took < Duration::from_secs(1), "the host serves again after {took:?}");
    }
    let told = load.end().await;
    assert_eq!(told.kinds.keys().collect::<Vec<_>>(), ["Unavailable"], "nothing is unknown");
    told.assert_kept(&whole(&invitations).await);
}

/// Without memory, a user who has redeemed still gets the same redemption, and another user
/// is still refused.
#[tokio::test(flavor = "multi_thread")]
async fn full_memory_does_not_hide_what_has_been_decided() {
    let (server, options) = (Redis::start().unwrap(), options());
    let invitations = open(&server, &options).await;
    let created = invitations.create(&admin(), staff()).await.unwrap();
    let code = created.code().reveal();
    invitations.redeem(&code, &newcomer("anna")).await.unwrap();
    limit_memory(&server, 1);
    let again = invitations.redeem(&code, &newcomer("anna")).await.unwrap();
    assert!(again.is_replayed());
    // The reason is known, but its event cannot be written, so the call must fail instead of
    // returning the refusal.
    let refused = invitations.redeem(&code, &newcomer("ben")).await;
    let is_so = |error: &Error| matches!(error, Error::Store(error) if error.kind() == StoreErrorKind::Unavailable);
    assert!(refused.as_ref().is_err_and(is_so), "{refused:?}");
}

/// Redis allows a first command that frees memory, and then the rest of the script.
#[tokio::test(flavor = "multi_thread")]
async fn full_memory_lets_a_change_that_frees_some_be_made_as_a_whole() {
    let (server, options) = (Redis::start().unwrap(), options());
    let invitations = open(&server, &options).await;
    let created = invitations.create(&admin(), staff()).await.unwrap();
    let code = created.code().reveal();
    let _open = invitations.reserve(&code, &newcomer("anna")).await.unwrap();
    limit_memory(&server, 1);
    let redeemed = invitations.redeem(&code, &newcomer("anna")).await;
    limit_memory(&server, 0);
    let found = whole(&invitations).await;
    let users = &found[&created.invitation().id()];
    assert_eq!(users.len(), usize::from(redeemed.is_ok()), "{redeemed:?}");
    invitations.redeem(&code, &newcomer("anna")).await.unwrap();
    whole(&invitations).await;
}

/// Without memory the feed can be read, so that a purge of events can free some. A new epoch has to
/// be stored, so it cannot begin then.
#[tokio::test(flavor = "multi_thread")]
async fn full_memory_lets_the_feed_be_read_and_events_be_purged() {
    let (server, options) = (Redis::durable().unwrap(), options());
    let invitations = open(&server, &options).await;
    let ten = NonZeroU32::new(10).unwrap();
    let (admin, store) = (admin(), invitations.store());
    let read = || async { store.feed(None, ten).await.map(|page| page.events.len()) };
    let create = || invitations.create(&admin, staff());
    create().await.unwrap();
    assert_eq!(read().await.unwrap(), 1);
    create().await.unwrap();
    server.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).unwrap();
    assert_eq!(read().await.unwrap(), 2, "without replicas");
    server.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]).unwrap();
    create().await.unwrap();
    limit_memory(&server, 1);
    assert_eq!(read().await.unwrap(), 3, "without memory");
    let later = invitations.now().checked_add(time::Duration::days(2)).unwrap();
    let later = invitations.clone().with_clock(ManualClock::new(later));
    let job = SystemActor::for_bootstrap();
    let purged = later.purge_events(&job, time::Duration::DAY, ten).await.unwrap();
    assert_eq!(purged.removed, 3);
    assert_eq!(read().await.unwrap(), 1, "the event of the purge");

    server.stop_now().unwrap();
    server.start_again().unwrap();
    let invitations = open(&server, &options).await;
    limit_memory(&server, 1);
    let read = || invitations.store().feed(None, ten);
    assert_eq!(read().await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    limit_memory(&server, 0);
    assert_eq!(read().await.unwrap().events.len(), 1);
}

/// With `appendfsync everysec` a server with a full disk refuses writes, and accepts them
/// again by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_load_and_then_space_again() {
    let settings = [("appendonly", "yes"), ("auto-aof-rewrite-percentage", "0")];
    let (server, options) = (Redis::with(&settings).unwrap(), options());
    let invitations = open(&server, &options).await;
    let load = Load::start(&invitations);
    load.each_succeeds().await;
    server.limit_files(Some(1)).unwrap();
    load.each_fails().await;
    load.each_fails().await;
    server.limit_files(None).unwrap();
    // The server checks its disk once a second, so the test continues with its first
    // accepted write.
    while server.ask(&["SET", "another", "key"]).is_err() {}
    let took = load.each_succeeds().await;
    assert!(took < Duration::from_secs(1), "the host serves again after {took:?}");
    let told = load.end().await;
    assert_eq!(told.kinds.keys().collect::<Vec<_>>(), ["Unavailable"], "nothing is unknown");
    // This setting may lose the last second. The first write under the other setting also
    // writes all earlier changes, including those made while the disk was full.
    server.ask(&["CONFIG", "SET", "appendfsync", "always"]).unwrap();
    server.ask(&["SET", "another", "key"]).unwrap();
    server.stop_now().unwrap();
    server.start_again().unwrap();
    let found = whole(&open(&server, &options).await).await;
    told.assert_kept(&found);
}

/// With `appendfsync always` a server with a full disk ends before it answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_appendfsync_always_loses_nothing_that_was_answered() {
    let (server, options) = (Redis::durable().unwrap(), options());
    let invitations = open(&server, &options).await;
    let load = Load::start(&invitations);
    load.each_succeeds().await;
    server.limit_files(Some(1)).unwrap();
    server.wait_for_end().unwrap();
    load.each_fails().await;
    server.stop_now().unwrap();
    // The disk has space again; the same store reconnects by itself.
    server.start_again().unwrap();
    load.each_succeeds().await;
    let told = load.end().await;
    assert!(told.kinds.contains_key("OutcomeUnknown"), "{:?}", told.kinds);
    told.assert_kept(&whole(&invitations).await);
}
