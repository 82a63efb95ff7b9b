//! The outcome of calls to a failing store: done with evidence, not done, or unknown
//! until the next attempt.

mod support;

use invitation_core::{
    Action, Actor, Criteria, Division, Draft, Email, Entropy, EntropyError, Error, EventCriteria,
    IdempotencyKey, IfVersion, Import, ImportMode, ImportRow, InvitationId, Invitations, Paging,
    Redeemer, Refusal, Role, StoreErrorKind, UserId, Username,
};
use support::{Fault, Flaky, flaky};

struct Harness {
    store: Flaky,
    invitations: Invitations<Flaky>,
    manager: Actor,
    admin: Actor,
}

impl Harness {
    fn new() -> Self {
        let store = flaky();
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
        (created.invitation().id(), created.code().reveal().to_string())
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
    let harness = Harness::new();
    let (_, code) = harness.code().await;
    let anna = redeemer("anna");
    harness.store.interceptor().next(Fault::AnswerLost);
    let answer = harness.invitations.redeem(&code, &anna).await;
    assert_eq!(kind(answer), StoreErrorKind::OutcomeUnknown, "neither success nor refusal");

    let again = harness.invitations.redeem(&code, &anna).await.expect("it is hers");
    assert!(again.is_replayed(), "it had been made");
    let other = harness.invitations.redeem(&code, &redeemer("ben")).await.expect_err("it is used");
    assert_eq!(other.refusal(), Some(&Refusal::Used));
    assert_eq!(harness.events(Action::Redeem).await, 2, "one success, one refusal");
}

#[tokio::test]
async fn an_import_under_a_key_is_done_once_whatever_becomes_of_its_answer() {
    let harness = Harness::new();
    let key = IdempotencyKey::new("k").expect("a key");
    let address = Email::parse("anna@example.com").expect("an address");
    let draft = Draft::new()
        .with_role(Role::new("staff").expect("a role"))
        .in_division(Division::new("sales").expect("a division"));
    let rows = [draft.clone().for_email(address.clone()), draft.clone(), draft.for_email(address)];
    let import = Import::new(rows.map(ImportRow::Draft).into()).with_mode(ImportMode::BestEffort);
    let ask = async || harness.invitations.import(&harness.admin, import.clone(), Some(&key)).await;
    harness.store.interceptor().next(Fault::Before);
    assert_eq!(kind(ask().await), StoreErrorKind::Unavailable);
    assert_eq!(harness.events(Action::Create).await, 0, "nothing was done");
    harness.store.interceptor().next(Fault::AnswerLost);
    assert_eq!(kind(ask().await), StoreErrorKind::OutcomeUnknown);
    for _ in 0..2 {
        let again = ask().await.expect("a repeat");
        assert!(again.is_replayed(), "it had been done");
        assert_eq!((again.created().count(), again.rows().len()), (2, 3), "the third was skipped");
    }
    assert_eq!(harness.events(Action::Create).await, 2, "once");
}

#[tokio::test]
async fn what_failed_before_it_was_done_is_not_done() {
    let harness = Harness::new();
    let (id, code) = harness.code().await;
    harness.store.interceptor().next(Fault::Before);
    let answer = harness.invitations.redeem(&code, &redeemer("anna")).await;
    assert_eq!(kind(answer), StoreErrorKind::Unavailable);
    harness.store.interceptor().next(Fault::Before);
    let answer = harness.invitations.revoke(&harness.admin, id, None, IfVersion::Any).await;
    assert_eq!(kind(answer), StoreErrorKind::Unavailable);
    harness.store.interceptor().next(Fault::Before);
    let answer = harness.invitations.create(&harness.manager, Draft::new()).await;
    assert_eq!(kind(answer), StoreErrorKind::Unavailable);

    assert_eq!(harness.events(Action::Redeem).await, 0);
    assert_eq!(harness.events(Action::Revoke).await, 0);
    let page =
        harness.invitations.list(&harness.manager, &Criteria::new(), Paging::default()).await;
    assert_eq!(page.expect("reading works").items().len(), 1);
    let redeemed = harness.invitations.redeem(&code, &redeemer("ben")).await.expect("still good");
    assert!(!redeemed.is_replayed());
}

#[tokio::test]
async fn without_its_evidence_no_refusal_is_made_and_no_code_given_out() {
    let harness = Harness::new();
    let (id, code) = harness.code().await;
    harness.store.interceptor().next(Fault::Before);
    assert_eq!(
        kind(harness.invitations.copy(&harness.manager, id).await),
        StoreErrorKind::Unavailable
    );
    harness.store.interceptor().next(Fault::Before);
    let denied = harness.invitations.delete(&harness.manager, id, IfVersion::Any).await;
    assert_eq!(kind(denied), StoreErrorKind::Unavailable);
    harness.invitations.redeem(&code, &redeemer("anna")).await.expect("still good");
}

/// A source of randomness that always returns the same bytes.
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
    let harness = Harness::new();
    let invitations = Invitations::new(harness.store.clone()).with_entropy(Stuck);
    invitations.create(&harness.manager, Draft::new()).await.expect("the first is new");
    let again = invitations.create(&harness.manager, Draft::new()).await;
    assert_eq!(kind(again), StoreErrorKind::Conflict, "bounded tries, then an error");
}
