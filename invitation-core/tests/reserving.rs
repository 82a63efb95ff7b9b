//! Reservations (reserve, create the account, commit) while the host, the store or the
//! caller fails.

mod support;

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use invitation_core::{
    Action, Actor, Clock, Division, Draft, Error, EventCriteria, EventOutcome, Invitations, Limits,
    ManualClock, Paging, RedeemWithError, Redeemer, Refusal, Released, Reservation, ReservationId,
    Reserved, Role, StoreErrorKind, SystemActor, SystemClock, UserId, Username,
};
use invitation_testkit::DropAfter;
use support::{Fault, Flaky, flaky};
use tokio::task::yield_now;

/// The host's accounts, which do not share a transaction with the store.
type Accounts = Arc<Mutex<Vec<ReservationId>>>;

struct Harness {
    store: Flaky,
    clock: ManualClock,
    invitations: Invitations<Flaky>,
    accounts: Accounts,
    code: String,
}

impl Harness {
    async fn new() -> Self {
        let (store, clock) = (flaky(), ManualClock::new(SystemClock.now()));
        let invitations = Invitations::new(store.clone()).with_clock(clock.clone());
        let draft = Draft::new()
            .with_role(Role::new("staff").expect("a role"))
            .in_division(Division::new("sales").expect("a division"));
        let created = invitations.create(&SystemActor::for_bootstrap(), draft).await;
        let code = created.expect("nothing is wrong").code().reveal().to_string();
        Self { store, clock, invitations, accounts: Arc::default(), code }
    }

    /// Returns the function with which the host creates an account.
    fn creating(&self) -> impl AsyncFnOnce(Reservation) -> Result<&'static str, HostFailed> {
        let accounts = Arc::clone(&self.accounts);
        async move |reservation: Reservation| {
            yield_now().await;
            accounts.lock().expect("no panic").push(reservation.id());
            yield_now().await;
            Ok("created")
        }
    }

    fn accounts(&self) -> usize {
        self.accounts.lock().expect("no panic").len()
    }

    async fn succeeded(&self, action: Action) -> usize {
        let admin = Actor::across_divisions(user("ada"), Role::new("admin").expect("a role"));
        let criteria = EventCriteria::new().of_action(action).with_outcome(EventOutcome::Succeeded);
        let page = self.invitations.events(&admin, &criteria, Paging::default()).await;
        page.expect("reading works").items().len()
    }

    async fn held(&self) -> usize {
        let admin = Actor::across_divisions(user("ada"), Role::new("admin").expect("a role"));
        let page = self.invitations.reservations(&admin, None, Paging::default()).await;
        page.expect("reading works").items().len()
    }
}

#[derive(Debug)]
struct HostFailed;

impl fmt::Display for HostFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the directory is full")
    }
}

impl std::error::Error for HostFailed {}

fn user(name: &str) -> UserId {
    UserId::new(name).expect("an id")
}

fn redeemer(name: &str) -> Redeemer {
    Redeemer::new(user(name), Username::new(name).expect("a name"))
}

#[tokio::test]
async fn dropped_at_any_await_it_is_spent_with_evidence_or_free_after_the_lease() {
    let (mut spent, mut free) = (0, 0);
    for polls in 0.. {
        let harness = Harness::new().await;
        let (anna, ben) = (redeemer("anna"), redeemer("ben"));
        let call = harness.invitations.redeem_with(&harness.code, &anna, harness.creating());
        let finished = DropAfter::new(call, polls).await.is_some();

        harness.clock.advance(harness.invitations.limits().lease());
        let second = harness.invitations.redeem(&harness.code, &ben).await;
        let redeemed = harness.succeeded(Action::Redeem).await;
        assert_eq!(redeemed, 1, "after {polls} polls: exactly one redemption, of either");
        if let Err(refused) = second {
            assert_eq!(refused.refusal(), Some(&Refusal::Used), "after {polls} polls");
            assert_eq!(harness.accounts(), 1, "after {polls} polls: never for nobody");
            spent += 1;
        } else {
            free += 1;
        }
        assert_eq!(harness.held().await, 0, "after {polls} polls: no use is stuck");
        if finished {
            assert!(spent >= 2 && free >= 5, "each await was met: {spent} spent, {free} free");
            return;
        }
    }
}

#[tokio::test]
async fn what_the_host_cannot_create_is_released_at_once() {
    let harness = Harness::new().await;
    let failing = async |_: Reservation| Err::<(), _>(HostFailed);
    let failed = harness.invitations.redeem_with(&harness.code, &redeemer("anna"), failing).await;
    let Err(RedeemWithError::NotCreated { error: HostFailed, released: Released::Now }) = failed
    else {
        panic!("the host failed, and the use is free: {failed:?}");
    };
    assert_eq!(harness.succeeded(Action::Release).await, 1);
    let ben =
        harness.invitations.redeem_with(&harness.code, &redeemer("ben"), harness.creating()).await;
    assert_eq!(ben.expect("the use is free").created, Some("created"));
}

#[tokio::test]
async fn what_cannot_be_released_expires() {
    let harness = Harness::new().await;
    let failing = async |_: Reservation| {
        harness.store.interceptor().next(Fault::Before);
        Err::<(), _>(HostFailed)
    };
    let failed = harness.invitations.redeem_with(&harness.code, &redeemer("anna"), failing).await;
    let Err(RedeemWithError::NotCreated { released: Released::NotYet(Error::Store(_)), .. }) =
        failed
    else {
        panic!("the host failed, and so did the store: {failed:?}");
    };
    let ben = redeemer("ben");
    let refused = harness.invitations.redeem(&harness.code, &ben).await.expect_err("still held");
    assert!(matches!(refused.refusal(), Some(Refusal::Reserved { .. })));
    harness.clock.advance(harness.invitations.limits().lease());
    harness.invitations.redeem(&harness.code, &ben).await.expect("free again");
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_tried_again() {
    let harness = Harness::new().await;
    let anna = redeemer("anna");
    let creating = async |_: Reservation| {
        harness.store.interceptor().next(Fault::AnswerLost);
        Ok::<_, HostFailed>("created")
    };
    let failed = harness.invitations.redeem_with(&harness.code, &anna, creating).await;
    let Err(RedeemWithError::NotCommitted { created: "created", reservation, error }) = failed
    else {
        panic!("nobody knows whether it was committed: {failed:?}");
    };
    let Error::Store(error) = error else { panic!("the store failed") };
    assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown);
    let redeemed = harness.invitations.commit(reservation, &anna).await.expect("it was");
    assert!(redeemed.is_replayed());
    assert_eq!(harness.succeeded(Action::Redeem).await, 1);
}

#[tokio::test]
async fn a_reservation_whose_answer_was_lost_is_still_the_same_persons() {
    let harness = Harness::new().await;
    let anna = redeemer("anna");
    harness.store.interceptor().next(Fault::AnswerLost);
    harness.invitations.reserve(&harness.code, &anna).await.expect_err("the answer was lost");
    let again = harness.invitations.reserve(&harness.code, &anna).await.expect("it is hers");
    let Reserved::Open(again) = again else { panic!("nothing is redeemed") };
    assert!(again.is_replayed());
    assert_eq!(harness.held().await, 1, "one use is held");
}

#[tokio::test]
async fn the_account_of_who_comes_too_late_is_handed_back_to_the_host() {
    let harness = Harness::new().await;
    let (anna, ben) = (redeemer("anna"), redeemer("ben"));
    let slow = async |reservation: Reservation| {
        // The host is so slow that the lease expires and another redeemer takes its use.
        harness.clock.advance(Limits::default().lease());
        harness.invitations.redeem(&harness.code, &ben).await.map_err(|_| HostFailed)?;
        Ok::<_, HostFailed>(reservation.id())
    };
    let failed = harness.invitations.redeem_with(&harness.code, &anna, slow).await;
    let Err(RedeemWithError::NotCommitted { created, reservation, error }) = failed else {
        panic!("the use is ben's: {failed:?}");
    };
    assert_eq!(created, reservation);
    assert_eq!(error.refusal(), Some(&Refusal::ReservationLost));
    assert_eq!(harness.succeeded(Action::Redeem).await, 1);
}

#[tokio::test]
async fn nothing_is_created_for_who_has_redeemed_before() {
    let harness = Harness::new().await;
    let anna = redeemer("anna");
    harness.invitations.redeem(&harness.code, &anna).await.expect("it is fresh");
    let again = harness.invitations.redeem_with(&harness.code, &anna, harness.creating()).await;
    let again = again.expect("a repeat");
    assert!(again.redeemed.is_replayed() && again.created.is_none());
    assert_eq!(harness.accounts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_as_a_task_of_its_own() {
    let harness = Harness::new().await;
    let (invitations, code) = (harness.invitations.clone(), harness.code.clone());
    let task = tokio::spawn(async move {
        let creating = async |reservation: Reservation| {
            yield_now().await;
            Ok::<_, HostFailed>(reservation.role().to_string())
        };
        invitations.redeem_with(&code, &redeemer("anna"), creating).await
    });
    let done = task.await.expect("no panic").expect("nothing is wrong");
    assert_eq!(done.created.as_deref(), Some("staff"));
}
