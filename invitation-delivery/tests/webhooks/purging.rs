//! No event that an endpoint still gets is purged, and no endpoint holds events for ever.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Clock as _, MemoryStore, PurgedEvents, SystemActor,
    feed::{CursorName, FeedCursors as _, FeedRetention as _, follow},
};
use invitation_delivery::webhook::{EndpointState, WebhookError, Webhooks};
use invitation_redis::{Persistence, RedisOptions, RedisStore};
use invitation_sqlx::{MySqlStore, PgStore, SqliteStore};
use invitation_testkit::{MariaDb, Postgres, Redis};
use time::Duration;

use crate::fixture::{Fixture, Receiver, WebhookStore, endpoint, name};

/// The age beyond which the tests purge events.
const AGE: Duration = Duration::days(2);

impl<S: WebhookStore> Fixture<S> {
    async fn purge(&self) -> PurgedEvents {
        let max = NonZeroU32::new(500).unwrap();
        self.invitations.purge_events(&SystemActor::for_bootstrap(), AGE, max).await.unwrap()
    }

    async fn cursors(&self) -> Vec<CursorName> {
        let all = self.store.cursors().await.unwrap();
        all.into_iter().map(|cursor| cursor.name).collect()
    }

    async fn state(&self) -> EndpointState {
        self.webhooks.get(&name("crm")).await.unwrap().unwrap().state
    }
}

fn cursor() -> CursorName {
    CursorName::new("webhook/crm").unwrap()
}

/// An endpoint that is down holds its events: nothing is purged until it has got them.
async fn down_then_back(store: impl WebhookStore) {
    let fixture = Fixture::new(store);
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    for _ in 0..3 {
        fixture.events().await;
    }
    let feed = fixture.feed().await;
    assert_eq!(fixture.webhooks.run().await.unwrap().failed, 1);
    fixture.clock.advance(AGE * 2);
    let purged = fixture.purge().await;
    assert_eq!((purged.removed, purged.held_by), (0, Some(cursor())));

    // Back for two events, and down again.
    receiver.start(&secret);
    receiver.behave("accept accept 500");
    assert_eq!(fixture.webhooks.run().await.unwrap().delivered, 2);
    let purged = fixture.purge().await;
    assert_eq!((purged.removed, purged.held_by), (2, Some(cursor())), "only what it has got");
    fixture.clock.advance(Duration::days(1));
    assert_eq!(fixture.run_to_the_end().await, (4, 0));
    assert_eq!(receiver.accepted(), feed);

    let purged = fixture.purge().await;
    assert_eq!((purged.removed, purged.held_by), (4, None), "all but the event of the first purge");

    // An endpoint that was removed holds nothing.
    receiver.stop();
    fixture.events().await;
    fixture.webhooks.run().await.unwrap();
    fixture.clock.advance(AGE * 2);
    assert_eq!(fixture.purge().await.held_by, Some(cursor()));
    assert!(fixture.webhooks.remove(&name("crm")).await.unwrap());
    assert!(fixture.cursors().await.is_empty());
    let purged = fixture.purge().await;
    assert_eq!((purged.removed, purged.held_by), (2, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_that_is_down_loses_nothing_by_a_purge_from_memory() {
    down_then_back(Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_that_is_down_loses_nothing_by_a_purge_from_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    down_then_back(SqliteStore::open(folder.path().join("invitations.db")).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_that_is_down_loses_nothing_by_a_purge_from_postgres() {
    let url = Postgres::shared().create_database();
    down_then_back(PgStore::connect(&url).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_that_is_down_loses_nothing_by_a_purge_from_mariadb() {
    let url = MariaDb::shared().create_database();
    down_then_back(MySqlStore::connect(&url).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_that_is_down_loses_nothing_by_a_purge_from_redis() {
    let options = RedisOptions::new().expecting(Persistence::Nothing);
    let server = Redis::start().unwrap();
    down_then_back(RedisStore::connect(&server.url(), options).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_endpoint_holds_nothing_and_goes_on_where_it_was() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    receiver.start(&secret);
    fixture.events().await;
    fixture.run_to_the_end().await;
    let crm = name("crm");
    assert!(!fixture.webhooks.enable(&crm).await.unwrap(), "it is enabled");
    assert!(fixture.webhooks.disable(&crm).await.unwrap());
    assert!(!fixture.webhooks.disable(&crm).await.unwrap());
    assert_eq!(
        (fixture.cursors().await.len(), fixture.state().await),
        (0, EndpointState::Disabled)
    );
    fixture.events().await;
    assert_eq!(fixture.run_to_the_end().await, (0, 0));
    fixture.webhooks.retry(&crm).await.unwrap();
    assert_eq!(fixture.state().await, EndpointState::Disabled, "a retry enables nothing");

    assert!(fixture.webhooks.enable(&crm).await.unwrap());
    assert_eq!(fixture.cursors().await, [cursor()]);
    assert_eq!(fixture.run_to_the_end().await, (2, 0));
    assert_eq!(receiver.accepted(), fixture.feed().await);
    let shown = fixture.webhooks.get(&crm).await.unwrap().unwrap();
    assert_eq!(shown.last_success, Some(fixture.clock.now()));

    // What is purged meanwhile does not come.
    fixture.webhooks.disable(&crm).await.unwrap();
    fixture.events().await;
    fixture.clock.advance(AGE * 2);
    assert_eq!(fixture.purge().await.held_by, None);
    fixture.webhooks.enable(&crm).await.unwrap();
    assert_eq!(fixture.run_to_the_end().await, (0, 0));
    let unknown = fixture.webhooks.disable(&name("erp")).await.unwrap_err();
    assert!(matches!(unknown, WebhookError::UnknownEndpoint { .. }), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_that_has_failed_for_too_long_is_disabled_and_holds_nothing() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let mut receiver = Receiver::down();
    let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    fixture.events().await;
    let (crm, feed) = (name("crm"), fixture.feed().await);
    let patience = Webhooks::<MemoryStore>::DEFAULT_PATIENCE;
    for attempt in 1..=5 {
        let run = fixture.webhooks.run().await.unwrap();
        assert_eq!((run.failed, run.stopped.len()), (1, usize::from(attempt == 5)));
        fixture.clock.advance(Duration::seconds(8));
    }
    let since = fixture.webhooks.get(&crm).await.unwrap().unwrap().failure.unwrap().since;
    fixture.clock.advance(patience - Duration::seconds(41));
    assert!(fixture.webhooks.run().await.unwrap().disabled.is_empty());
    assert_eq!(fixture.purge().await.held_by, Some(cursor()), "a stopped one is held for");

    // A person who lets it try again gives it the whole time once more.
    fixture.webhooks.retry(&crm).await.unwrap();
    fixture.clock.advance(Duration::seconds(1));
    let run = fixture.webhooks.run().await.unwrap();
    assert_eq!((run.failed, run.disabled.len()), (1, 0));
    let failure = fixture.webhooks.get(&crm).await.unwrap().unwrap().failure.unwrap();
    assert_eq!((failure.since, failure.attempts), (since, 1));
    fixture.clock.advance(patience);
    let run = fixture.webhooks.run().await.unwrap();
    assert_eq!((run.failed, run.disabled), (1, vec![crm.clone()]), "after a last attempt");
    assert_eq!(
        (fixture.cursors().await.len(), fixture.state().await),
        (0, EndpointState::Disabled)
    );

    // A stopped one gets no attempt before.
    fixture.webhooks.enable(&crm).await.unwrap();
    for _ in 1..=5 {
        assert_eq!(fixture.webhooks.run().await.unwrap().failed, 1);
        fixture.clock.advance(Duration::seconds(8));
    }
    assert_eq!(fixture.cursors().await, [cursor()]);
    fixture.clock.advance(patience);
    let run = fixture.webhooks.run().await.unwrap();
    assert_eq!((run.failed, run.disabled), (0, vec![crm.clone()]));
    assert!(fixture.cursors().await.is_empty());

    // Nothing was purged yet, so nothing is lost.
    receiver.start(&secret);
    fixture.webhooks.enable(&crm).await.unwrap();
    assert_eq!(fixture.run_to_the_end().await, (2, 0));
    assert_eq!(receiver.accepted(), feed);
}

#[tokio::test(flavor = "multi_thread")]
async fn run_puts_cursors_right_that_a_crash_left_behind() {
    let fixture = Fixture::new(Arc::new(MemoryStore::new()));
    let receiver = Receiver::down();
    fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
    // A registration and a removal that ended half way, and a consumer of another kind.
    for orphan in ["webhook/half", "mail"] {
        follow(&fixture.store, &CursorName::new(orphan).unwrap(), None).await.unwrap();
    }
    let own = fixture.store.cursor(&cursor()).await.unwrap().unwrap();
    assert!(fixture.store.remove_cursor(&own.name, own.version).await.unwrap());
    fixture.webhooks.run().await.unwrap();
    let mut left = fixture.cursors().await;
    left.sort();
    assert_eq!(left, [CursorName::new("mail").unwrap(), cursor()]);
    assert!(fixture.webhooks.remove(&name("crm")).await.unwrap());
    assert_eq!(fixture.cursors().await, [CursorName::new("mail").unwrap()]);
}
