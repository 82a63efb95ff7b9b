//! MariaDB, in alternating rounds on the same server.
//!
//! ```text
//! cargo bench -p invitation-benches --bench mysql
//! cargo bench -p invitation-benches --bench mysql -- hot
//! ```
//!
//! - `redeem`: callers redeem single-use codes, with all mechanisms and without each of them.
//! - `far`: the same, while a round trip to the server takes half a millisecond.
//! - `hot`: 32 callers use up one code for many uses, compared to hand-written SQL.
//!
//! The library has its default options, on a pool with default options: of 32 connections for
//! `hot`, of 16 otherwise. The bench starts its own server, which waits for the disk at each
//! commit. Read the ratios: each comes from alternating rounds. Environment variables:
//!
//! - `INVITATION_BENCH_CALLERS`: the numbers of callers of `redeem` and `far`, `1,32` by default.
//! - `INVITATION_BENCH_ROUNDS`: the number of rounds, 5 by default.
//! - `INVITATION_BENCH_SECONDS`: how long each side of a round of both runs, 2 by default.
//! - `INVITATION_BENCH_USES`: the number of uses per round of `hot`, 4000 by default.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

#[path = "../shared/callers.rs"]
mod callers;
#[path = "../shared/compare.rs"]
mod compare;
#[path = "../shared/consumer.rs"]
mod consumer;
#[path = "../shared/distance.rs"]
mod distance;
#[path = "../shared/extent.rs"]
mod extent;
mod hot;
#[path = "../../examples/load/redeem.rs"]
mod load;
mod reference;

use std::{future::Ready, time::Duration};

use invitation::{MySqlStore, sql::sqlx::mysql::MySqlPoolOptions};
use invitation_testkit::MariaDb;

use compare::{Extent, Variant};
use extent::{is_test, is_wanted, setting, settings};

/// The type of a reference that does not exist.
type NoReference = fn(usize) -> Ready<f64>;

async fn store(url: &str, connections: u32) -> MySqlStore {
    let pool = MySqlPoolOptions::new().min_connections(connections).max_connections(connections);
    let store = MySqlStore::new(pool.connect(url).await.unwrap());
    store.migrate().await.unwrap();
    store
}

#[tokio::main]
async fn main() {
    let extent = if is_test() {
        Extent { rounds: 1, time: Duration::from_millis(100), callers: vec![1, 32] }
    } else {
        Extent {
            rounds: setting("INVITATION_BENCH_ROUNDS", 5),
            time: Duration::from_secs(setting("INVITATION_BENCH_SECONDS", 2)),
            callers: settings("INVITATION_BENCH_CALLERS", "1,32"),
        }
    };
    let server = MariaDb::durable().unwrap();
    if is_wanted("redeem") {
        redeem(&server, &extent).await;
    }
    if is_wanted("far") {
        far(&server, &extent).await;
    }
    if is_wanted("hot") {
        hot::run(&server, extent.rounds).await;
    }
}

async fn redeem(server: &MariaDb, extent: &Extent) {
    let ours = store(&server.create_database(), 16).await;
    let mut variants = [
        Variant::new("default", ours.clone()),
        Variant::new("without the message", ours.clone().without_fast_path()),
        Variant::with_consumer(ours.clone()),
        Variant::with_keyring(ours.clone()),
        Variant::with_keyring_and_throttle(ours),
    ];
    println!("\nredeem: single-use codes, without a reference\n");
    run(extent, &mut variants).await;
}

async fn far(server: &MariaDb, extent: &Extent) {
    let ours = store(&distance::far_away(&server.create_database()), 16).await;
    let mut variants = [
        Variant::new("default", ours.clone()),
        Variant::new("without the message", ours.without_fast_path()),
    ];
    println!("\nfar: single-use codes, with a server that is half a millisecond away\n");
    run(extent, &mut variants).await;
}

async fn run(extent: &Extent, variants: &mut [Variant<MySqlStore>]) {
    let none: Option<(&str, NoReference)> = None;
    compare::run(extent, variants, none, async |_| ()).await;
}
