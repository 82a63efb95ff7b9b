//! The API and a registration over HTTP, under wrk, on SQLite (a file) and PostgreSQL,
//! compared to a handler that does nothing.
//!
//! ```text
//! cargo bench -p invitation-benches --bench http
//! ```
//!
//! Host, store and wrk share the machine. The compared cases alternate, round by round;
//! read the ratios. With `--test`, it runs one short round as a smoke test.

mod host;
mod wrk;

use std::{env, error::Error};

use invitation::{PgStore, SqliteStore, sql::sqlx::PgPool};
use invitation_testkit::Postgres;

use self::{
    host::{Accounts, Host},
    wrk::{Asked, Measured},
};

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The duration and number of the measurements.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    seconds: u32,
    /// The number of codes for registrations, per round.
    codes: usize,
}

fn main() -> Result {
    let effort = if env::args().any(|arg| arg == "--test") {
        Effort { rounds: 1, seconds: 1, codes: 2_000 }
    } else {
        Effort { rounds: 5, seconds: 5, codes: 40_000 }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(effort))
}

async fn measure(effort: Effort) -> Result {
    let folder = tempfile::tempdir()?;
    let sqlite = SqliteStore::open(folder.path().join("bench.db")).await?;
    println!("{:<12}{:<12}{:>12}{:>22}", "store", "", "requests/s", "of doing nothing");
    measure_on("SQLite", Host::start(sqlite).await?, effort).await?;

    let server = Postgres::durable()?;
    let postgres = PgStore::new(PgPool::connect(&server.create_database()).await?);
    postgres.migrate().await?;
    measure_on("PostgreSQL", Host::start(postgres).await?, effort).await
}

async fn measure_on<S: Accounts>(name: &str, host: Host<S>, effort: Effort) -> Result {
    let mut measured: [(&str, Vec<Measured>); 4] =
        ["nothing", "list", "create", "register"].map(|what| (what, Vec::new()));
    for _ in 0..effort.rounds {
        let codes = host.fresh_codes(effort.codes).await?;
        host.settle().await?;
        let asked = [Asked::Nothing, Asked::List, Asked::Create, Asked::Register(codes)];
        for ((_, rounds), asked) in measured.iter_mut().zip(asked) {
            rounds.push(wrk::run(host.address(), asked, effort.seconds).await?);
        }
    }
    let nothing = middle(&measured[0].1);
    for (what, rounds) in &measured {
        let rate = middle(rounds);
        println!("{name:<12}{what:<12}{rate:>12.0}{:>21.1}%", 100.0 * rate / nothing);
    }
    Ok(())
}

/// Returns the median of the rounds.
fn middle(rounds: &[Measured]) -> f64 {
    let mut rates: Vec<f64> = rounds.iter().map(|round| round.rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
