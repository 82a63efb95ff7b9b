//! Tests of `Joined` on PostgreSQL.

use invitation_sqlx::sqlx::Postgres;

use crate::{
    others,
    promises::{failures_after_dropped_creations, promises},
    support::{
        create,
        host::{Host, add_user},
    },
};

promises!(Postgres);

#[tokio::test(flavor = "multi_thread")]
async fn quotas_and_keys_of_a_transaction_that_looked_before_are_those_of_now() {
    others::quotas_and_keys_of_a_transaction_that_looked_before_are_those_of_now::<Postgres>(
        "BEGIN",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_a_retryable_error_and_not_retried() {
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
async fn a_wait_that_is_too_long_is_a_retryable_error_and_the_hosts_work_goes_on() {
    others::a_wait_that_is_too_long::<Postgres>("SET LOCAL lock_timeout = '20ms'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_committed_meanwhile_is_seen_at_the_level_that_can() {
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
    others::what_others_committed_meanwhile_is_seen::<Postgres>(begin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_creation_leaves_the_hosts_work_alone() {
    assert_eq!(failures_after_dropped_creations::<Postgres>().await, 0);
}
