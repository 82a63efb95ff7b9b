//! Single-use codes, each redeemed once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use invitation::Invitations;
use invitation::PgStore;
use invitation_testkit::Postgres;
use tokio::task::JoinSet;

use crate::{
    Extent, Pool,
    callers::newcomer,
    median,
    people::fresh_codes,
    reference::{Reference, Script},
    store,
};

pub(crate) async fn run(server: &Postgres, extent: &Extent) {
    let url = server.create_database();
    let reference = Reference::new(&url, extent.rounds == 1).await;
    let untested = Arc::new(Invitations::new(store(&url, Pool::Untested).await));
    let default = Arc::new(Invitations::new(store(&url, Pool::Default).await));

    println!("\nredeem: rates against pgbench with one statement per redeem, 16 connections");
    println!(
        "| round | pgbench | 16 callers, test_before_acquire(false) | ratio | 16 callers, default pool | ratio |"
    );
    println!("|---|---|---|---|---|---|");
    let (mut with_untested, mut with_default) = (Vec::new(), Vec::new());
    for round in 1..=extent.rounds {
        let limit = reference.rate(Script::Redeem, 16, extent.time).await;
        let ours = rate(&reference, &untested, 16, extent.time).await;
        let pinging = rate(&reference, &default, 16, extent.time).await;
        println!(
            "| {round} | {limit:.0}/s | {ours:.0}/s | {:.2} | {pinging:.0}/s | {:.2} |",
            ours / limit,
            pinging / limit
        );
        with_untested.push(ours / limit);
        with_default.push(pinging / limit);
    }
    println!("median: {:.2} and {:.2}", median(with_untested), median(with_default));

    println!("\nredeem: latency of one caller against that of one pgbench connection");
    println!("| round | pgbench | test_before_acquire(false) | ratio | default pool | ratio |");
    println!("|---|---|---|---|---|---|");
    let (mut with_untested, mut with_default) = (Vec::new(), Vec::new());
    for round in 1..=extent.rounds {
        let limit = 1e6 / reference.rate(Script::Redeem, 1, extent.time).await;
        let ours = 1e6 / rate(&reference, &untested, 1, extent.time).await;
        let pinging = 1e6 / rate(&reference, &default, 1, extent.time).await;
        println!(
            "| {round} | {limit:.0} µs | {ours:.0} µs | {:.2} | {pinging:.0} µs | {:.2} |",
            ours / limit,
            pinging / limit
        );
        with_untested.push(ours / limit);
        with_default.push(pinging / limit);
    }
    println!("median: {:.2} and {:.2}", median(with_untested), median(with_default));
}

/// Returns how many codes per second `callers` callers redeem, each one after the other.
async fn rate(
    reference: &Reference,
    invitations: &Arc<Invitations<PgStore>>,
    callers: usize,
    time: Duration,
) -> f64 {
    // More codes than a present-day machine can redeem in this time.
    let enough = usize::try_from(time.as_millis()).unwrap() * if callers == 1 { 3 } else { 8 };
    let codes = Arc::new(Mutex::new(fresh_codes(invitations, enough).await));
    let made = Arc::new(AtomicUsize::new(0));
    reference.settle().await;
    let start = Instant::now();
    let mut running = JoinSet::new();
    for caller in 0..callers {
        let (invitations, codes) = (Arc::clone(invitations), Arc::clone(&codes));
        let made = Arc::clone(&made);
        running.spawn(async move {
            let newcomer = newcomer(caller);
            while start.elapsed() < time {
                let Some(code) = codes.lock().unwrap().pop() else { break };
                invitations.redeem(&code, &newcomer).await.unwrap();
                made.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(finished) = running.join_next().await {
        finished.unwrap();
    }
    let made = u32::try_from(made.load(Ordering::Relaxed)).unwrap();
    f64::from(made) / start.elapsed().as_secs_f64()
}
