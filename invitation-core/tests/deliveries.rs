//! Deliveries on the store in memory: rights, limits, claims, and what became of each mail.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{fmt::Write, num::NonZeroU32, sync::Arc};

use invitation_core::{
    Action, Actor, Created, Division, Draft, Email, Error, Event, EventCriteria, EventOutcome,
    Expiry, IdempotencyKey, IfVersion, InvitationId, Invitations, Limits, ManualClock, MemoryStore,
    PageRequest, Paging, Policy, Reason, Refusal, Right, Rights, Role, Scope, SystemActor,
    Timestamp, UserId,
    delivery::{
        ClaimedDelivery, Deliveries, Delivery, DeliveryFailure, DeliveryPurpose, DeliveryState,
        FailureKind, MessageId, Resend,
    },
    documents::{DocumentFilter, DocumentKind, Documents},
    feed::Feed,
};
use time::Duration;

type Done = Result<(), Box<dyn std::error::Error>>;

const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();
const LEASE: Duration = Duration::minutes(5);

struct House {
    store: Arc<MemoryStore>,
    clock: ManualClock,
    invitations: Invitations<Arc<MemoryStore>>,
    deliveries: Deliveries<Arc<MemoryStore>>,
    worker: SystemActor,
}

impl House {
    fn new() -> Self {
        Self::with(Policy::default(), Limits::default())
    }

    fn with(policy: Policy, limits: Limits) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = ManualClock::new(Timestamp::from_micros(1_900_000_000_000_000).unwrap());
        let invitations = Invitations::new(Arc::clone(&store))
            .with_clock(clock.clone())
            .with_policy(policy)
            .with_limits(limits);
        let deliveries = Deliveries::new(invitations.clone(), Arc::<MemoryStore>::clone(&store));
        let worker = SystemActor::new("mail").unwrap();
        Self { store, clock, invitations, deliveries, worker }
    }

    async fn invite(&self, address: &str) -> Created {
        let draft = staff().for_email(Email::parse(address).unwrap());
        self.invitations.create(&admin(), draft).await.unwrap()
    }

    /// Queues the mails of all events from the beginning on.
    async fn queue(&self) -> usize {
        let page = self.store.feed(None, NonZeroU32::new(1_000).unwrap()).await.unwrap();
        let events: Vec<_> = page.events.into_iter().map(|one| one.event).collect();
        self.deliveries.queue(&events).await.unwrap()
    }

    async fn due(&self) -> Vec<Delivery> {
        self.deliveries.due(TEN).await.unwrap()
    }

    async fn claim(&self, delivery: &Delivery) -> Option<ClaimedDelivery> {
        self.deliveries.claim(&self.worker, delivery, LEASE, 3).await.unwrap()
    }

    /// Returns the only delivery of an invitation.
    async fn delivery_of(&self, id: InvitationId) -> Delivery {
        let page = self.deliveries.of_invitation(&admin(), id, Paging::default()).await.unwrap();
        let [delivery] = page.items() else { panic!("{} deliveries", page.items().len()) };
        delivery.clone()
    }

    async fn events(&self, action: Action) -> Vec<Event> {
        let criteria = EventCriteria::new().of_action(action);
        let page = self.invitations.events(&admin(), &criteria, Paging::default()).await.unwrap();
        page.items
    }

    async fn fail(&self, id: InvitationId) -> Delivery {
        self.queue().await;
        let claimed = self.claim(&self.delivery_of(id).await).await.unwrap();
        let refused = DeliveryFailure::new(FailureKind::Refused).with_reply(550);
        assert!(self.deliveries.failed(&self.worker, &claimed, refused, None).await.unwrap());
        self.delivery_of(id).await
    }
}

fn staff() -> Draft {
    Draft::new().with_role(Role::new("staff").unwrap()).in_division(division("sales"))
}

fn division(name: &str) -> Division {
    Division::new(name).unwrap()
}

fn admin() -> Actor {
    Actor::across_divisions(UserId::new("u-admin").unwrap(), Role::new("admin").unwrap())
}

fn manager(of: &str) -> Actor {
    let role = Role::new("manager").unwrap();
    Actor::in_division(UserId::new("u-manager").unwrap(), role, division(of))
}

fn message(delivery: &Delivery) -> MessageId {
    MessageId::new(delivery.id(), &"example.com".parse().unwrap())
}

fn refusal<T>(answer: Result<T, Error>) -> Option<Refusal> {
    answer.err().and_then(|error| error.refusal().cloned())
}

#[tokio::test]
async fn new_invitation_with_an_address_is_queued_once_and_others_are_not() {
    let house = House::new();
    let created = house.invite("anna@example.com").await;
    house.invitations.create(&admin(), staff()).await.unwrap();
    let for_domain = staff().for_domain("example.com".parse().unwrap());
    house.invitations.create(&admin(), for_domain).await.unwrap();
    assert_eq!((house.queue().await, house.queue().await), (1, 1));
    let due = house.due().await;
    assert_eq!(due.len(), 1, "an event that comes again has no effect");
    assert_eq!(due[0].invitation(), created.invitation().id());
    assert_eq!(
        (due[0].purpose(), due[0].state()),
        (DeliveryPurpose::Invited, DeliveryState::Queued)
    );
}

#[tokio::test]
async fn each_row_of_an_import_with_an_address_is_queued() {
    let house = House::new();
    let draft = |name: &str| staff().for_email(Email::parse(name).unwrap());
    let drafts = vec![draft("anna@example.com"), draft("ben@example.com"), staff()];
    house.invitations.create_many(&admin(), drafts).await.unwrap();
    assert_eq!(house.queue().await, 2);
}

#[tokio::test]
async fn sent_mail_is_marked_with_its_event_and_never_due_again() {
    let house = House::new();
    let created = house.invite("anna@example.com").await;
    house.queue().await;
    let claimed = house.claim(&house.due().await[0]).await.unwrap();
    assert_eq!(claimed.code().reveal(), created.code().reveal());
    assert_eq!(claimed.address().as_str(), "anna@example.com");
    let message = message(claimed.delivery());
    assert!(house.deliveries.sent(&house.worker, &claimed, &message).await.unwrap());
    house.clock.advance(Duration::days(1));
    assert!(house.due().await.is_empty());
    let delivery = house.delivery_of(created.invitation().id()).await;
    assert_eq!((delivery.state(), delivery.attempts()), (DeliveryState::Sent, 1));
    assert_eq!(delivery.message_id(), Some(message));
    let events = house.events(Action::Deliver).await;
    assert_eq!((events.len(), events[0].outcome), (1, EventOutcome::Succeeded));
    assert_eq!(events[0].invitation, Some(created.invitation().id()));
    assert_eq!(events[0].detail.get("purpose"), Some("invited"));
    assert!(!house.deliveries.sent(&house.worker, &claimed, &message_of(&claimed)).await.unwrap());
    assert_eq!(house.events(Action::Deliver).await.len(), 1, "a late mark writes nothing");
}

fn message_of(claimed: &ClaimedDelivery) -> MessageId {
    message(claimed.delivery())
}

#[tokio::test]
async fn one_of_two_workers_claims_a_delivery_until_the_end_of_its_lease() {
    let house = House::new();
    house.invite("anna@example.com").await;
    house.queue().await;
    let due = house.due().await;
    let first = house.claim(&due[0]).await.unwrap();
    assert!(house.claim(&due[0]).await.is_none(), "the same version, at the same instant");
    assert!(house.due().await.is_empty());
    house.clock.advance(LEASE);
    let second = house.claim(&house.due().await[0]).await.unwrap();
    let message = message_of(&second);
    assert_eq!(message, message_of(&first), "the same mail");
    assert!(!house.deliveries.sent(&house.worker, &first, &message).await.unwrap());
    assert!(house.deliveries.sent(&house.worker, &second, &message).await.unwrap());
    assert_eq!(second.delivery().attempts(), 2);
}

#[tokio::test]
async fn ended_invitation_cancels_its_mail_with_the_reason() -> Done {
    let house = House::new();
    let (any, admin) = (IfVersion::Any, admin());
    let revoked = house.invite("a@example.com").await.invitation().id();
    house.invitations.revoke(&admin, revoked, None, any).await?;
    let deleted = house.invite("b@example.com").await.invitation().id();
    let expired = house.invite("c@example.com").await.invitation().id();
    house.queue().await;
    house.invitations.delete(&admin, deleted, any).await?;
    house.clock.advance(Duration::days(7));
    for delivery in house.due().await {
        assert!(house.claim(&delivery).await.is_none());
    }
    for (id, reason) in [(revoked, Reason::Revoked), (expired, Reason::Expired)] {
        let delivery = house.delivery_of(id).await;
        assert_eq!((delivery.state(), delivery.reason()), (DeliveryState::Cancelled, Some(reason)));
    }
    let reasons: Vec<_> = house.events(Action::Deliver).await.iter().map(|e| e.reason).collect();
    assert_eq!(reasons.len(), 3);
    assert!(reasons.contains(&Some(Reason::Deleted)), "{reasons:?}");
    assert!(house.due().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn failed_attempt_waits_and_the_last_one_is_final_with_an_event() {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    house.queue().await;
    let deferred = DeliveryFailure::new(FailureKind::Deferred).with_reply(451);
    let (worker, wait) = (&house.worker, Some(Duration::MINUTE));
    let claimed = house.claim(&house.due().await[0]).await.unwrap();
    assert!(house.deliveries.failed(worker, &claimed, deferred, wait).await.unwrap());
    let delivery = house.delivery_of(id).await;
    assert_eq!((delivery.state(), delivery.failure()), (DeliveryState::Queued, Some(deferred)));
    assert!(house.due().await.is_empty() && house.events(Action::Deliver).await.is_empty());
    house.clock.advance(Duration::MINUTE);
    let claimed = house.claim(&house.due().await[0]).await.unwrap();
    assert!(house.deliveries.failed(worker, &claimed, deferred, None).await.unwrap());
    let delivery = house.delivery_of(id).await;
    assert_eq!((delivery.state(), delivery.attempts()), (DeliveryState::Failed, 2));
    let events = house.events(Action::Deliver).await;
    assert_eq!((events.len(), events[0].outcome), (1, EventOutcome::Failed));
    assert_eq!(events[0].reason, Some(Reason::DeliveryFailed));
    assert_eq!(events[0].detail.get("failure"), Some("deferred (451)"));
}

#[tokio::test]
async fn final_failure_is_not_tried_again_on_its_own() {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    house.queue().await;
    let claimed = house.claim(&house.due().await[0]).await.unwrap();
    let refused = DeliveryFailure::new(FailureKind::Refused).with_reply(550);
    let wait = Some(Duration::MINUTE);
    assert!(house.deliveries.failed(&house.worker, &claimed, refused, wait).await.unwrap());
    assert_eq!(house.delivery_of(id).await.state(), DeliveryState::Failed);
}

#[tokio::test]
async fn worker_that_dies_at_each_attempt_ends_in_a_failure() {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    house.queue().await;
    for _ in 0..3 {
        assert!(house.claim(&house.due().await[0]).await.is_some());
        house.clock.advance(LEASE);
    }
    assert!(house.claim(&house.due().await[0]).await.is_none());
    let failure = house.delivery_of(id).await.failure();
    assert_eq!(failure, Some(DeliveryFailure::new(FailureKind::Interrupted)));
}

#[tokio::test]
async fn retry_queues_a_failed_delivery_with_all_attempts_and_its_event() -> Done {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    let failed = house.fail(id).await;
    let state = Some(DeliveryState::Failed);
    let listed = house.deliveries.list(&admin(), state, Paging::default()).await?;
    assert_eq!(listed.items(), std::slice::from_ref(&failed));
    let retried = house.deliveries.retry(&admin(), failed.id()).await?;
    assert_eq!((retried.state(), retried.attempts()), (DeliveryState::Queued, 0));
    let again = house.deliveries.retry(&admin(), failed.id()).await?;
    assert_eq!(again, retried, "a second click has no effect");
    let events = house.events(Action::Resend).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].detail.get("delivery"), Some(failed.id().to_string().as_str()));
    assert_eq!(house.due().await.len(), 1);
    Ok(())
}

#[tokio::test]
async fn retry_of_an_ended_invitation_or_out_of_reach_is_refused() -> Done {
    let everything = Rights::none().may(Right::ALL).granting([Role::new("staff")?]);
    let policy = Policy::default().with_added_rights(Role::new("manager")?, everything);
    let house = House::with(policy, Limits::default());
    let id = house.invite("anna@example.com").await.invitation().id();
    let failed = house.fail(id).await;
    let deliveries = &house.deliveries;
    let unknown = "0197a3c0-0000-7000-8000-000000000001".parse()?;
    let foreign = deliveries.retry(&manager("operations"), failed.id()).await;
    assert_eq!(refusal(foreign), Some(Refusal::NotFound));
    assert_eq!(refusal(deliveries.retry(&admin(), unknown).await), Some(Refusal::NotFound));
    let reasons: Vec<_> = house.events(Action::Resend).await.iter().map(|e| e.reason).collect();
    assert_eq!(reasons, [Some(Reason::Unknown), Some(Reason::OutOfScope)]);
    let page = deliveries.list(&manager("operations"), None, Paging::default()).await?;
    assert!(page.items().is_empty());
    house.invitations.revoke(&admin(), id, None, IfVersion::Any).await?;
    assert_eq!(refusal(deliveries.retry(&admin(), failed.id()).await), Some(Refusal::Revoked));
    Ok(())
}

#[tokio::test]
async fn resend_needs_its_right_and_those_of_the_form() -> Done {
    let resend = Rights::none().may([Right::Resend]);
    let policy = Policy::default().with_added_rights(Role::new("manager")?, resend);
    let house = House::with(policy.clone(), Limits::default());
    let for_admin = staff().with_role(Role::new("admin")?).for_email("a@example.com".parse()?);
    let id = house.invitations.create(&admin(), for_admin).await?.invitation().id();
    let own = house.invite("b@example.com").await.invitation().id();
    let deliveries = &house.deliveries;
    let manager_of_sales = manager("sales");
    let refused = deliveries.resend(&manager_of_sales, id, Resend::new()).await;
    let role = Role::new("admin")?;
    assert_eq!(refusal(refused), Some(Refusal::RoleNotGrantable { role }));
    let with_new_code = Resend::new().with_new_code();
    let refused = deliveries.resend(&manager_of_sales, own, with_new_code).await;
    assert_eq!(refusal(refused), Some(Refusal::Forbidden { right: Right::Rotate }));
    deliveries.resend(&manager_of_sales, own, Resend::new()).await?;
    let foreign = deliveries.resend(&manager("operations"), own, Resend::new()).await;
    assert_eq!(refusal(foreign), Some(Refusal::NotFound));

    let house = House::new();
    let id = house.invite("b@example.com").await.invitation().id();
    let refused = house.deliveries.resend(&manager("sales"), id, Resend::new()).await;
    assert_eq!(refusal(refused), Some(Refusal::Forbidden { right: Right::Resend }));
    let event = &house.events(Action::Resend).await[0];
    assert_eq!((event.outcome, event.invitation), (EventOutcome::Denied, Some(id)));
    let view = house.invitations.get(&admin(), id).await?;
    let may = |actor: Actor| house.deliveries.may_resend(&actor, view.invitation());
    assert!(may(admin()) && !may(manager("sales")) && !may(manager("operations")));
    Ok(())
}

#[tokio::test]
async fn resend_of_an_ended_or_unbound_invitation_is_refused_and_revives_nothing() -> Done {
    let house = House::new();
    let unbound = house.invitations.create(&admin(), staff()).await?.invitation().id();
    let revoked = house.invite("a@example.com").await.invitation().id();
    house.invitations.revoke(&admin(), revoked, None, IfVersion::Any).await?;
    let expired = house.invite("b@example.com").await.invitation().id();
    let at = house.invitations.get(&admin(), expired).await?.invitation().expires_at();
    house.clock.set(at);
    for (id, expected) in [
        (unbound, Refusal::Expired { at }),
        (revoked, Refusal::Revoked),
        (expired, Refusal::Expired { at }),
    ] {
        for resend in [Resend::new(), Resend::new().with_new_code()] {
            let refused = house.deliveries.resend(&admin(), id, resend).await;
            assert_eq!(refusal(refused), Some(expected.clone()));
        }
    }
    let unbound = house.invitations.create(&admin(), staff()).await?.invitation().id();
    let refused = house.deliveries.resend(&admin(), unbound, Resend::new()).await;
    assert_eq!(refusal(refused), Some(Refusal::NoAddress));
    assert!(house.due().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn resend_with_a_new_code_sends_that_one_and_the_old_one_is_dead() -> Done {
    let house = House::new();
    let created = house.invite("anna@example.com").await;
    let id = created.invitation().id();
    let resend = Resend::new().with_new_code();
    let delivery = house.deliveries.resend(&admin(), id, resend).await?;
    assert_eq!((delivery.purpose(), delivery.is_rotated()), (DeliveryPurpose::Resent, true));
    let due = house.due().await;
    assert_eq!(due, [delivery]);
    let claimed = house.claim(&due[0]).await.unwrap();
    assert_ne!(claimed.code().reveal(), created.code().reveal());
    let actions: Vec<_> =
        [Action::Resend, Action::Rotate].into_iter().map(|action| house.events(action)).collect();
    for events in actions {
        assert_eq!(events.await.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn resend_with_the_same_key_sends_once() -> Done {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    let resend = Resend::new().with_key(IdempotencyKey::new("key-1")?);
    let first = house.deliveries.resend(&admin(), id, resend.clone()).await?;
    house.clock.advance(Duration::SECOND);
    assert_eq!(house.deliveries.resend(&admin(), id, resend.clone()).await?, first);
    let other = resend.clone().with_new_code();
    let refused = house.deliveries.resend(&admin(), id, other).await;
    assert_eq!(refusal(refused), Some(Refusal::IdempotencyKeyReused));
    assert_eq!(house.due().await.len(), 1);
    let another = house.invite("ben@example.com").await.invitation().id();
    assert_ne!(house.deliveries.resend(&admin(), another, resend).await?.id(), first.id());
    Ok(())
}

#[tokio::test]
async fn resends_beyond_the_limit_are_refused_with_the_time_of_the_next() -> Done {
    let two = NonZeroU32::new(2).unwrap();
    let limits = Limits::default().with_resends_per_actor(two)?.with_resends_per_address(TEN)?;
    let house = House::with(Policy::default(), limits);
    let began = house.invitations.now();
    let id = house.invite("anna@example.com").await.invitation().id();
    let admin = admin();
    let resend = || house.deliveries.resend(&admin, id, Resend::new());
    resend().await?;
    house.clock.advance(Duration::MINUTE);
    resend().await?;
    let until = began.checked_add(Duration::HOUR).unwrap();
    let retry_after = Duration::minutes(59);
    assert_eq!(refusal(resend().await), Some(Refusal::MailLimit { retry_after }));
    assert_eq!(house.events(Action::Resend).await[0].reason, Some(Reason::MailLimit));
    house.clock.set(until);
    resend().await?;
    // The system has no limit of its own.
    house.deliveries.resend(&house.worker, id, Resend::new()).await?;
    Ok(())
}

#[tokio::test]
async fn mails_to_one_address_are_limited_over_all_actors_and_invitations() -> Done {
    let limits = Limits::default().with_resends_per_address(NonZeroU32::MIN)?;
    let house = House::with(Policy::default(), limits);
    let first = house.invite("anna@example.com").await.invitation().id();
    let second = house.invite("Anna@Example.com").await.invitation().id();
    house.deliveries.resend(&admin(), first, Resend::new()).await?;
    let refused = house.deliveries.resend(&house.worker, second, Resend::new()).await;
    let retry_after = Duration::DAY;
    assert_eq!(refusal(refused), Some(Refusal::MailLimit { retry_after }));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_resends_do_not_exceed_the_limit() -> Done {
    let limits = Limits::default().with_resends_per_address(NonZeroU32::new(3).unwrap())?;
    let house = Arc::new(House::with(Policy::default(), limits));
    let id = house.invite("anna@example.com").await.invitation().id();
    let barrier = Arc::new(tokio::sync::Barrier::new(8));
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (house, barrier) = (Arc::clone(&house), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                house.deliveries.resend(&admin(), id, Resend::new()).await
            })
        })
        .collect();
    let mut sent = 0;
    for call in calls {
        match call.await? {
            Ok(_) => sent += 1,
            Err(error) => {
                let refusal = error.refusal().cloned();
                assert!(
                    matches!(refusal, Some(Refusal::MailLimit { .. } | Refusal::Conflict)),
                    "{error}"
                );
            }
        }
    }
    assert!((1..=3).contains(&sent), "{sent}");
    assert_eq!(house.due().await.len(), sent);
    Ok(())
}

#[tokio::test]
async fn reminder_comes_once_for_each_expiry_with_its_event() -> Done {
    let house = House::new();
    let created = house.invite("anna@example.com").await;
    let id = created.invitation().id();
    house.invitations.create(&admin(), staff()).await?;
    let before = Duration::days(2);
    let remind = || house.deliveries.remind(&house.worker, before, Paging::default());
    assert_eq!(remind().await?.queued(), 0, "not yet");
    house.clock.advance(Duration::days(5));
    assert_eq!(remind().await?.queued(), 0, "a moment too early");
    house.clock.advance(Duration::SECOND);
    let page = remind().await?;
    assert_eq!((page.examined(), page.queued(), page.next()), (2, 1, None));
    assert_eq!(remind().await?.queued(), 0, "once");
    let events = house.events(Action::ReminderDue).await;
    assert_eq!((events.len(), events[0].invitation), (1, Some(id)));
    assert_eq!(house.due().await[0].purpose(), DeliveryPurpose::Reminder);
    let later = invitation_core::Amendment::new().expiring(Expiry::InDays(3));
    house.invitations.amend(&admin(), id, later, IfVersion::Any).await?;
    house.clock.advance(Duration::days(2));
    assert_eq!(remind().await?.queued(), 1, "again for another expiry");
    Ok(())
}

#[tokio::test]
async fn short_invitation_is_not_reminded_of() -> Done {
    let house = House::new();
    let draft = staff().for_email("anna@example.com".parse()?).expiring(Expiry::InDays(1));
    house.invitations.create(&admin(), draft).await?;
    house.clock.advance(Duration::HOUR);
    let page = house.deliveries.remind(&house.worker, Duration::DAY, Paging::default()).await?;
    assert_eq!((page.examined(), page.queued()), (1, 0));
    Ok(())
}

#[tokio::test]
async fn old_deliveries_and_counts_are_removed() -> Done {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    house.fail(id).await;
    house.deliveries.resend(&admin(), id, Resend::new()).await?;
    let age = Duration::days(30);
    assert_eq!(house.deliveries.remove_ended(&admin(), age, TEN).await?, 0);
    assert_eq!(house.deliveries.remove_old_counts(TEN).await?, 0, "they still count");
    house.clock.advance(age);
    house.clock.advance(Duration::SECOND);
    assert_eq!(house.deliveries.remove_old_counts(TEN).await?, 2);
    assert_eq!(house.deliveries.remove_ended(&admin(), age, TEN).await?, 1);
    assert_eq!(house.events(Action::Purge).await.len(), 1);
    let budgets = DocumentFilter::all(DocumentKind::new("mail-budget")?);
    let page = PageRequest { after: None, limit: 10 };
    assert!(house.store.list_documents(&Scope::All, &budgets, &page).await?.items.is_empty());
    assert_eq!(house.delivery_of(id).await.state(), DeliveryState::Queued, "not ended");
    let refused = house.deliveries.remove_ended(&manager("sales"), age, TEN).await;
    assert_eq!(refusal(refused), Some(Refusal::Forbidden { right: Right::Purge }));
    Ok(())
}

#[tokio::test]
async fn documents_and_debug_output_contain_neither_code_nor_address() -> Done {
    let house = House::new();
    let created = house.invite("canary@example.com").await;
    house.queue().await;
    let claimed = house.claim(&house.due().await[0]).await.unwrap();
    house.deliveries.resend(&admin(), created.invitation().id(), Resend::new()).await?;
    let canary = invitation_testkit::Canary::new(&created.code().reveal());
    let mut shown = format!(
        "{claimed:?} {:?}",
        house.deliveries.retry(&admin(), claimed.delivery().id()).await?
    );
    for kind in ["mail", "mail-budget"] {
        let filter = DocumentFilter::all(DocumentKind::new(kind)?);
        let page = PageRequest { after: None, limit: 10 };
        let found = house.store.list_documents(&Scope::All, &filter, &page).await?;
        assert!(!found.items.is_empty());
        for document in found.items {
            write!(shown, "{document:?} {}", String::from_utf8(document.body.clone())?)?;
        }
    }
    assert_eq!(canary.trace_in(shown.as_bytes()), None, "{shown}");
    assert!(!shown.contains("canary@"), "{shown}");
    Ok(())
}
