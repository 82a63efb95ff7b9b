//! Sending an invitation again with a new code, when the code is not replaced at the first try.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    Action, Amendment, Criteria, Error, Expiry, IdempotencyKey, IfVersion, Intercept, Interceptor,
    InvitationId, Invitations, MemoryStore, Operation, Paging, Reason, Refusal, StoreCall,
    StoreError, StoreErrorKind,
    delivery::{Deliveries, Delivery, DeliveryState, Resend},
    hooks::{CommandKind, Hooks, Intent, Veto},
};
use time::Duration;

use crate::house::{Done, House, admin, message_of, refusal};

/// What the store does when it is to replace a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rotation {
    Works,
    /// The store cannot be reached.
    Fails,
    /// The store replaces the code, and the answer is lost.
    IsLost,
    /// The store needs so long that a worker finds the mail due before.
    IsSlow,
}

type Failing = Deliveries<Intercept<Arc<MemoryStore>, Rotations>>;

/// The house, for the calls that the store makes meanwhile.
#[derive(Clone)]
struct Rotations(Arc<(House, Mutex<Rotation>)>);

impl std::fmt::Debug for Rotations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rotations").finish_non_exhaustive()
    }
}

impl Rotations {
    fn new() -> (Self, Failing) {
        let rotations = Self(Arc::new((House::new(), Mutex::new(Rotation::Works))));
        let store = Intercept::new(Arc::clone(&rotations.house().store), rotations.clone());
        let invitations = Invitations::new(store).with_clock(rotations.house().clock.clone());
        let documents = Arc::<MemoryStore>::clone(&rotations.house().store);
        (rotations, Deliveries::new(invitations, documents))
    }

    fn house(&self) -> &House {
        &self.0.0
    }

    fn set(&self, rotation: Rotation) {
        *self.0.1.lock().unwrap() = rotation;
    }

    /// Lets a worker claim what is due a minute later.
    async fn work_after_a_minute(&self) -> Vec<Option<String>> {
        let house = self.house();
        house.clock.advance(Duration::MINUTE);
        let mut codes = Vec::new();
        for delivery in house.due().await {
            let claimed = house.claim(&delivery).await;
            codes.push(claimed.map(|claimed| claimed.code().reveal().to_string()));
        }
        codes
    }

    async fn code_of(&self, id: InvitationId) -> String {
        self.house().invitations.copy(&admin(), id).await.unwrap().reveal().to_string()
    }
}

#[async_trait]
impl Interceptor for Rotations {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        let is_rotation = operation == Operation::Apply;
        let rotation = if is_rotation { *self.0.1.lock().unwrap() } else { Rotation::Works };
        match rotation {
            Rotation::Works => {}
            Rotation::Fails => return Err(StoreError::new(StoreErrorKind::Unavailable, "apply")),
            Rotation::IsLost => {
                call.await.unwrap();
                return Err(StoreError::new(StoreErrorKind::OutcomeUnknown, "apply"));
            }
            Rotation::IsSlow => assert_eq!(self.work_after_a_minute().await, [None]),
        }
        call.await.map_err(|kind| StoreError::new(kind, operation.as_str()))
    }
}

fn with_key() -> Resend {
    Resend::new().with_new_code().with_key(IdempotencyKey::new("key-1").unwrap())
}

fn is_unknown<T: std::fmt::Debug>(answer: Result<T, Error>) -> bool {
    let Err(Error::Store(error)) = answer else { panic!("{answer:?}") };
    error.kind() == StoreErrorKind::OutcomeUnknown
}

#[tokio::test]
async fn repeated_resend_replaces_the_code_that_the_first_one_did_not() -> Done {
    for minutes in [0, 1] {
        let (rotations, deliveries) = Rotations::new();
        let (house, admin) = (rotations.house(), admin());
        let created = house.invite("anna@example.com").await;
        let (id, old) = (created.invitation().id(), created.code().reveal().to_string());
        rotations.set(Rotation::Fails);
        let answer = deliveries.resend(&admin, id, with_key()).await;
        assert!(is_unknown(answer), "the mail is queued, so something was changed");
        if minutes > 0 {
            assert_eq!(rotations.work_after_a_minute().await, [None], "the old code is not sent");
            let delivery = house.delivery_of(id).await;
            let ended = (delivery.state(), delivery.reason());
            assert_eq!(ended, (DeliveryState::Cancelled, Some(Reason::Conflict)));
        }
        assert!(is_unknown(deliveries.resend(&admin, id, with_key()).await), "it fails still");
        assert_eq!(rotations.code_of(id).await, old);
        rotations.set(Rotation::Works);
        let delivery = deliveries.resend(&admin, id, with_key()).await?;
        assert_eq!((delivery.state(), delivery.reason()), (DeliveryState::Queued, None));
        assert_eq!(house.due().await, std::slice::from_ref(&delivery), "one mail");
        let new = rotations.code_of(id).await;
        assert_ne!(new, old);
        assert_eq!(deliveries.resend(&admin, id, with_key()).await?, delivery);
        let claimed = house.claim(&delivery).await.unwrap();
        assert_eq!(claimed.code().reveal().to_string(), new);
        house.deliveries.sent(&house.worker, &claimed, &message_of(&claimed)).await?;
        let sent = deliveries.resend(&admin, id, with_key()).await?;
        assert_eq!(sent.state(), DeliveryState::Sent);
        assert_eq!(rotations.code_of(id).await, new, "it is replaced once");
        assert_eq!(house.events(Action::Rotate).await.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn code_that_was_replaced_is_sent_although_the_answer_was_lost() -> Done {
    let (rotations, deliveries) = Rotations::new();
    let created = rotations.house().invite("anna@example.com").await;
    let id = created.invitation().id();
    rotations.set(Rotation::IsLost);
    assert!(is_unknown(deliveries.resend(&admin(), id, with_key()).await));
    rotations.set(Rotation::Works);
    let sent = rotations.work_after_a_minute().await;
    let code = rotations.code_of(id).await;
    assert_ne!(code, created.code().reveal().to_string());
    assert_eq!(sent, [Some(code.clone())]);
    deliveries.resend(&admin(), id, with_key()).await?;
    assert_eq!(rotations.code_of(id).await, code, "its mail is on its way");
    Ok(())
}

#[tokio::test]
async fn old_code_is_not_sent_after_another_change_of_the_invitation() -> Done {
    let (rotations, deliveries) = Rotations::new();
    let created = rotations.house().invite("anna@example.com").await;
    let id = created.invitation().id();
    rotations.set(Rotation::Fails);
    assert!(is_unknown(deliveries.resend(&admin(), id, with_key()).await));
    let later = Amendment::new().expiring(Expiry::InDays(30));
    rotations.house().invitations.amend(&admin(), id, later, IfVersion::Any).await?;
    assert_eq!(rotations.work_after_a_minute().await, [None]);
    rotations.set(Rotation::Works);
    deliveries.resend(&admin(), id, with_key()).await?;
    assert_ne!(rotations.code_of(id).await, created.code().reveal().to_string());
    Ok(())
}

#[tokio::test]
async fn mail_that_a_worker_cancelled_before_a_slow_rotation_is_sent_after_it() -> Done {
    let (rotations, deliveries) = Rotations::new();
    let created = rotations.house().invite("anna@example.com").await;
    let id = created.invitation().id();
    rotations.set(Rotation::IsSlow);
    let delivery = deliveries.resend(&admin(), id, Resend::new().with_new_code()).await?;
    assert_eq!(delivery.state(), DeliveryState::Queued);
    let claimed = rotations.house().claim(&delivery).await.unwrap();
    assert_ne!(claimed.code().reveal().to_string(), created.code().reveal().to_string());
    Ok(())
}

#[tokio::test]
async fn resend_all_says_that_mail_may_be_queued_when_the_code_is_not_replaced() -> Done {
    let (rotations, deliveries) = Rotations::new();
    let created = rotations.house().invite("anna@example.com").await;
    let (admin, criteria) = (admin(), Criteria::new());
    rotations.set(Rotation::Fails);
    let all = || deliveries.resend_all(&admin, &criteria, with_key(), Paging::default());
    assert!(is_unknown(all().await));
    rotations.set(Rotation::Works);
    assert_eq!(all().await?.queued(), 1);
    assert_ne!(
        rotations.code_of(created.invitation().id()).await,
        created.code().reveal().to_string()
    );
    assert!(rotations.house().due().await.iter().all(Delivery::is_rotated));
    Ok(())
}

/// Hooks that veto replacements of codes.
#[derive(Clone, Default, Debug)]
struct Vetoes(Arc<AtomicBool>);

#[async_trait]
impl Hooks for Vetoes {
    async fn before(&self, intent: &Intent) -> Result<(), Veto> {
        if intent.kind == CommandKind::Rotate && self.0.load(Ordering::SeqCst) {
            return Err(Veto::because("not today"));
        }
        Ok(())
    }

    async fn sleep(&self, _: std::time::Duration) {
        pending::<()>().await;
    }
}

#[tokio::test]
async fn repeated_resend_after_a_refused_rotation_is_decided_anew() -> Done {
    let (house, vetoes) = (House::new(), Vetoes::default());
    let created = house.invite("anna@example.com").await;
    let id = created.invitation().id();
    let invitations = house.invitations.clone().with_hooks(vetoes.clone());
    let deliveries = Deliveries::new(invitations, Arc::<MemoryStore>::clone(&house.store));
    vetoes.0.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let refused = refusal(deliveries.resend(&admin(), id, with_key()).await);
        assert!(matches!(refused, Some(Refusal::Vetoed { .. })), "{refused:?}");
        assert_eq!(house.delivery_of(id).await.state(), DeliveryState::Cancelled);
        house.clock.advance(Duration::SECOND);
    }
    vetoes.0.store(false, Ordering::SeqCst);
    let delivery = deliveries.resend(&admin(), id, with_key()).await?;
    assert_eq!(house.due().await, std::slice::from_ref(&delivery));
    let claimed = house.claim(&delivery).await.unwrap();
    assert_ne!(claimed.code().reveal().to_string(), created.code().reveal().to_string());
    Ok(())
}
