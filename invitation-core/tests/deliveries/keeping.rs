//! Reminders, retention, and what is not kept.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    Action, Expiry, IfVersion, Intercept, Interceptor, Operation, PageRequest, Paging, Reason,
    Refusal, Right, Scope, StoreCall, StoreError, StoreErrorKind,
    delivery::{Deliveries, DeliveryFailure, DeliveryPurpose, DeliveryState, FailureKind, Resend},
    documents::{DocumentFilter, DocumentKind, Documents},
};
use time::Duration;

use crate::house::{Done, House, TEN, admin, manager, message_of, refusal, staff};

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
async fn reminder_of_an_invitation_that_was_extended_meanwhile_is_cancelled() -> Done {
    let house = House::new();
    let id = house.invite("anna@example.com").await.invitation().id();
    house.clock.advance(Duration::days(6));
    let before = Duration::days(2);
    let remind = || house.deliveries.remind(&house.worker, before, Paging::default());
    let extend = |days| {
        let later = invitation_core::Amendment::new().expiring(Expiry::InDays(days));
        house.invitations.amend(&house.worker, id, later, IfVersion::Any)
    };
    assert_eq!(remind().await?.queued(), 1);
    extend(9).await?;
    let [queued] = &house.due().await[..] else { panic!("one reminder") };
    assert!(house.claim(queued).await.is_none(), "it would say that it expires soon");
    let cancelled = house.delivery_of(id).await;
    let ended = (cancelled.state(), cancelled.reason());
    assert_eq!(ended, (DeliveryState::Cancelled, Some(Reason::VersionMismatch)));
    assert_eq!(house.events(Action::Deliver).await[0].reason, Some(Reason::VersionMismatch));

    house.clock.advance(Duration::days(8));
    assert_eq!(remind().await?.queued(), 1, "the new expiry has its own");
    let claimed = house.claim(&house.due().await[0]).await.unwrap();
    let refused = DeliveryFailure::new(FailureKind::Refused);
    house.deliveries.failed(&house.worker, &claimed, refused, None).await?;
    extend(9).await?;
    let retried = house.deliveries.retry(&admin(), claimed.delivery().id()).await;
    assert_eq!(refusal(retried), Some(Refusal::Conflict));
    Ok(())
}

#[tokio::test]
async fn reminder_that_was_sent_and_removed_does_not_come_again() -> Done {
    let house = House::new();
    house.invite("anna@example.com").await;
    let before = Duration::days(5);
    let remind = || house.deliveries.remind(&house.worker, before, Paging::default());
    house.clock.advance(Duration::days(3));
    assert_eq!(remind().await?.queued(), 1);
    let claimed = house.claim(&house.due().await[0]).await.unwrap();
    let message = message_of(&claimed);
    assert!(house.deliveries.sent(&house.worker, &claimed, &message).await?);
    let remove = || house.deliveries.remove_ended(&house.worker, Duration::DAY, TEN);
    house.clock.advance(Duration::days(2));
    assert_eq!(remove().await?, 1);
    assert_eq!(remind().await?.queued(), 0, "the recipient has it");

    let filter = DocumentFilter::all(DocumentKind::new("mail-reminder")?);
    let page = PageRequest { after: None, limit: 10 };
    let marks = || house.store.list_documents(&Scope::All, &filter, &page);
    for (days, left) in [(2, 1), (2, 0)] {
        house.clock.advance(Duration::days(days));
        assert_eq!(remove().await?, 0);
        assert_eq!(marks().await?.items.len(), left, "kept until a day after the expiry");
    }
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
    let [event] = &house.events(Action::Purge).await[..] else { panic!("one event") };
    assert_eq!(
        (event.detail.get("deliveries"), event.detail.get("state")),
        (Some("1"), Some("failed"))
    );
    let budgets = DocumentFilter::all(DocumentKind::new("mail-budget")?);
    let page = PageRequest { after: None, limit: 10 };
    assert!(house.store.list_documents(&Scope::All, &budgets, &page).await?.items.is_empty());
    assert_eq!(house.delivery_of(id).await.state(), DeliveryState::Queued, "not ended");
    let refused = house.deliveries.remove_ended(&manager("sales"), age, TEN).await;
    assert_eq!(refusal(refused), Some(Refusal::Forbidden { right: Right::Purge }));
    Ok(())
}

/// A store that fails, or a call that is dropped, between the removals of two states.
#[tokio::test]
async fn interrupted_removal_leaves_an_event_for_each_state_that_it_removed() -> Done {
    let house = House::new();
    let first = house.invite("anna@example.com").await.invitation().id();
    house.fail(first).await;
    let second = house.invite("ben@example.com").await.invitation().id();
    house.queue().await;
    let claimed = house.claim(&house.delivery_of(second).await).await.unwrap();
    let message = message_of(&claimed);
    assert!(house.deliveries.sent(&house.worker, &claimed, &message).await?);
    let age = Duration::days(30);
    house.clock.advance(age);
    house.clock.advance(Duration::SECOND);

    let documents = Intercept::new(Arc::clone(&house.store), SecondRemovalFails::default());
    let failing = Deliveries::new(house.invitations.clone(), Arc::new(documents));
    failing.remove_ended(&admin(), age, TEN).await.unwrap_err();
    let [event] = &house.events(Action::Purge).await[..] else { panic!("one event") };
    assert_eq!(
        (event.detail.get("deliveries"), event.detail.get("state")),
        (Some("1"), Some("sent"))
    );
    assert_eq!(house.deliveries.remove_ended(&admin(), age, TEN).await?, 1);
    assert_eq!(house.events(Action::Purge).await.len(), 2);
    Ok(())
}

#[derive(Debug, Default)]
struct SecondRemovalFails(AtomicU32);

#[async_trait]
impl Interceptor for SecondRemovalFails {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        if operation == Operation::RemoveDocuments && self.0.fetch_add(1, Ordering::Relaxed) == 1 {
            return Err(StoreError::new(StoreErrorKind::Unavailable, operation.as_str()));
        }
        let _ = call.await;
        Ok(())
    }
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
