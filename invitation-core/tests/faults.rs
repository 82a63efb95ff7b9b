//! A store that fails on cue, around the real one in memory: before it does
//! anything, or after it did, with the answer lost.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use invitation_core::{
    Action, Actor, Criteria, Division, Draft, Durability, Entropy, EntropyError, Error, Event,
    EventCriteria, EventFilter, EventId, EventListing, Filter, IfVersion, Inserted, Invitation,
    InvitationId, Invitations, Listing, Located, MemoryStore, NewInvitation, Outcome, Page, Paging,
    Redeemer, Refusal, Role, Scope, Store, StoreError, StoreErrorKind, Tally, Target, Transition,
    UserId, Username,
};

/// What goes wrong with the next call that writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    /// It is not done.
    Before,
    /// It is done, but nobody hears of it.
    AnswerLost,
}

#[derive(Clone, Debug)]
struct Flaky {
    store: Arc<MemoryStore>,
    fault: Arc<AtomicUsize>,
}

const FAULTS: [Fault; 3] = [Fault::None, Fault::Before, Fault::AnswerLost];

impl Flaky {
    fn new() -> Self {
        Self { store: Arc::default(), fault: Arc::default() }
    }

    fn next(&self, fault: Fault) {
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
    fn durability(&self) -> Durability {
        self.store.durability()
    }

    async fn insert(&self, rows: &[NewInvitation]) -> Result<Inserted, StoreError> {
        let fault = self.take();
        if fault == Fault::Before {
            return Err(unavailable());
        }
        let answer = self.store.insert(rows).await?;
        if fault == Fault::AnswerLost { Err(unknown()) } else { Ok(answer) }
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome, StoreError>> {
        let fault = self.take();
        if fault == Fault::Before {
            return transitions.iter().map(|_| Err(unavailable())).collect();
        }
        let answers = self.store.apply(transitions).await;
        if fault == Fault::AnswerLost {
            return transitions.iter().map(|_| Err(unknown())).collect();
        }
        answers
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>, StoreError> {
        self.store.get(target, scope).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>, StoreError> {
        self.store.locate(target).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &Page<InvitationId>,
    ) -> Result<Listing, StoreError> {
        self.store.list(scope, filter, page).await
    }

    async fn count(&self, scope: &Scope, filter: &Filter, cap: u32) -> Result<Tally, StoreError> {
        self.store.count(scope, filter, cap).await
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
        page: &Page<EventId>,
    ) -> Result<EventListing, StoreError> {
        self.store.events(scope, filter, page).await
    }
}

struct World {
    store: Flaky,
    invitations: Invitations<Flaky>,
    manager: Actor,
    admin: Actor,
}

impl World {
    fn new() -> Self {
        let store = Flaky::new();
        let user = |name: &str| UserId::new(name).expect("an id");
        let role = |name: &str| Role::new(name).expect("a role");
        let sales = Division::new("sales").expect("a division");
        Self {
            invitations: Invitations::new(store.clone()),
            store,
            manager: Actor::in_division(user("mia"), role("manager"), sales),
            admin: Actor::across_divisions(user("ada"), role("admin")),
        }
    }

    async fn code(&self) -> (InvitationId, String) {
        let created = self.invitations.create(&self.manager, Draft::new()).await;
        let created = created.expect("nothing is wrong");
        (created.invitation().id, created.code().reveal().to_string())
    }

    async fn events(&self, action: Action) -> usize {
        let criteria = EventCriteria::new().of_action(action);
        let page = self.invitations.events(&self.admin, &criteria, Paging::default()).await;
        page.expect("reading works").items().len()
    }
}

fn redeemer(name: &str) -> Redeemer {
    let user = UserId::new(name).expect("an id");
    Redeemer::new(user, Username::new(name).expect("a name"))
}

fn kind<T: std::fmt::Debug>(answer: Result<T, Error>) -> StoreErrorKind {
    match answer {
        Err(Error::Store(error)) => error.kind(),
        other => panic!("the store failed, and the answer is {other:?}"),
    }
}

#[tokio::test]
async fn after_a_lost_answer_the_retry_tells_the_truth() {
    let world = World::new();
    let (_, code) = world.code().await;
    let anna = redeemer("anna");
    world.store.next(Fault::AnswerLost);
    let answer = world.invitations.redeem(&code, &anna).await;
    assert_eq!(kind(answer), StoreErrorKind::OutcomeUnknown, "neither success nor refusal");

    let again = world.invitations.redeem(&code, &anna).await.expect("it is hers");
    assert!(again.is_replayed(), "it had been made");
    let other = world.invitations.redeem(&code, &redeemer("ben")).await.expect_err("it is used");
    assert_eq!(other.refusal(), Some(&Refusal::Used));
    assert_eq!(world.events(Action::Redeem).await, 2, "one success, one refusal");
}

#[tokio::test]
async fn what_failed_before_it_was_done_is_not_done() {
    let world = World::new();
    let (id, code) = world.code().await;
    world.store.next(Fault::Before);
    let answer = world.invitations.redeem(&code, &redeemer("anna")).await;
    assert_eq!(kind(answer), StoreErrorKind::Unavailable);
    world.store.next(Fault::Before);
    let answer = world.invitations.revoke(&world.admin, id, None, IfVersion::Any).await;
    assert_eq!(kind(answer), StoreErrorKind::Unavailable);
    world.store.next(Fault::Before);
    let answer = world.invitations.create(&world.manager, Draft::new()).await;
    assert_eq!(kind(answer), StoreErrorKind::Unavailable);

    assert_eq!(world.events(Action::Redeem).await, 0);
    assert_eq!(world.events(Action::Revoke).await, 0);
    let page = world.invitations.list(&world.manager, &Criteria::new(), Paging::default()).await;
    assert_eq!(page.expect("reading works").items().len(), 1);
    let redeemed = world.invitations.redeem(&code, &redeemer("ben")).await.expect("still good");
    assert!(!redeemed.is_replayed());
}

#[tokio::test]
async fn without_its_evidence_no_refusal_is_made_and_no_code_given_out() {
    let world = World::new();
    let (id, code) = world.code().await;
    world.store.next(Fault::Before);
    assert_eq!(kind(world.invitations.copy(&world.manager, id).await), StoreErrorKind::Unavailable);
    world.store.next(Fault::Before);
    let denied = world.invitations.delete(&world.manager, id, IfVersion::Any).await;
    assert_eq!(kind(denied), StoreErrorKind::Unavailable);
    world.invitations.redeem(&code, &redeemer("anna")).await.expect("still good");
}

/// Gives the same bytes over and over.
#[derive(Debug)]
struct Stuck;

impl Entropy for Stuck {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(7);
        Ok(())
    }
}

#[tokio::test]
async fn a_source_of_randomness_that_repeats_itself_is_an_error() {
    let world = World::new();
    let invitations = Invitations::new(world.store.clone()).with_entropy(Stuck);
    invitations.create(&world.manager, Draft::new()).await.expect("the first is new");
    let again = invitations.create(&world.manager, Draft::new()).await;
    assert_eq!(kind(again), StoreErrorKind::Conflict, "bounded tries, then an error");
}
