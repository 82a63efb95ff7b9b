//! One code for many uses, redeemed by all callers at once.

use std::sync::Arc;

use invitation::Invitations;
use invitation_testkit::Postgres;

use crate::{
    Extent, Pool,
    callers::meet,
    median,
    reference::{Reference, Script},
    store,
};

pub(crate) async fn run(server: &Postgres, extent: &Extent) {
    let url = server.create_database();
    let reference = Reference::new(&url, extent.is_test).await;
    let store = store(&url, Pool::Default).await;
    let alone = Arc::new(Invitations::new(store.clone().without_batches()));
    let invitations = Arc::new(Invitations::new(store));

    println!("\nhot code: 32 callers against 32 pgbench connections with a guarded update");
    println!(
        "| round | pgbench | redeems | ratio | without batches = 1 | winners of uses | p50 | p99 | p99 / p50 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let (mut rates, mut bought, mut spreads) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=extent.rounds {
        let limit = reference.rate(Script::Hot, 32, extent.time).await;
        // The code is used up in about the time of the reference run.
        let rate = format!("{:.0}", limit * extent.time.as_secs_f64() / 2.0);
        let uses = rate.parse::<u32>().unwrap().clamp(100, 100_000);
        reference.settle().await;
        let callers = meet(&invitations, uses).await;
        reference.settle().await;
        let without = meet(&alone, uses).await.time.as_secs_f64() / callers.time.as_secs_f64();
        let ours = f64::from(uses) / callers.time.as_secs_f64();
        let (p50, p99) = (callers.percentile(50), callers.percentile(99));
        let spread = p99.as_secs_f64() / p50.as_secs_f64();
        println!(
            "| {round} | {limit:.0}/s | {ours:.0}/s | {:.2} | {without:.2} | {} of {uses} | {p50:.1?} | {p99:.1?} | {spread:.1} |",
            ours / limit,
            callers.waits.len(),
        );
        assert_eq!(callers.waits.len(), usize::try_from(uses).unwrap(), "exactly that many");
        rates.push(ours / limit);
        bought.push(without);
        spreads.push(spread);
    }
    println!(
        "median: {:.2}, without batches = 1: {:.2}, p99 / p50 {:.1}",
        median(rates),
        median(bought),
        median(spreads)
    );
}
