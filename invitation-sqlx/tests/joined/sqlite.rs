//! Tests of `Joined` on SQLite, which allows one writer at a time.

use invitation_sqlx::{Joined, sqlx::Sqlite};

use crate::{
    others,
    promises::{failures_after_dropped_creations, promises},
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
async fn a_conflict_is_a_retryable_error_and_not_retried() {
    let host = Host::<Sqlite>::new().await;
    let created = create(&host.invitations).await;
    let tx = others::overtaken(&host, DEFERRED, &created).await;
    tx.rollback().await.unwrap();
    others::again(&host, &created.1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_is_too_long_is_a_retryable_error_and_the_hosts_work_goes_on() {
    let host = Host::<Sqlite>::new().await;
    let (_, code) = create(&host.invitations).await;
    let other = host.begin().await;

    let mut tx = host.begin_with(DEFERRED).await;
    inside(&mut tx, "PRAGMA busy_timeout = 20").await;
    let told = host.invitations.on(Joined::new(&mut tx)).redeem(&code, &redeemer("anna")).await;
    assert_conflict(told);
    other.rollback().await.unwrap();
    add_user(&mut tx, "after").await;
    tx.commit().await.unwrap();
    assert_eq!((uses(&host.invitations).await, host.users().await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_creation_leaves_the_hosts_work_alone() {
    assert_eq!(failures_after_dropped_creations::<Sqlite>().await, 0);
}
