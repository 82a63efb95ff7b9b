//! A counter that is killed.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    Intercept, Interceptor, Operation, StoreCall, StoreError, funnel::FunnelCounter,
};
use tokio::sync::Notify;

use super::{
    FunnelFixture,
    people::{CREATED, DELETED, House},
};

/// Kills the counter at one of its writes: before it, or before its answer arrives.
#[derive(Debug)]
struct Kill {
    left: AtomicU32,
    after: bool,
    killed: Arc<Notify>,
}

impl Kill {
    async fn now(&self) {
        self.killed.notify_one();
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl Interceptor for Kill {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let is_now = operation.is_write() && self.left.fetch_sub(1, Ordering::SeqCst) == 1;
        if is_now && !self.after {
            self.now().await;
        }
        // The caller gets the answer of the call itself.
        let _ = call.await;
        if is_now {
            self.now().await;
        }
        Ok(())
    }
}

/// A counter that is killed at any of its writes, before it or before the answer arrives, has
/// counted each event once or not at all. The next one counts the others.
pub async fn counter_that_is_killed_at_any_write_counts_each_event_once(fixture: FunnelFixture) {
    let house = House::new(fixture);
    let batch = house.filled().await;
    let five = 5.try_into().expect("not zero");
    for write in 1..8 {
        for after in [false, true] {
            let killed = Arc::new(Notify::new());
            let kill = Kill { left: AtomicU32::new(write), after, killed: Arc::clone(&killed) };
            let store = Intercept::new(house.source.clone(), kill);
            let counter = FunnelCounter::new(store).with_page_size(five);
            tokio::select! {
                biased;
                () = killed.notified() => {}
                run = counter.run() => drop(run.expect("the store answers")),
            }
        }
    }
    house.count(CREATED, 5, DELETED).await;
    house.has_each_once(batch).await;
}
