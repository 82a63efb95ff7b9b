//! Webhooks against a real receiver, on each kind of store.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixture;
mod leases;
mod limits;
mod promises;
mod purging;
mod registering;
mod secrets;

use invitation_core::MemoryStore;
use invitation_delivery::webhook::EndpointState;
use invitation_redis::{Persistence, RedisOptions, RedisStore};
use invitation_sqlx::{PgStore, SqliteStore};
use invitation_testkit::{Postgres, Redis};
use time::Duration;

use self::fixture::{Fixture, Receiver, WebhookStore, endpoint, name};

/// A receiver that is down, fails, hangs, answers late and breaks the connection gets every event,
/// in order.
async fn bad_receiver_gets_every_event_in_order(store: impl WebhookStore) {
    let fixture = Fixture::new(store);
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    for _ in 0..3 {
        fixture.events().await;
    }
    // Down.
    let run = fixture.webhooks.run().await.unwrap();
    assert_eq!((run.delivered, run.failed), (0, 1));
    let waiting = fixture.webhooks.run().await.unwrap();
    assert_eq!((waiting.delivered, waiting.failed), (0, 0), "the next attempt is not due");

    // Back, but bad.
    receiver.start(&secret);
    receiver.behave("500 accept hang late 307 drop accept 429");
    fixture.clock.advance(Duration::seconds(8));
    assert_eq!(fixture.run_to_the_end().await, (6, 6));

    // Down again, while events happen.
    receiver.stop();
    for _ in 0..2 {
        fixture.events().await;
    }
    assert_eq!(fixture.webhooks.run().await.unwrap().failed, 1);
    receiver.start(&secret);
    fixture.clock.advance(Duration::seconds(8));
    assert_eq!(fixture.run_to_the_end().await, (4, 0));

    let feed = fixture.feed().await;
    assert_eq!((receiver.accepted(), feed.len()), (feed, 10));
    let log = receiver.log();
    assert!(log.iter().all(|entry| entry["path"] == "/hook"), "a redirect is not followed");
    let late: Vec<_> = log.iter().filter(|entry| entry["mode"] == "late").collect();
    let again = log.iter().filter(|entry| entry["id"] == late[0]["id"]);
    assert!(again.count() > 1, "a late answer repeats the event");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_receiver_gets_every_event_in_order_from_memory() {
    bad_receiver_gets_every_event_in_order(std::sync::Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_receiver_gets_every_event_in_order_from_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("invitations.db")).await.unwrap();
    bad_receiver_gets_every_event_in_order(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_receiver_gets_every_event_in_order_from_postgres() {
    let url = Postgres::shared().create_database();
    bad_receiver_gets_every_event_in_order(PgStore::connect(&url).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_receiver_gets_every_event_in_order_from_redis() {
    let options = RedisOptions::new().expecting(Persistence::Nothing);
    let store = RedisStore::connect(&Redis::shared().url(), options).await.unwrap();
    bad_receiver_gets_every_event_in_order(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_workers_send_each_event_once_in_order() {
    // The calls of this store wait, so that all workers find the endpoint before one claims it.
    let url = Postgres::shared().create_database();
    let fixture = Fixture::new(PgStore::connect(&url).await.unwrap());
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    receiver.start(&secret);
    for _ in 0..20 {
        fixture.events().await;
    }
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let webhooks = fixture.webhooks.clone();
            tokio::spawn(async move { webhooks.run().await.unwrap().delivered })
        })
        .collect();
    let mut delivered = 0;
    for worker in workers {
        delivered += worker.await.unwrap();
    }
    assert_eq!((delivered, receiver.log().len()), (40, 40));
    assert_eq!(receiver.accepted(), fixture.feed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_run_is_continued_by_another_worker_after_the_lease() {
    let fixture = Fixture::new(std::sync::Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    receiver.start(&secret);
    receiver.behave("accept hang");
    for _ in 0..2 {
        fixture.events().await;
    }
    // Cancelled while the receiver hangs, or earlier: the rest holds in any case.
    let limit = std::time::Duration::from_millis(200);
    assert!(tokio::time::timeout(limit, fixture.webhooks.run()).await.is_err());
    assert_eq!(fixture.webhooks.run().await.unwrap().delivered, 0, "the lease has not expired");
    fixture.clock.advance(Duration::minutes(2));
    fixture.run_to_the_end().await;
    assert_eq!(receiver.accepted(), fixture.feed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_is_stopped_after_the_last_attempt_and_a_person_retries_or_skips() {
    let fixture = Fixture::new(std::sync::Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    receiver.start(&secret);
    fixture.events().await;
    let feed = fixture.feed().await;
    receiver.behave("500 500 500 500 503");
    for attempt in 1..=5 {
        let run = fixture.webhooks.run().await.unwrap();
        assert_eq!(run.failed, 1);
        let shown = fixture.webhooks.get(&name("crm")).await.unwrap().unwrap();
        let failure = shown.failure.unwrap();
        assert_eq!((failure.event.to_string(), failure.attempts), (feed[0].clone(), attempt));
        let expected = if attempt < 5 { EndpointState::Active } else { EndpointState::Stopped };
        assert_eq!((shown.state, run.stopped.len()), (expected, usize::from(attempt == 5)));
        fixture.clock.advance(Duration::seconds(8));
    }
    fixture.clock.advance(Duration::days(29));
    assert_eq!(fixture.webhooks.run().await.unwrap().failed, 0, "it waits for a person");
    let shown = fixture.webhooks.list().await.unwrap().remove(0);
    assert_eq!(shown.failure.unwrap().cause.to_string(), "the receiver answered with status 503");
    assert_eq!(shown.next_attempt, None);

    // Retried, and gone at once: 410 is the last attempt.
    receiver.behave("410");
    fixture.webhooks.retry(&name("crm")).await.unwrap();
    assert_eq!(fixture.webhooks.run().await.unwrap().stopped, [name("crm")]);

    // Left out.
    let second = feed[1].parse().unwrap();
    assert!(!fixture.webhooks.skip(&name("crm"), second).await.unwrap(), "it blocks nothing");
    assert!(fixture.webhooks.skip(&name("crm"), feed[0].parse().unwrap()).await.unwrap());
    assert_eq!(fixture.run_to_the_end().await, (1, 0));
    assert_eq!(receiver.accepted(), feed[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_receiver_does_not_keep_events_from_another() {
    let fixture = Fixture::new(std::sync::Arc::new(MemoryStore::new()));
    let (mut good, mut bad) = (Receiver::down(), Receiver::down());
    let at = |name, url: String| invitation_delivery::webhook::NewEndpoint::new(name, &url);
    let secret = fixture.webhooks.register(at("bad", bad.url()).unwrap()).await.unwrap();
    bad.start(&secret);
    bad.behave("hang");
    let secret = fixture.webhooks.register(at("good", good.url()).unwrap()).await.unwrap();
    good.start(&secret);
    fixture.events().await;
    let run = fixture.webhooks.run().await.unwrap();
    assert_eq!((run.delivered, run.failed), (2, 1));
    assert_eq!(good.accepted(), fixture.feed().await);
    assert!(bad.accepted().is_empty());
}
