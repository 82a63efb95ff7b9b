//! A wrapper of the memory store that fails on request: before a call does anything, or
//! after it has finished, so that the answer is lost.
//!
//! Each call that writes has an await point before and after it, where the caller can
//! drop it, like a call over a network.

// Each test program uses only some of these items.
#![allow(dead_code, unreachable_pub, clippy::allow_attributes)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    CommittedBy, Event, EventFilter, EventId, Facts, Filter, Insert, Inserted, Invitation,
    InvitationId, Invitee, Located, MemoryStore, OpenLease, Outcome, PageRequest, Purge, Purged,
    Redemption, Scope, StatusCounts, Store, StoreError, StoreErrorKind, StorePage, Target,
    Timestamp, Transition, UserId,
};
use tokio::task::yield_now;

/// The fault of the next call that writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    None,
    /// The call fails before it does anything.
    Before,
    /// The call is done, but its answer is lost.
    AnswerLost,
}

#[derive(Clone, Debug)]
pub struct Flaky {
    store: Arc<MemoryStore>,
    fault: Arc<AtomicUsize>,
}

const FAULTS: [Fault; 3] = [Fault::None, Fault::Before, Fault::AnswerLost];

impl Flaky {
    pub fn new() -> Self {
        Self { store: Arc::default(), fault: Arc::default() }
    }

    pub fn next(&self, fault: Fault) {
        let number = FAULTS.iter().position(|known| *known == fault).unwrap_or(0);
        self.fault.store(number, Ordering::SeqCst);
    }

    fn take(&self) -> Fault {
        FAULTS[self.fault.swap(0, Ordering::SeqCst)]
    }
}

fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "flaky")
}

fn unknown() -> StoreError {
    StoreError::new(StoreErrorKind::OutcomeUnknown, "flaky")
}

#[async_trait]
impl Store for Flaky {
    fn committed_by(&self) -> CommittedBy {
        self.store.committed_by()
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        let fault = self.take();
        if fault == Fault::Before {
            return Err(unavailable());
        }
        yield_now().await;
        let answer = self.store.insert(insert).await?;
        yield_now().await;
        if fault == Fault::AnswerLost { Err(unknown()) } else { Ok(answer) }
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let fault = self.take();
        if fault == Fault::Before {
            return transitions.iter().map(|_| Err(unavailable())).collect();
        }
        yield_now().await;
        let answers = self.store.apply(transitions).await;
        yield_now().await;
        if fault == Fault::AnswerLost {
            return transitions.iter().map(|_| Err(unknown())).collect();
        }
        answers
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>, StoreError> {
        self.store.get(target, scope).await
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        self.store.facts(target, scope, user).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        self.store.locate(target).await
    }

    async fn invited(&self, invitees: &[Invitee], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        self.store.invited(invitees, now).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Invitation, InvitationId>, StoreError> {
        self.store.list(scope, filter, page).await
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        self.store.count(scope, filter, cap).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        self.store.redemptions(scope, invitation, page).await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        self.store.leases(scope, page).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        match self.take() {
            Fault::None => self.store.record(events).await,
            Fault::Before | Fault::AnswerLost => Err(unavailable()),
        }
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        self.store.events(scope, filter, page).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        let fault = self.take();
        if fault == Fault::Before {
            return Err(unavailable());
        }
        let answer = self.store.purge(purge).await?;
        if fault == Fault::AnswerLost { Err(unknown()) } else { Ok(answer) }
    }
}
