//! A worker that outlives its lease, and a person who decides about the endpoint meanwhile.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    ManualClock, MemoryStore, StoreError,
    audit::EventId,
    store::{Intercept, Interceptor, Operation, StoreCall},
};
use invitation_delivery::webhook::Webhooks;
use time::Duration;

use super::fixture::{Fixture, Receiver, endpoint, name, transport};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Decision {
    Retry,
    Skip,
}

/// Suspends a worker before it saves the result of an attempt, until its lease has expired and the
/// person has decided.
struct Suspension {
    saves: AtomicU32,
    clock: ManualClock,
    host: Webhooks<Arc<MemoryStore>>,
    event: EventId,
    decision: Decision,
}

impl fmt::Debug for Suspension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suspension").finish_non_exhaustive()
    }
}

#[async_trait]
impl Interceptor for Suspension {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        // The first write is the claim.
        if operation == Operation::ReplaceDocuments
            && self.saves.fetch_add(1, Ordering::Relaxed) == 1
        {
            self.clock.advance(Duration::minutes(2));
            match self.decision {
                Decision::Retry => self.host.retry(&name("crm")).await.unwrap(),
                Decision::Skip => {
                    assert!(self.host.skip(&name("crm"), self.event).await.unwrap());
                }
            }
        }
        call.await.map_err(|kind| StoreError::new(kind, operation.as_str()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn decision_of_a_person_is_not_undone_by_a_worker_whose_lease_has_expired() {
    for decision in [Decision::Retry, Decision::Skip] {
        let fixture = Fixture::new(Arc::new(MemoryStore::new()));
        let mut receiver = Receiver::down();
        let secret = fixture.webhooks.register(endpoint(&receiver)).await.unwrap();
        fixture.events().await;
        let feed = fixture.feed().await;
        assert_eq!(fixture.webhooks.run().await.unwrap().failed, 1);
        fixture.clock.advance(Duration::SECOND);

        let suspension = Suspension {
            saves: AtomicU32::new(0),
            clock: fixture.clock.clone(),
            host: Webhooks::new(Arc::clone(&fixture.store), &transport())
                .unwrap()
                .with_clock(fixture.clock.clone()),
            event: feed[0].parse().unwrap(),
            decision,
        };
        let store = Intercept::new(Arc::clone(&fixture.store), suspension);
        let worker = Webhooks::new(store, &transport()).unwrap();
        worker.with_clock(fixture.clock.clone()).run().await.unwrap();

        let shown = fixture.webhooks.get(&name("crm")).await.unwrap().unwrap();
        let attempts = shown.failure.map(|failure| failure.attempts);
        let expected = if decision == Decision::Retry { Some(0) } else { None };
        assert_eq!(attempts, expected, "{decision:?}");
        receiver.start(&secret);
        fixture.run_to_the_end().await;
        let skipped = usize::from(decision == Decision::Skip);
        assert_eq!(receiver.accepted(), feed[skipped..], "{decision:?}");
    }
}
