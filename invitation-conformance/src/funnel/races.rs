//! Several counters at the same time.

use std::sync::Arc;

use invitation_core::{Action, Event, audit::Detail, funnel::FunnelCounter};

use super::{FunnelFixture, people::House};
use crate::support::{
    concurrent::run_concurrently,
    factory::Factory,
    samples::{division, start},
};

/// The number of invitations of each writer.
const EACH: u64 = 30;

/// The number of writers, and of counters.
const WRITERS: u64 = 4;

/// Counters that run at the same time, while other callers write, count each event once.
pub async fn counters_that_run_while_others_write_count_each_event_once(fixture: FunnelFixture) {
    let house = Arc::new(House::new(fixture));
    let factory = Arc::new(Factory::new());
    let jobs = (0..2 * WRITERS).map(|n| {
        let (house, factory) = (Arc::clone(&house), Arc::clone(&factory));
        async move {
            for _ in 0..EACH {
                if n % 2 == 0 {
                    let id = factory.invitation_id();
                    let events = [Action::Create, Action::Redeem].map(|action| Event {
                        invitation: Some(id),
                        division: Some(division("sales")),
                        detail: Detail::none().with("max_uses", "2"),
                        ..factory.event(action, start())
                    });
                    house.harness.store.record(&events).await.expect("the store records");
                } else {
                    let counter = FunnelCounter::new(Arc::clone(&house.source));
                    let run = counter.with_page_size(7.try_into().expect("not zero")).run().await;
                    let _ = run.expect("the store answers");
                }
            }
        }
    });
    run_concurrently(jobs.collect()).await;
    house.count(WRITERS * EACH, WRITERS * EACH, 0).await;
    let figures = house.figures().await;
    assert_eq!((figures.open(), figures.redeemed()), (WRITERS * EACH, WRITERS * EACH));
}
