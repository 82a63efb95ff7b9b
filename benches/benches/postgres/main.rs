//! PostgreSQL, in alternating rounds with a reference on the same server: one statement per
//! redeem by `pgbench`, a guarded update of one hot row, and `COPY`.
//!
//! ```text
//! cargo bench -p invitation-benches --bench postgres
//! cargo bench -p invitation-benches --bench postgres -- redeem
//! ```
//!
//! Parts: `redeem`, `hot`, `bulk`, `lists`; without a name all of them. The bench starts
//! its own server, which waits for the disk at each commit. Read the ratios: each comes
//! from alternating rounds. Environment variables:
//!
//! - `INVITATION_BENCH_CALLERS`: the numbers of callers of `redeem`, `1,16,32,128,512` by
//!   default.
//! - `INVITATION_BENCH_ROUNDS`: the number of rounds, 5 by default.
//! - `INVITATION_BENCH_SECONDS`: how long each side of a round runs, 2 by default.
//! - `INVITATION_BENCH_ROWS`: the sizes of the lists, `10000,100000,1000000` by default.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

mod bulk;
#[path = "../shared/callers.rs"]
mod callers;
#[path = "../shared/compare.rs"]
mod compare;
#[path = "../shared/consumer.rs"]
mod consumer;
#[path = "../shared/durable.rs"]
mod durable;
#[path = "../shared/extent.rs"]
mod extent;
mod hot;
mod lists;
#[path = "../../examples/load/redeem.rs"]
mod load;
mod redeem;
mod reference;

use std::{str::FromStr, time::Duration};

use invitation::{
    PgStore,
    sql::sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};

use compare::median;
use extent::{is_test, is_wanted, setting, settings};

/// The extent of the measurements.
struct Extent {
    is_test: bool,
    rounds: usize,
    time: Duration,
    callers: Vec<usize>,
    rows: Vec<u32>,
}

impl Extent {
    fn new() -> Self {
        if is_test() {
            let time = Duration::from_millis(100);
            return Self {
                is_test: true,
                rounds: 1,
                time,
                callers: vec![1, 32],
                rows: vec![1_000],
            };
        }
        let rows = settings("INVITATION_BENCH_ROWS", "10000,100000,1000000");
        Self {
            is_test: false,
            rounds: setting("INVITATION_BENCH_ROUNDS", 5),
            time: Duration::from_secs(setting("INVITATION_BENCH_SECONDS", 2)),
            callers: settings("INVITATION_BENCH_CALLERS", "1,16,32,128,512"),
            rows: rows.into_iter().map(|rows| rows.try_into().unwrap()).collect(),
        }
    }
}

/// How the library's pool checks its connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pool {
    Default,
    Untested,
}

/// Opens the store on a pool of 16 connections.
async fn store(url: &str, kind: Pool) -> PgStore {
    let options = PgConnectOptions::from_str(url).unwrap();
    let pool: PgPool = PgPoolOptions::new()
        .min_connections(16)
        .max_connections(16)
        .test_before_acquire(kind == Pool::Default)
        .connect_with(options)
        .await
        .unwrap();
    let store = PgStore::new(pool);
    store.migrate().await.unwrap();
    store
}

#[tokio::main]
async fn main() {
    let extent = Extent::new();
    let server = durable::postgres().await;
    if is_wanted("redeem") {
        redeem::run(&server, &extent).await;
    }
    if is_wanted("hot") {
        hot::run(&server, &extent).await;
    }
    if is_wanted("bulk") {
        bulk::run(&server, &extent).await;
    }
    if is_wanted("lists") {
        lists::run(&server, &extent).await;
    }
}
