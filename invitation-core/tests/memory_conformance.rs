//! The store in memory keeps every promise of the conformance suite.

use invitation_core::{
    MemoryStore,
    testing::{Fixture, conformance::race_rounds},
};

async fn fixture() -> Fixture {
    Fixture::new(MemoryStore::new())
}

mod promises {
    invitation_core::conformance!(super::fixture);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_redeem_a_thousand_codes_once_each() {
    race_rounds(fixture().await, 1_000).await;
}
