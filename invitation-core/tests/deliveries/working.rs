//! The work on deliveries: queueing, claims, failures and retries.

use invitation_core::{
    Action, Email, EventOutcome, IfVersion, Limits, Paging, Policy, Reason, Refusal, Right, Rights,
    Role,
    delivery::{Delivery, DeliveryFailure, DeliveryPurpose, DeliveryState, FailureKind, Resend},
};
use time::Duration;

use crate::house::{Done, House, LEASE, admin, manager, message, message_of, refusal, staff};

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
async fn first_mails_to_one_address_are_limited_and_the_others_are_sent_later() -> Done {
    let three = std::num::NonZeroU32::new(3).unwrap();
    let limits = Limits::default().with_resends_per_address(three)?;
    let house = House::with(Policy::default(), limits);
    for address in ["anna@example.com", "Anna@Example.com", "anna@example.com", "ben@example.com"] {
        house.invite(address).await;
        house.clock.advance(Duration::SECOND);
    }
    let fourth = house.invite("anna@example.com").await.invitation().id();
    house.queue().await;
    let mut sent = Vec::new();
    for delivery in house.due().await {
        let Some(claimed) = house.claim(&delivery).await else { continue };
        let message = message_of(&claimed);
        assert!(house.deliveries.sent(&house.worker, &claimed, &message).await?);
        sent.push(claimed.address().as_str().to_lowercase());
    }
    sent.sort_unstable();
    let [anna, ben] = ["anna@example.com", "ben@example.com"];
    assert_eq!(sent, [anna, anna, anna, ben], "a batch to different addresses is not limited");
    let waiting = house.delivery_of(fourth).await;
    assert_eq!((waiting.state(), waiting.attempts()), (DeliveryState::Queued, 0));
    assert!(house.due().await.is_empty());
    let again = house.deliveries.resend(&admin(), fourth, Resend::new()).await;
    assert!(matches!(refusal(again), Some(Refusal::MailLimit { .. })), "one limit for both");

    house.clock.advance(Duration::DAY);
    let due = house.due().await;
    assert_eq!(due.iter().map(Delivery::invitation).collect::<Vec<_>>(), [fourth]);
    let claimed = house.claim(&due[0]).await.unwrap();
    let (deferred, wait) = (DeliveryFailure::new(FailureKind::Deferred), Some(Duration::MINUTE));
    house.deliveries.failed(&house.worker, &claimed, deferred, wait).await?;
    house.clock.advance(Duration::MINUTE);
    assert!(house.claim(&house.due().await[0]).await.is_some(), "an attempt is not counted again");
    house.deliveries.resend(&admin(), fourth, Resend::new()).await?;
    house.deliveries.resend(&admin(), fourth, Resend::new()).await?;
    Ok(())
}
