//! A store whose calls go to several nodes.

use std::{
    fmt,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    CommittedBy, Event, EventFilter, EventId, Facts, Filter, Insert, Inserted, InvitationId,
    Invitee, Located, OpenLease, Outcome, PageRequest, Purge, Purged, Record, Redemption, Scope,
    StatusCounts, Store, StoreError, StorePage, Target, Timestamp, Transition, UserId,
    feed::{
        CursorName, EventRemoval, EventsRemoved, Feed, FeedCursor, FeedCursors, FeedPage,
        FeedPosition, FeedRetention,
    },
};
use invitation_sqlx::MySqlStore;

/// The maximum number of tries of a change that conflicts. Here many callers on three
/// servers want the same row, and one succeeds at a time.
const TRIES: usize = 100;

/// A store that sends each call to the next node.
pub(crate) struct Spread {
    nodes: Vec<MySqlStore>,
    next: AtomicUsize,
}

impl Spread {
    pub(crate) fn over(nodes: Vec<MySqlStore>) -> Self {
        Self { nodes, next: AtomicUsize::new(0) }
    }

    fn node(&self) -> &MySqlStore {
        &self.nodes[self.next.fetch_add(1, Ordering::Relaxed) % self.nodes.len()]
    }
}

impl fmt::Debug for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spread").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Feed for Spread {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        self.node().feed(after, limit).await
    }
}

#[async_trait]
impl FeedCursors for Spread {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
        self.node().cursor(name).await
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
        self.node().replace_cursor(cursor).await
    }
}

#[async_trait]
impl FeedRetention for Spread {
    async fn cursors(&self) -> Result<Vec<FeedCursor>, StoreError> {
        self.node().cursors().await
    }

    async fn remove_cursor(&self, name: &CursorName, version: u64) -> Result<bool, StoreError> {
        self.node().remove_cursor(name, version).await
    }

    async fn remove_events(&self, removal: &EventRemoval) -> Result<EventsRemoved, StoreError> {
        self.node().remove_events(removal).await
    }
}

#[async_trait]
impl Store for Spread {
    fn committed_by(&self) -> CommittedBy {
        self.node().committed_by()
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        for _ in 0..TRIES {
            match self.node().insert(insert).await {
                Err(error) if error.is_retryable() => {}
                done => return done,
            }
        }
        self.node().insert(insert).await
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let mut answers = Vec::new();
        for transition in transitions {
            let one = std::slice::from_ref(transition);
            let mut answer = self.node().apply(one).await;
            for _ in 0..TRIES {
                if !answer.iter().filter_map(|a| a.as_ref().err()).any(StoreError::is_retryable) {
                    break;
                }
                answer = self.node().apply(one).await;
            }
            answers.append(&mut answer);
        }
        answers
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
        self.node().get(target, scope).await
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        self.node().facts(target, scope, user).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        self.node().locate(target).await
    }

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        self.node().are_invited(invitees, now).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        self.node().list(scope, filter, page).await
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        self.node().count(scope, filter, cap).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        self.node().redemptions(scope, invitation, page).await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        self.node().leases(scope, page).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        self.node().record(events).await
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        self.node().events(scope, filter, page).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.node().purge(purge).await
    }
}
