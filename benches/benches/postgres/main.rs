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
//! - `INVITATION_BENCH_ROUNDS`: the number of rounds, 7 by default.
//! - `INVITATION_BENCH_SECONDS`: how long each side of a round runs, 4 by default.
//! - `INVITATION_BENCH_ROWS`: the sizes of the lists, `10000,100000,1000000` by default.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

mod bulk;
#[path = "../shared/callers.rs"]
mod callers;
mod hot;
mod lists;
mod people;
mod redeem;
mod reference;

use std::{env, str::FromStr, time::Duration};

use invitation::{
    PgStore,
    sql::sqlx::{
        self, PgPool,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};
use invitation_testkit::Postgres;

/// The extent of the measurements.
struct Extent {
    rounds: usize,
    time: Duration,
    rows: Vec<u32>,
}

impl Extent {
    fn of(quick: bool) -> Self {
        let number = |name: &str| env::var(name).ok().and_then(|text| text.parse().ok());
        let rows = env::var("INVITATION_BENCH_ROWS").ok();
        let rows = rows.as_deref().unwrap_or("10000,100000,1000000");
        if quick {
            return Self { rounds: 1, time: Duration::from_secs(1), rows: vec![1_000] };
        }
        Self {
            rounds: number("INVITATION_BENCH_ROUNDS").unwrap_or(7),
            time: Duration::from_secs(
                number("INVITATION_BENCH_SECONDS").unwrap_or(4).try_into().unwrap(),
            ),
            rows: rows.split(',').map(|n| n.trim().parse().unwrap()).collect(),
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

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

#[tokio::main]
async fn main() {
    let words: Vec<_> = env::args().skip(1).collect();
    let quick = words.iter().any(|word| word == "--test");
    let named: Vec<_> = words.iter().filter(|word| !word.starts_with("--")).collect();
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| *name == part);
    let extent = Extent::of(quick);
    let server = Postgres::durable().unwrap();
    // Prevents autovacuum of one side's rows during the measurement of the other.
    let pool = PgPool::connect(&server.url("postgres")).await.unwrap();
    for set in ["ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"] {
        sqlx::raw_sql(set).execute(&pool).await.unwrap();
    }
    pool.close().await;
    if wanted("redeem") {
        redeem::run(&server, &extent).await;
    }
    if wanted("hot") {
        hot::run(&server, &extent).await;
    }
    if wanted("bulk") {
        bulk::run(&server, &extent).await;
    }
    if wanted("lists") {
        lists::run(&server, &extent).await;
    }
}
