//! Races on a Galera cluster: concurrent callers of one code use three nodes, each of which
//! accepts writes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod spread;

use std::num::NonZeroU32;

use invitation_conformance::{
    Fixture,
    feed::{self, FeedFixture},
    races::{self, run_redemption_races, run_reservation_races},
};
use invitation_core::{Draft, Error, Invitations, StoreError, StoreErrorKind};
use invitation_sqlx::{
    Dialect, MySqlStore,
    sqlx::{self, MySql, mysql::MySqlPoolOptions},
};
use invitation_testkit::Galera;
use spread::Spread;
use tokio::{sync::Mutex, task::JoinSet};

/// One race at a time, because three servers and their callers share a small machine.
static TURN: Mutex<()> = Mutex::const_new(());

/// Returns a store on a database of its own, whose calls alternate between the nodes.
async fn over_three_nodes() -> Fixture {
    let turn = TURN.lock().await;
    Fixture::new(Spread::over(nodes().await)).keeping(turn)
}

/// Returns a database of its own, through each node.
async fn nodes() -> Vec<MySqlStore> {
    let urls = Galera::shared().create_database();
    let mut nodes = Vec::new();
    for url in &urls {
        let pool = MySqlPoolOptions::new().max_connections(16).connect(url).await.unwrap();
        nodes.push(MySqlStore::new(pool));
    }
    // One node after another: the first one migrates.
    for node in &nodes {
        node.migrate().await.unwrap();
    }
    nodes
}

macro_rules! races {
    ($($race:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $race() {
                races::$race(over_three_nodes().await).await;
            }
        )+
    };
}

races! {
    concurrent_redeems_of_one_user_consume_one_use
    concurrent_reserves_of_one_user_return_one_reservation
    concurrent_redeems_of_different_codes_all_succeed
    redeem_and_revoke_of_a_single_use_code_exclude_each_other
    redeem_during_an_amendment_grants_one_whole_version
    concurrent_rotations_leave_one_valid_code
    one_of_many_changes_of_one_version_is_applied
    commit_and_release_exclude_each_other
    late_commit_and_takeover_exclude_each_other
    expired_reservation_is_taken_over_by_one_of_many
    concurrent_creations_fill_exactly_the_free_places
    concurrent_creations_reinstatements_and_extensions_share_the_places
    concurrent_creations_under_one_key_create_once
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_of_64_writers_on_three_nodes_are_read_once_in_one_order() {
    let turn = TURN.lock().await;
    let fixture = FeedFixture::new(Spread::over(nodes().await)).keeping(turn);
    feed::events_of_64_writers_are_read_once_in_one_order(fixture).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_claims_of_a_cursor_on_three_nodes_succeed_once() {
    let turn = TURN.lock().await;
    let fixture = FeedFixture::new(Spread::over(nodes().await)).keeping(turn);
    feed::concurrent_claims_of_a_cursor_succeed_once(fixture).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_redeems_on_three_nodes_succeed_max_uses_times() {
    for uses in [1, 3, 5] {
        let uses = NonZeroU32::new(uses).unwrap();
        run_redemption_races(over_three_nodes().await, 4, uses).await;
        run_reservation_races(over_three_nodes().await, 2, uses).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redemption_on_one_node_is_known_to_the_others() {
    let fixture = over_three_nodes().await;
    let invitations = Invitations::new(fixture.store());
    let (_, code) = support::create(&invitations).await;
    let anna = support::redeemer("anna");
    invitations.redeem(&code, &anna).await.unwrap();
    for _ in 0..3 {
        assert!(invitations.redeem(&code, &anna).await.unwrap().is_replayed());
        assert_eq!(support::uses(&invitations).await, 1);
    }
}

/// Returns the error of the host's own statement.
fn failed(error: sqlx::Error) -> Error {
    let kind = error.as_database_error().map_or(StoreErrorKind::Other, MySql::classify);
    Error::Store(StoreError::new(kind, "the host").because(error))
}

/// Registers a user on one node, in a transaction that the library begins: account and redemption,
/// or neither.
async fn admit(node: &MySqlStore, code: &str, name: &str) -> Result<(), Error> {
    let invitations = Invitations::new(node.clone());
    let mut admission = invitations.admit(code, &support::redeemer(name)).await?;
    let account = sqlx::query("INSERT INTO users (name) VALUES (?)").bind(name);
    account.execute(admission.tx()).await.map_err(failed)?;
    admission.commit().await.map(drop)
}

/// Registers a user on one node, in a transaction that the host begins.
async fn register(node: &MySqlStore, code: &str, name: &str) -> Result<(), Error> {
    // As documented for clusters.
    let begin = "SET autocommit = 0; START TRANSACTION; SAVEPOINT host";
    let mut conn = node.pool().acquire().await.map_err(failed)?;
    conn.close_on_drop();
    let mut tx = sqlx::Connection::begin_with(&mut *conn, begin).await.map_err(failed)?;
    let invitations = Invitations::new(node.clone());
    invitations.on(node.join(&mut tx)).redeem(code, &support::redeemer(name)).await?;
    let account = sqlx::query("INSERT INTO users (name) VALUES (?)").bind(name);
    account.execute(&mut *tx).await.map_err(failed)?;
    sqlx::raw_sql("RELEASE SAVEPOINT host").execute(&mut *tx).await.map_err(failed)?;
    tx.commit().await.map_err(failed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn account_and_redemption_commit_together_on_every_node() {
    let _turn = TURN.lock().await;
    let nodes = nodes().await;
    let users = "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY) ENGINE = InnoDB";
    sqlx::raw_sql(users).execute(nodes[0].pool()).await.unwrap();
    let invitations = Invitations::new(nodes[0].clone());
    let mut all = Vec::new();
    for round in 0..6 {
        let draft = Draft::new().for_uses(NonZeroU32::new(3).unwrap());
        let draft = draft.with_role(invitation_core::Role::new("staff").unwrap());
        let created = invitations.create(&support::admin(), draft).await.unwrap();
        let mut registering = JoinSet::new();
        for n in 0..24 {
            let (node, code) = (nodes[n % 3].clone(), created.code().reveal().to_string());
            registering.spawn(async move {
                let name = format!("{round}-{n}");
                for _ in 0..200 {
                    let registered = match n % 2 {
                        0 => register(&node, &code, &name).await,
                        _ => admit(&node, &code, &name).await,
                    };
                    match registered {
                        Ok(()) => return Some(name),
                        Err(Error::Refused(_)) => return None,
                        Err(Error::Store(error)) if error.is_retryable() => {}
                        Err(other) => panic!("an internal error surfaced: {other:?}"),
                    }
                }
                panic!("conflicts without an end");
            });
        }
        let mut inside: Vec<_> = registering.join_all().await.into_iter().flatten().collect();
        assert_eq!(inside.len(), 3, "round {round}");
        all.append(&mut inside);
    }
    all.sort_unstable();
    for node in &nodes {
        let sql = "SELECT name FROM users ORDER BY BINARY name";
        let accounts: Vec<String> = sqlx::query_scalar(sql).fetch_all(node.pool()).await.unwrap();
        assert_eq!(accounts, all, "an account for each, and no other");
        assert_eq!(support::uses(&Invitations::new(node.clone())).await, 18);
    }
}

#[path = "../support/mod.rs"]
mod support;
