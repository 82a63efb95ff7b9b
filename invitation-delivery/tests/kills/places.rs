//! The databases of the tests: where invitations are created, and what a worker opens.

use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use invitation_core::{
    Actor, Cap, Division, Draft, Email, Invitations, Limits, Paging, Role, Store, UserId,
    delivery::{Deliveries, DeliveryState},
    documents::Documents,
    feed::{Feed, FeedCursors},
};
use invitation_redis::{Persistence, RedisOptions, RedisStore};
use invitation_sqlx::{
    Dialect, PgStore, SqlStore, SqliteStore,
    sqlx::{Postgres, Sqlite},
};

/// Everything that a worker needs of a store.
pub(crate) trait Everything:
    Store + Documents + Feed + FeedCursors + Clone + 'static
{
}
impl<S: Store + Documents + Feed + FeedCursors + Clone + 'static> Everything for S {}

/// A database in which the test creates invitations.
#[async_trait]
pub(crate) trait Place {
    /// Creates an invitation for an address. Without `commit`, it is undone or refused.
    async fn create(&self, address: &str, commit: bool);

    /// Returns whether each mail that was ever queued is sent.
    async fn is_done(&self) -> bool;
}

pub(crate) fn admin() -> Actor {
    Actor::across_divisions(UserId::new("u-admin").unwrap(), Role::new("admin").unwrap())
}

fn draft(address: &str) -> Draft {
    Draft::new()
        .with_role(Role::new("staff").unwrap())
        .in_division(Division::new("sales").unwrap())
        .for_email(Email::parse(address).unwrap())
}

/// Returns whether the feed is processed and no mail is queued.
async fn is_done<S: Everything>(store: &S) -> bool {
    let documents: Arc<dyn Documents> = Arc::new(store.clone());
    let deliveries = Deliveries::new(Invitations::new(store.clone()), documents);
    let first = Paging::first(1).unwrap();
    let queued = deliveries.list(&admin(), Some(DeliveryState::Queued), first).await.unwrap();
    let cursor = store.cursor(&super::worker::cursor()).await.unwrap();
    let position = cursor.and_then(|cursor| cursor.position);
    let rest = store.feed(position, NonZeroU32::MIN).await.unwrap();
    queued.items().is_empty() && rest.events.is_empty() && position.is_some()
}

/// A SQL database. What is undone is rolled back with the host's transaction.
pub(crate) struct SqlPlace<DB: Dialect> {
    store: SqlStore<DB>,
    begin: &'static str,
}

impl SqlPlace<Sqlite> {
    pub(crate) async fn sqlite(url: &str) -> Self {
        Self { store: SqliteStore::connect(url).await.unwrap(), begin: "BEGIN IMMEDIATE" }
    }
}

impl SqlPlace<Postgres> {
    pub(crate) async fn postgres(url: &str) -> Self {
        Self { store: PgStore::connect(url).await.unwrap(), begin: "BEGIN" }
    }
}

#[async_trait]
impl<DB: Dialect> Place for SqlPlace<DB>
where
    SqlStore<DB>: Everything,
{
    async fn create(&self, address: &str, commit: bool) {
        let mut tx = self.store.pool().begin_with(self.begin).await.unwrap();
        let joined = Invitations::new(self.store.join(&mut tx));
        joined.create(&admin(), draft(address)).await.unwrap();
        drop(joined);
        if commit { tx.commit().await.unwrap() } else { tx.rollback().await.unwrap() }
    }

    async fn is_done(&self) -> bool {
        is_done(&self.store).await
    }
}

/// Redis, which joins no transaction: what is undone is refused.
pub(crate) struct RedisPlace(RedisStore);

pub(crate) fn redis_options() -> RedisOptions {
    RedisOptions::new().with_namespace("mail".parse().unwrap()).expecting(Persistence::Nothing)
}

impl RedisPlace {
    pub(crate) async fn new(url: &str) -> Self {
        let store = RedisStore::connect(url, redis_options()).await.unwrap();
        // The inviter's first one, for no address.
        let first = draft("first@example.com").for_domain("example.com".parse().unwrap());
        Invitations::new(store.clone()).create(&admin(), first).await.unwrap();
        Self(store)
    }
}

#[async_trait]
impl Place for RedisPlace {
    async fn create(&self, address: &str, commit: bool) {
        let mut invitations = Invitations::new(self.0.clone());
        if !commit {
            // The inviter has one already, so the script that would write refuses.
            let one = Cap::AtMost(NonZeroU32::MIN);
            invitations = invitations.with_limits(Limits::default().with_pending_per_inviter(one));
        }
        let created = invitations.create(&admin(), draft(address)).await;
        assert_eq!(created.is_ok(), commit, "{created:?}");
    }

    async fn is_done(&self) -> bool {
        is_done(&self.0).await
    }
}
