//! Tests of `Joined` on SQLite, which allows one writer at a time.

use invitation_sqlx::sqlx::Sqlite;

use crate::{
    others,
    promises::{Call, dropped_calls_and_their_failures, promises},
    support::{
        create,
        host::{Host, add_user, assert_conflict, inside},
        redeemer, uses,
    },
};

promises!(Sqlite);

/// Unlike `BEGIN IMMEDIATE`, such a transaction may find out late that it cannot write.
const DEFERRED: &str = "BEGIN DEFERRED";

#[tokio::test(flavor = "multi_thread")]
async fn joined_conflict_is_a_retryable_error_and_not_retried() {
    let host = Host::<Sqlite>::new().await;
    let created = create(&host.invitations).await;
    let tx = others::overtaken(&host, DEFERRED, &created).await;
    tx.rollback().await.unwrap();
    others::again(&host, &created.1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_wait_timeout_is_a_retryable_error_and_keeps_the_hosts_work() {
    let host = Host::<Sqlite>::new().await;
    let (_, code) = create(&host.invitations).await;
    let other = host.begin().await;

    let mut tx = host.begin_with(DEFERRED).await;
    inside(&mut tx, "PRAGMA busy_timeout = 20").await;
    let told = host
        .invitations
        .on(host.invitations.store().join(&mut tx))
        .redeem(&code, &redeemer("anna"))
        .await;
    assert_conflict(told);
    other.rollback().await.unwrap();
    add_user(&mut tx, "after").await;
    tx.commit().await.unwrap();
    assert_eq!((uses(&host.invitations).await, host.users().await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_creation_or_search_keeps_the_hosts_work() {
    for call in [Call::Creation, Call::Search] {
        assert_eq!(dropped_calls_and_their_failures::<Sqlite>(call).await, 0);
    }
}
