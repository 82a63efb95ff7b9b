//! Tests of `Joined` on PostgreSQL.

use invitation_sqlx::sqlx::Postgres;

use crate::{
    others,
    promises::{Call, dropped_calls_and_their_failures, promises},
    support::{
        create,
        host::{Host, add_user},
    },
};

promises!(Postgres);

#[tokio::test(flavor = "multi_thread")]
async fn quotas_and_keys_in_an_older_transaction_are_current() {
    others::quotas_and_keys_in_an_older_transaction_are_current::<Postgres>("BEGIN").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_conflict_is_a_retryable_error_and_not_retried() {
    let host = Host::<Postgres>::new().await;
    let created = create(&host.invitations).await;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let begin = format!("BEGIN ISOLATION LEVEL {level}");
        let mut tx = others::overtaken(&host, &begin, &created).await;
        // The library rolled back to its savepoint, so the host may still commit.
        add_user(&mut tx, level).await;
        tx.commit().await.unwrap();
    }
    others::again(&host, &created.1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_wait_timeout_is_a_retryable_error_and_keeps_the_hosts_work() {
    others::lock_wait_timeout::<Postgres>("SET LOCAL lock_timeout = '20ms'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_commits_are_seen_under_read_committed() {
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
    others::concurrent_commits_are_seen::<Postgres>(begin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_creation_or_search_keeps_the_hosts_work() {
    for call in [Call::Creation, Call::Search] {
        assert_eq!(dropped_calls_and_their_failures::<Postgres>(call).await, 0);
    }
}
