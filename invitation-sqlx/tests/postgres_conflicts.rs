//! Conflicts with concurrent work, temporary and permanent.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "postgres")]

mod support;

use std::{str::FromStr, time::Duration};

use invitation_core::{Error, Invitations, StoreErrorKind};
use invitation_sqlx::{
    PgStore,
    sqlx::{
        self, PgPool, Postgres, Transaction,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};
use support::{create, redeemer, uses};

/// Returns a service whose calls wait for a lock only for a very short time.
async fn impatient() -> (Invitations<PgStore>, PgPool) {
    with_setting("lock_timeout", "20ms").await
}

/// Returns a service on connections with a setting, and a pool without it.
async fn with_setting(name: &str, value: &str) -> (Invitations<PgStore>, PgPool) {
    let url = invitation_testkit::Postgres::shared().create_database();
    let options = PgConnectOptions::from_str(&url).unwrap();
    let others = PgPool::connect_with(options.clone()).await.unwrap();
    PgStore::new(others.clone()).migrate().await.unwrap();
    let options = options.options([(name, value)]);
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    (Invitations::new(PgStore::new(pool)), others)
}

/// Returns an open transaction that has changed every code.
async fn in_the_way(others: &PgPool) -> Transaction<'static, Postgres> {
    let mut tx = others.begin().await.unwrap();
    sqlx::query("UPDATE invitation_codes SET version = version").execute(&mut *tx).await.unwrap();
    tx
}

/// Returns the number of calls that wait for a lock.
async fn waiting(others: &PgPool) -> i64 {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity \
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    sqlx::query_scalar(sql).fetch_one(others).await.unwrap()
}

/// Waits until `number` calls wait for a lock.
async fn until_waiting(others: &PgPool, number: i64) {
    let looks = async {
        while waiting(others).await != number {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looks).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn change_after_a_conflict_is_retried() {
    let (invitations, others) = impatient().await;
    let (_, code) = create(&invitations).await;
    let other = in_the_way(&others).await;
    let redeeming = {
        let (invitations, anna) = (invitations.clone(), redeemer("anna"));
        tokio::spawn(async move { invitations.redeem(&code, &anna).await })
    };
    // The call waits and times out; by then the other transaction has ended.
    until_waiting(&others, 1).await;
    until_waiting(&others, 0).await;
    other.rollback().await.unwrap();
    let redeemed = redeeming.await.unwrap().unwrap();
    assert!(!redeemed.is_replayed());
    assert_eq!(uses(&invitations).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lasting_conflict_is_reported_after_all_retries() {
    let (invitations, others) = impatient().await;
    let (_, code) = create(&invitations).await;
    let other = in_the_way(&others).await;
    let told = invitations.redeem(&code, &redeemer("anna")).await;
    let Err(Error::Store(error)) = told else {
        panic!("a redemption succeeds while it is locked: {told:?}")
    };
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    assert!(error.is_retryable());
    other.rollback().await.unwrap();
    assert_eq!(uses(&invitations).await, 0);
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_wait_ended_by_statement_timeout_is_known_to_change_nothing() {
    let (invitations, others) = with_setting("statement_timeout", "100ms").await;
    let sound = Invitations::new(PgStore::new(others.clone()));
    let mut codes = Vec::new();
    for _ in 0..8 {
        codes.push(create(&sound).await.1);
    }
    let other = in_the_way(&others).await;
    // One call alone, and then several that share statements.
    for count in [1, codes.len()] {
        let calls = codes.iter().take(count).map(|code| {
            let (invitations, code) = (invitations.clone(), code.clone());
            tokio::spawn(async move { invitations.redeem(&code, &redeemer("anna")).await })
        });
        for call in calls.collect::<Vec<_>>() {
            let Err(Error::Store(error)) = call.await.unwrap() else {
                panic!("a redemption succeeds while it is locked")
            };
            assert!(error.is_retryable(), "{count} calls: {:?}", error.kind());
        }
    }
    other.rollback().await.unwrap();
    assert_eq!(uses(&sound).await, 0);
    for code in &codes {
        sound.redeem(code, &redeemer("anna")).await.unwrap();
    }
}
