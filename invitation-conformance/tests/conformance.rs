//! The memory store passes the conformance suite.

use std::num::NonZeroU32;

use invitation_conformance::{
    Fixture,
    races::{race_rounds, race_rounds_for_uses, race_rounds_with_leases},
};
use invitation_core::MemoryStore;

async fn fixture() -> Fixture {
    Fixture::new(MemoryStore::new())
}

mod promises {
    invitation_conformance::conformance!(super::fixture);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_redeem_a_thousand_codes_once_each() {
    race_rounds(fixture().await, 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_redeem_codes_for_several() {
    for more in [2, 4] {
        let uses = NonZeroU32::MIN.saturating_add(more);
        race_rounds_for_uses(fixture().await, 1_000, uses).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_with_reservations_redeem_codes_once_each() {
    race_rounds_with_leases(fixture().await, 1_000, NonZeroU32::MIN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_with_reservations_redeem_codes_three_times_each() {
    race_rounds_with_leases(fixture().await, 1_000, NonZeroU32::MIN.saturating_add(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_with_reservations_redeem_codes_five_times_each() {
    race_rounds_with_leases(fixture().await, 1_000, NonZeroU32::MIN.saturating_add(4)).await;
}
