//! A counter that is killed.

use std::sync::Arc;

use invitation_core::{Intercept, funnel::FunnelCounter};

use super::{
    FunnelFixture,
    people::{CREATED, DELETED, House},
};
use crate::support::interrupt::Interrupt;

/// The points at which the counter is killed: before and after each of its first seven writes.
const POINTS: usize = 14;

/// A counter that is killed at any of its writes, before it or before the answer arrives, has
/// counted each event once or not at all. The next one counts the others.
pub async fn counter_that_is_killed_at_any_write_counts_each_event_once(fixture: FunnelFixture) {
    let house = House::new(fixture);
    let batch = house.filled().await;
    let five = 5.try_into().expect("not zero");
    for point in 0..POINTS {
        let interrupt = Interrupt::at(point);
        let store = Intercept::new(Arc::clone(&house.source), interrupt.clone());
        let counter = FunnelCounter::new(store).with_page_size(five);
        tokio::select! {
            biased;
            () = interrupt.reached() => {}
            run = counter.run() => drop(run.expect("the store answers")),
        }
    }
    house.count(CREATED, 5, DELETED).await;
    house.has_each_once(batch).await;
}
