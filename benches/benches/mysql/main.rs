//! MariaDB: one hot code, compared to hand-written SQL, in alternating rounds on the same
//! server.
//!
//! ```text
//! cargo bench -p invitation-benches --bench mysql
//! ```
//!
//! 32 callers use up one code for many uses through the service, with its default options
//! and a pool of 32 with its default options. In the references, 32 connections use up a
//! row of a smaller table. Each task holds its connection, with prepared statements of
//! sqlx:
//!
//! - *by hand*: a transaction of the guarded update and the insert of an event, which is
//!   four round trips: begin, update, insert, commit;
//! - *update alone*: only the guarded update, without any event, one round trip.
//!
//! The bench starts its own server, which waits for the disk at each commit. Read the
//! ratios: each comes from alternating rounds. Environment variables:
//!
//! - `INVITATION_BENCH_ROUNDS`: the number of rounds, 7 by default.
//! - `INVITATION_BENCH_USES`: the number of uses per round, 4000 by default.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

#[path = "../shared/callers.rs"]
mod callers;
mod reference;

use std::{env, sync::Arc};

use invitation::Invitations;
use invitation::{MySqlStore, sql::sqlx::mysql::MySqlPoolOptions};
use invitation_testkit::MariaDb;

use callers::{CALLERS, meet};
use reference::{Reference, Work};

async fn store(url: &str) -> MySqlStore {
    let callers = u32::try_from(CALLERS).unwrap();
    let pool = MySqlPoolOptions::new().min_connections(callers).max_connections(callers);
    let store = MySqlStore::new(pool.connect(url).await.unwrap());
    store.migrate().await.unwrap();
    store
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

#[tokio::main]
async fn main() {
    let quick = env::args().any(|word| word == "--test");
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let rounds = if quick { 1 } else { number("INVITATION_BENCH_ROUNDS").unwrap_or(7) };
    let uses = if quick { 200 } else { number("INVITATION_BENCH_USES").unwrap_or(4_000) };

    let server = MariaDb::durable().unwrap();
    let reference = Reference::new(&server.create_database()).await;
    let invitations = Arc::new(Invitations::new(store(&server.create_database()).await));
    meet(&invitations, uses / 10).await;

    println!(
        "\nhot code: {CALLERS} callers against {CALLERS} connections by hand, {uses} uses each"
    );
    println!(
        "| round | by hand | update alone | redeems | by hand = 1 | update alone = 1 | winners | p50 | p99 | p99 / p50 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let (mut by_hand, mut alone, mut spreads) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        let hand = reference.rate(Work::UpdateAndEvent, CALLERS, uses).await;
        let update = reference.rate(Work::Update, CALLERS, uses).await;
        let callers = meet(&invitations, uses).await;
        let ours = f64::from(uses) / callers.time.as_secs_f64();
        let (p50, p99) = (callers.percentile(50), callers.percentile(99));
        let spread = p99.as_secs_f64() / p50.as_secs_f64();
        println!(
            "| {round} | {hand:.0}/s | {update:.0}/s | {ours:.0}/s | {:.2} | {:.2} | {} of {uses} | {p50:.1?} | {p99:.1?} | {spread:.1} |",
            ours / hand,
            ours / update,
            callers.waits.len(),
        );
        assert_eq!(callers.waits.len(), usize::try_from(uses).unwrap(), "exactly that many");
        by_hand.push(ours / hand);
        alone.push(ours / update);
        spreads.push(spread);
    }
    println!(
        "median: {:.2} by hand, {:.2} update alone, p99 / p50 {:.1}",
        median(by_hand),
        median(alone),
        median(spreads)
    );
}
