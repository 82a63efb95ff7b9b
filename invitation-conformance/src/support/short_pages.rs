//! A store that examines few candidates for each page of a list.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    CommittedBy, Event, EventFilter, EventId, Facts, Filter, Insert, Inserted, InvitationId,
    Invitee, ListOrder, Located, OpenLease, Outcome, PageRequest, Position, Purge, Purged, Record,
    Redemption, Scope, StatusCounts, Store, StoreError, StorePage, Target, Timestamp, Transition,
    UserId,
};

/// The store under test without searches by earlier redeemers, but each page of invitations or events examines a fixed number of
/// candidates. Stores with bounded work return such pages of long lists: short or empty ones
/// with a position behind the last candidate.
#[derive(Debug)]
pub(crate) struct ShortPages {
    store: Arc<dyn Store>,
    /// The number of candidates of one page.
    candidates: u32,
    calls: AtomicU32,
}

impl ShortPages {
    pub(crate) fn new(store: Arc<dyn Store>, candidates: u32) -> Self {
        Self { store, candidates, calls: AtomicU32::new(0) }
    }

    /// Returns the number of pages since the last call of this function.
    pub(crate) fn take_calls(&self) -> u32 {
        self.calls.swap(0, Ordering::Relaxed)
    }

    fn candidates<I: Copy>(&self, page: &PageRequest<I>) -> PageRequest<I> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        PageRequest { limit: self.candidates, ..*page }
    }
}

/// Returns the matches among the candidates, up to a full page.
fn matching<T, I: Copy>(
    mut page: StorePage<T, I>,
    limit: u32,
    position: impl FnOnce(&T) -> Position<I>,
    matches: impl Fn(&T) -> bool,
) -> StorePage<T, I> {
    page.items.retain(matches);
    let limit = usize::try_from(limit).expect("a small number");
    if page.items.len() > limit {
        page.items.truncate(limit);
        page.next = page.items.last().map(position);
    }
    page
}

#[async_trait]
impl Store for ShortPages {
    fn committed_by(&self) -> CommittedBy {
        self.store.committed_by()
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        self.store.insert(insert).await
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        self.store.apply(transitions).await
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
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

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        self.store.are_invited(invitees, now).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        // The order of expiry goes with a status, so the candidates have it too.
        let status = match filter.order {
            ListOrder::NewestFirst => None,
            ListOrder::SoonestExpiryFirst => filter.status,
        };
        let all = Filter { status, order: filter.order, ..Filter::all(filter.now) };
        let at = |one: &Record| filter.order.position(one);
        let found = self.store.list(scope, &all, &self.candidates(page)).await?;
        Ok(matching(found, page.limit, at, |one| filter.matches(one, [])))
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
        self.store.record(events).await
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        let all = EventFilter::default();
        let at = |event: &Event| Position { at: event.at, id: event.id };
        let found = self.store.events(scope, &all, &self.candidates(page)).await?;
        Ok(matching(found, page.limit, at, |one| filter.matches(one)))
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge).await
    }
}
