//! The memory store passes the conformance suite.

use std::{num::NonZeroU32, sync::Arc};

use invitation_conformance::{
    Fixture,
    budgets::run_budget_promises,
    documents::DocumentsFixture,
    erasure::ErasureFixture,
    feed::FeedFixture,
    funnel::FunnelFixture,
    imports::ImportsFixture,
    races::{run_redemption_races, run_reservation_races},
};
use invitation_core::MemoryStore;

async fn fixture() -> Fixture {
    Fixture::new(MemoryStore::new())
}

async fn feed_fixture() -> FeedFixture {
    FeedFixture::new(MemoryStore::new())
}

async fn erasure_fixture() -> ErasureFixture {
    ErasureFixture::new(MemoryStore::new())
}

async fn documents_fixture() -> DocumentsFixture {
    DocumentsFixture::new(MemoryStore::new())
}

async fn funnel_fixture() -> FunnelFixture {
    FunnelFixture::new(MemoryStore::new())
}

async fn imports_fixture() -> ImportsFixture {
    ImportsFixture::new(MemoryStore::new())
}

mod promises {
    invitation_conformance::conformance!(super::fixture);
}

mod feed {
    invitation_conformance::feed_conformance!(super::feed_fixture);
}

mod erasure {
    invitation_conformance::erasure_conformance!(super::erasure_fixture);
}

mod documents {
    invitation_conformance::documents_conformance!(super::documents_fixture);
}

mod funnel {
    invitation_conformance::funnel_conformance!(super::funnel_fixture);
}

mod imports {
    invitation_conformance::imports_conformance!(super::imports_fixture);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn budgets_are_counted_as_specified() {
    run_budget_promises(Arc::new(MemoryStore::new())).await;
}

fn uses(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("at least one use")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_redeems_of_1000_codes_succeed_max_uses_times() {
    for n in [1, 3, 5] {
        run_redemption_races(fixture().await, 1_000, uses(n)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_reservations_of_1000_single_use_codes_redeem_each_once() {
    run_reservation_races(fixture().await, 1_000, uses(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_reservations_of_1000_three_use_codes_redeem_each_three_times() {
    run_reservation_races(fixture().await, 1_000, uses(3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_reservations_of_1000_five_use_codes_redeem_each_five_times() {
    run_reservation_races(fixture().await, 1_000, uses(5)).await;
}
