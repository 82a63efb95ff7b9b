//! Races on a Galera cluster: whoever meets on a code comes in over three nodes, each of
//! which takes writes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod spread;

use std::num::NonZeroU32;

use invitation_core::{
    Invitations,
    testing::{
        Fixture,
        conformance::{self, race_rounds_for_uses, race_rounds_with_leases},
    },
};
use invitation_sqlx::{MySqlStore, sqlx::mysql::MySqlPoolOptions};
use invitation_testkit::Galera;
use spread::Spread;
use tokio::sync::Mutex;

/// One race at a time: three servers and their crowds on a small machine.
static TURN: Mutex<()> = Mutex::const_new(());

/// A store on a database of its own, whose calls take turns on the nodes.
async fn over_three_nodes() -> Fixture {
    let turn = TURN.lock().await;
    let urls = Galera::shared().create_database();
    let mut nodes = Vec::new();
    for url in &urls {
        let pool = MySqlPoolOptions::new().max_connections(16).connect(url).await.unwrap();
        nodes.push(MySqlStore::new(pool));
    }
    // One node after another: the first does it.
    for node in &nodes {
        node.migrate().await.unwrap();
    }
    Fixture::new(Spread::over(nodes)).keeping(turn)
}

macro_rules! races {
    ($($race:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $race() {
                conformance::$race(over_three_nodes().await).await;
            }
        )+
    };
}

races! {
    a_person_in_a_hurry_redeems_once
    a_person_in_a_hurry_gets_one_reservation
    many_codes_are_redeemed_at_once
    a_redemption_and_a_revocation_exclude_each_other
    a_grant_is_wholly_one_version
    rotations_at_once_leave_one_code
    one_of_many_changes_meant_for_a_version_is_made
    a_commit_and_a_release_exclude_each_other
    a_late_commit_and_a_taker_exclude_each_other
    a_run_out_use_passes_to_one
    a_crowd_creates_as_many_as_there_are_places
    whatever_makes_pending_shares_the_places
    one_key_at_the_same_moment_creates_once
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crowds_redeem_exactly_as_often_as_a_code_says() {
    for uses in [1, 3, 5] {
        let uses = NonZeroU32::new(uses).unwrap();
        race_rounds_for_uses(over_three_nodes().await, 4, uses).await;
        race_rounds_with_leases(over_three_nodes().await, 2, uses).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_redeemed_the_others_know() {
    let fixture = over_three_nodes().await;
    let invitations = Invitations::new(fixture.store());
    let (_, code) = support::create(&invitations).await;
    let anna = support::redeemer("anna");
    invitations.redeem(&code, &anna).await.unwrap();
    for _ in 0..3 {
        assert!(invitations.redeem(&code, &anna).await.unwrap().is_replayed());
        assert_eq!(support::uses(&invitations).await, 1);
    }
}

#[path = "../support/mod.rs"]
mod support;
