//! Redis passes the conformance suite.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::num::NonZeroU32;

use invitation_conformance::{
    Fixture,
    races::{race_rounds, race_rounds_for_uses, race_rounds_with_leases},
};
use invitation_redis::RedisStore;
use invitation_testkit::Redis;

/// Returns a store in a namespace of its own.
async fn in_a_namespace() -> Fixture {
    let store = RedisStore::connect(&Redis::shared().url(), support::options()).await;
    Fixture::new(store.unwrap())
}

mod promises {
    invitation_conformance::conformance!(super::in_a_namespace);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crowds_redeem_codes_once_each() {
    race_rounds(in_a_namespace().await, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crowds_redeem_codes_for_several_and_reserve() {
    for uses in [1, 3, 5] {
        let uses = NonZeroU32::new(uses).unwrap();
        race_rounds_for_uses(in_a_namespace().await, 50, uses).await;
        race_rounds_with_leases(in_a_namespace().await, 50, uses).await;
    }
}
