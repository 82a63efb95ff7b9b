//! Redis passes the conformance suite.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/dump.rs"]
mod dump;
mod support;

use std::{num::NonZeroU32, sync::Arc};

use invitation_conformance::{
    Fixture,
    budgets::run_budget_promises,
    documents::DocumentsFixture,
    erasure::{CANARIES, ErasureFixture, erase_canary},
    feed::FeedFixture,
    funnel::FunnelFixture,
    imports::ImportsFixture,
    races::{run_redemption_races, run_reservation_races},
};
use invitation_core::throttle::{BudgetKey, BudgetWindow, SharedBudgets};
use invitation_redis::RedisStore;
use invitation_testkit::Redis;

/// Returns a store in a namespace of its own.
async fn in_a_namespace() -> Fixture {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await;
    Fixture::new(store.unwrap())
}

async fn feed_in_a_namespace() -> FeedFixture {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await;
    FeedFixture::new(store.unwrap())
}

async fn documents_in_a_namespace() -> DocumentsFixture {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await;
    DocumentsFixture::new(store.unwrap())
}

async fn funnel_in_a_namespace() -> FunnelFixture {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await;
    FunnelFixture::new(store.unwrap())
}

async fn imports_in_a_namespace() -> ImportsFixture {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await;
    ImportsFixture::new(store.unwrap())
}

async fn erasure_in_a_namespace() -> ErasureFixture {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await;
    ErasureFixture::new(store.unwrap())
}

mod promises {
    invitation_conformance::conformance!(super::in_a_namespace);
}

mod feed {
    invitation_conformance::feed_conformance!(super::feed_in_a_namespace);
}

mod erasure {
    invitation_conformance::erasure_conformance!(super::erasure_in_a_namespace);
}

mod documents {
    invitation_conformance::documents_conformance!(super::documents_in_a_namespace);
}

mod funnel {
    invitation_conformance::funnel_conformance!(super::funnel_in_a_namespace);
}

mod imports {
    invitation_conformance::imports_conformance!(super::imports_in_a_namespace);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn erased_person_is_in_no_key() {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await.unwrap();
    let found = async |store: &RedisStore| {
        let contents = dump::dump(&Redis::shared().url(), store.namespace().as_str()).await;
        let contents = String::from_utf8_lossy(&contents).into_owned();
        CANARIES.map(|text| contents.matches(text).count())
    };
    let fixture = ErasureFixture::new(store.clone());
    erase_canary(fixture, async || assert!(found(&store).await.iter().all(|n| *n > 3))).await;
    assert_eq!(found(&store).await, [0; CANARIES.len()], "{CANARIES:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn budgets_are_counted_as_specified() {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await;
    run_budget_promises(Arc::new(store.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn budgets_of_former_minutes_are_removed() {
    let options = support::options();
    let hash = format!("{{{}}}:budgets", options.namespace());
    let store = RedisStore::connect(&Redis::shared().url(), options).await.unwrap();
    let take = async |number: u16, minute| {
        let mut key = [0xff; BudgetKey::BYTES];
        key[30..].copy_from_slice(&number.to_be_bytes());
        let (key, window) = (BudgetKey::from_bytes(key), BudgetWindow::from_minute(minute));
        store.take_tokens(&key, window, NonZeroU32::MIN).await.unwrap()
    };
    for number in 0..1_000 {
        take(number, 10).await;
    }
    for number in 1_000..1_040 {
        take(number, 12).await;
    }
    let left = Redis::shared().ask(&["HLEN", &hash]).unwrap();
    assert_eq!(left, "41", "40 counts, and where the removal continues");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_redeems_of_single_use_codes_succeed_once_each() {
    run_redemption_races(in_a_namespace().await, 100, NonZeroU32::MIN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_redeems_and_reservations_redeem_max_uses_times() {
    for uses in [1, 3, 5] {
        let uses = NonZeroU32::new(uses).unwrap();
        run_redemption_races(in_a_namespace().await, 50, uses).await;
        run_reservation_races(in_a_namespace().await, 50, uses).await;
    }
}
