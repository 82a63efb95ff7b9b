//! A store whose client sends each change twice, as after a connection that was lost before the
//! answer. The call is still the first one.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use invitation_core::{
    CommittedBy, Event, EventFilter, EventId, Facts, Filter, Insert, Inserted, InvitationId,
    Invitations, Invitee, Located, MemoryStore, OpenLease, Outcome, PageRequest, Purge, Purged,
    Record, Redemption, Scope, StatusCounts, Store, StoreError, StorePage, Target, Timestamp,
    Transition, UserId, hooks::CommandKind, reserve::Reserved,
};

use crate::host::{Host, Recorder, admin, newcomer, staff};

/// The memory store behind a client that sends each change twice and returns the second answer.
#[derive(Clone, Debug)]
struct Resending(Arc<MemoryStore>);

#[async_trait]
impl Store for Resending {
    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        for lost in self.0.apply(transitions).await {
            assert!(matches!(lost, Ok(Outcome::Applied(_))), "the lost answer: {lost:?}");
        }
        let answers = self.0.apply(transitions).await;
        assert!(answers.iter().all(|one| matches!(one, Ok(Outcome::Replayed(_)))), "{answers:?}");
        answers
    }

    fn committed_by(&self) -> CommittedBy {
        self.0.committed_by()
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted, StoreError> {
        self.0.insert(insert).await
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Record>, StoreError> {
        self.0.get(target, scope).await
    }

    async fn facts(
        &self,
        target: &Target,
        scope: &Scope,
        user: &UserId,
    ) -> Result<Option<Facts>, StoreError> {
        self.0.facts(target, scope, user).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        self.0.locate(target).await
    }

    async fn are_invited(
        &self,
        invitees: &[Invitee],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        self.0.are_invited(invitees, now).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Record, InvitationId>, StoreError> {
        self.0.list(scope, filter, page).await
    }

    async fn count(
        &self,
        scope: &Scope,
        filter: &Filter,
        cap: u32,
    ) -> Result<StatusCounts, StoreError> {
        self.0.count(scope, filter, cap).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        invitation: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>, StoreError> {
        self.0.redemptions(scope, invitation, page).await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>, StoreError> {
        self.0.leases(scope, page).await
    }

    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        self.0.record(events).await
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>, StoreError> {
        self.0.events(scope, filter, page).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged, StoreError> {
        self.0.purge(purge).await
    }
}

/// Returns a service on a store that resends, its hooks, and the code of an invitation.
async fn resending() -> (Invitations<Resending>, Recorder, String) {
    let Host { store, hooks, .. } = Host::new();
    let service = Invitations::new(Resending(store)).with_hooks(hooks.clone());
    let created = service.create(&admin(), staff()).await.unwrap();
    hooks.take_told();
    (service, hooks, created.code().reveal().to_string())
}

/// Returns the kinds of the notifications since the last call.
fn told(hooks: &Recorder) -> Vec<CommandKind> {
    hooks.take_told().into_iter().map(|done| done.kind).collect()
}

#[tokio::test]
async fn commit_that_the_store_resends_is_no_replay_and_is_notified_once() {
    let (service, hooks, code) = resending().await;
    let Reserved::Open(open) = service.reserve(&code, &newcomer()).await.unwrap() else {
        panic!("it is not redeemed yet");
    };
    assert!(!open.is_replayed());
    assert_eq!(told(&hooks), [CommandKind::Reserve]);
    let redeemed = service.commit(open.id(), &newcomer()).await.unwrap();
    assert!(!redeemed.is_replayed(), "it is the only commit");
    assert_eq!(told(&hooks), [CommandKind::Commit]);
}

#[tokio::test]
async fn repeated_commit_is_a_replay_without_a_notification() {
    let Host { store, hooks, .. } = Host::new();
    let service = Invitations::new(store).with_hooks(hooks.clone());
    let created = service.create(&admin(), staff()).await.unwrap();
    let reserved = service.reserve(&created.code().reveal(), &newcomer()).await.unwrap();
    let Reserved::Open(open) = reserved else { panic!("it is not redeemed yet") };
    service.commit(open.id(), &newcomer()).await.unwrap();
    hooks.take_told();
    assert!(service.commit(open.id(), &newcomer()).await.unwrap().is_replayed());
    assert_eq!(told(&hooks), []);
}

#[tokio::test]
async fn redeem_with_on_a_store_that_resends_is_no_replay() {
    let (service, hooks, code) = resending().await;
    let done = service.redeem_with(&code, &newcomer(), async |_| Ok::<_, Infallible>("made")).await;
    let done = done.unwrap();
    assert_eq!(done.created, Some("made"));
    assert!(!done.redeemed.is_replayed());
    assert_eq!(told(&hooks), [CommandKind::Reserve, CommandKind::Commit]);
}
