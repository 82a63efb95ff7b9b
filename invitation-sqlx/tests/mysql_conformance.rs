//! MariaDB keeps every promise of the conformance suite.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

use std::num::NonZeroU32;

use invitation_core::testing::{
    Fixture,
    conformance::{race_rounds, race_rounds_for_uses, race_rounds_with_leases},
};
use invitation_sqlx::{MySqlStore, sqlx::mysql::MySqlPoolOptions};
use invitation_testkit::MariaDb;

/// A store in a database of its own.
async fn in_a_database() -> Fixture {
    let url = MariaDb::shared().create_database();
    let pool = MySqlPoolOptions::new().max_connections(16).connect(&url).await.unwrap();
    let store = MySqlStore::new(pool);
    store.migrate().await.unwrap();
    Fixture::new(store)
}

mod promises {
    invitation_core::conformance!(super::in_a_database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crowds_redeem_codes_once_each() {
    race_rounds(in_a_database().await, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crowds_redeem_codes_for_several_and_reserve() {
    for uses in [1, 3, 5] {
        let uses = NonZeroU32::new(uses).unwrap();
        race_rounds_for_uses(in_a_database().await, 15, uses).await;
        race_rounds_with_leases(in_a_database().await, 15, uses).await;
    }
}
