//! One code for many uses, and everybody wants it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use invitation_core::{Invitations, Refusal, SystemActor};
use invitation_sqlx::PgStore;
use invitation_testkit::Postgres;
use tokio::task::JoinSet;

use crate::{
    Extent, Pool, median,
    people::{draft, newcomer},
    reference::{Reference, Script},
    store,
};

const CALLERS: usize = 32;

pub(crate) async fn run(server: &Postgres, extent: &Extent) {
    let url = server.create_database();
    let reference = Reference::new(&url, extent.rounds == 1).await;
    let invitations = Arc::new(Invitations::new(store(&url, Pool::Untested).await));

    println!("\nhot code: 32 callers against 32 pgbench connections with a guarded update");
    println!("| round | pgbench | redeems | ratio | winners of uses | p50 | p99 | p99 / p50 |");
    println!("|---|---|---|---|---|---|---|---|");
    let (mut rates, mut spreads) = (Vec::new(), Vec::new());
    for round in 1..=extent.rounds {
        let limit = reference.rate(Script::Hot, 32, extent.time).await;
        // Used up in about the time that the reference had.
        let rate = format!("{:.0}", limit * extent.time.as_secs_f64() / 2.0);
        let uses = rate.parse::<u32>().unwrap().clamp(100, 100_000);
        reference.settle().await;
        let crowd = meet(&invitations, uses).await;
        let ours = f64::from(uses) / crowd.time.as_secs_f64();
        let (p50, p99) = (crowd.percentile(50), crowd.percentile(99));
        let spread = p99.as_secs_f64() / p50.as_secs_f64();
        println!(
            "| {round} | {limit:.0}/s | {ours:.0}/s | {:.2} | {} of {uses} | {p50:.1?} | {p99:.1?} | {spread:.1} |",
            ours / limit,
            crowd.waits.len(),
        );
        assert_eq!(crowd.waits.len(), usize::try_from(uses).unwrap(), "exactly that many");
        rates.push(ours / limit);
        spreads.push(spread);
    }
    println!("median: {:.2}, p99 / p50 {:.1}", median(rates), median(spreads));
}

struct Crowd {
    time: Duration,
    /// Of the winners, ascending.
    waits: Vec<Duration>,
}

impl Crowd {
    fn percentile(&self, percent: usize) -> Duration {
        let place = self.waits.len() * percent / 100;
        self.waits.get(place).copied().unwrap_or_default()
    }
}

/// Lets everybody in until the code is used up, and some more try.
async fn meet(invitations: &Arc<Invitations<PgStore>>, uses: u32) -> Crowd {
    let system = SystemActor::for_bootstrap();
    let created = invitations.create(&system, draft(uses)).await.unwrap();
    let code: Arc<str> = created.code().reveal().as_str().into();
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..CALLERS {
        let (invitations, code) = (Arc::clone(invitations), Arc::clone(&code));
        let next = Arc::clone(&next);
        running.spawn(async move {
            let mut waits = Vec::new();
            loop {
                let newcomer = newcomer(next.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                match invitations.redeem(&code, &newcomer).await {
                    Ok(_) => waits.push(asked.elapsed()),
                    Err(error) => {
                        assert_eq!(error.refusal(), Some(&Refusal::Used), "{error:?}");
                        return waits;
                    }
                }
            }
        });
    }
    let mut waits = Vec::new();
    while let Some(finished) = running.join_next().await {
        waits.extend(finished.unwrap());
    }
    waits.sort_unstable();
    Crowd { time: start.elapsed(), waits }
}
