//! Mails of a service that keeps no codes: the worker draws the code when it sends.

use std::sync::Arc;

use invitation_core::{
    Action, Email, IfVersion, InvitationId, MemoryStore, Paging, Performer, Redeemer, Refusal,
    UserId, Username, VerifiedEmail,
    code::Sealing,
    delivery::{
        ClaimedDelivery, Deliveries, Delivery, DeliveryFailure, DeliveryState, FailureKind, Resend,
    },
};
use time::Duration;

use crate::house::{Done, House, LEASE, admin, refusal};

/// Returns a house that keeps no codes.
fn house() -> House {
    let house = House::new();
    let invitations = house.invitations.clone().with_sealing(Sealing::hash_only());
    let deliveries = Deliveries::new(invitations.clone(), Arc::<MemoryStore>::clone(&house.store));
    House { invitations, deliveries, ..house }
}

async fn resend(house: &House, id: InvitationId) -> Result<Delivery, invitation_core::Error> {
    house.deliveries.resend(&admin(), id, Resend::new().with_new_code()).await
}

fn code_of(claimed: &ClaimedDelivery) -> String {
    claimed.code().reveal().to_string()
}

/// Returns why the code cannot be redeemed; none if it was.
async fn redeemed(house: &House, code: &str) -> Option<Refusal> {
    let anna = VerifiedEmail::vouched_by_host(Email::parse("anna@example.com").unwrap());
    let redeemer = Redeemer::new(UserId::new("anna").unwrap(), Username::new("anna").unwrap());
    refusal(house.invitations.redeem(code, &redeemer.with_email(anna)).await)
}

#[tokio::test]
async fn new_invitation_is_neither_mailed_nor_reminded_of() -> Done {
    let house = house();
    let id = house.invite("anna@example.com").await.invitation().id();
    assert_eq!(house.queue().await, 0);
    house.clock.advance(Duration::days(6));
    let before = Duration::days(2);
    let page = house.deliveries.remind(&house.worker, before, Paging::default()).await?;
    assert_eq!((page.examined(), page.queued()), (1, 0));
    let refused = house.deliveries.resend(&admin(), id, Resend::new()).await;
    assert_eq!(refusal(refused), Some(Refusal::CodeNotKept));
    assert!(house.due().await.is_empty() && house.events(Action::Deliver).await.is_empty());
    Ok(())
}

#[tokio::test]
async fn resend_with_a_new_code_sends_one_that_works() -> Done {
    let house = house();
    let created = house.invite("anna@example.com").await;
    let id = created.invitation().id();
    let delivery = resend(&house, id).await?;
    let old = created.code().reveal().to_string();
    assert_eq!(redeemed(&house, &old).await, Some(Refusal::CodeUnknown), "dead at once");
    let claimed = house.claim(&delivery).await.unwrap();
    let message = claimed.message_id(&"example.com".parse()?);
    assert!(house.deliveries.sent(&house.worker, &claimed, &message).await?);

    let [drawn, asked] = &house.events(Action::Rotate).await[..] else { panic!("two events") };
    assert!(matches!(drawn.performer, Performer::System { .. }));
    assert_eq!(drawn.detail.get("delivery"), Some(delivery.id().to_string().as_str()));
    assert!(matches!(asked.performer, Performer::Actor { .. }));
    let stored = house.invitations.get(&admin(), id).await?;
    assert_eq!(stored.invitation().version(), 3);
    assert_eq!(redeemed(&house, &code_of(&claimed)).await, None);
    Ok(())
}

#[tokio::test]
async fn worker_draws_with_the_rights_of_the_user_who_asked() -> Done {
    let house = house();
    let id = house.invite("anna@example.com").await.invitation().id();
    let claimed = house.claim(&resend(&house, id).await?).await.unwrap();
    let without = invitation_core::Policy::empty();
    let invitations = house.invitations.clone().with_policy(without);
    let house = House { invitations, ..house };
    let refused = redeemed(&house, &code_of(&claimed)).await;
    assert_eq!(refused, Some(Refusal::GrantWithdrawn), "the grantor is the user, not the system");
    Ok(())
}

#[tokio::test]
async fn each_attempt_has_its_own_code_and_message_id_and_the_last_code_works() -> Done {
    let house = house();
    let id = house.invite("anna@example.com").await.invitation().id();
    let delivery = resend(&house, id).await?;
    let first = house.claim(&delivery).await.unwrap();
    // The worker dies behind the claim.
    house.clock.advance(LEASE);
    let second = house.claim(&house.due().await[0]).await.unwrap();
    assert_ne!(code_of(&first), code_of(&second));
    let domain = "example.com".parse()?;
    assert_ne!(first.message_id(&domain), second.message_id(&domain));
    let deferred = DeliveryFailure::new(FailureKind::Deferred);
    house.deliveries.failed(&house.worker, &second, deferred, None).await?;
    house.deliveries.retry(&admin(), delivery.id()).await?;
    let third = house.claim(&house.due().await[0]).await.unwrap();
    assert_eq!(redeemed(&house, &code_of(&second)).await, Some(Refusal::CodeUnknown));
    assert_eq!(redeemed(&house, &code_of(&third)).await, None);
    Ok(())
}

#[tokio::test]
async fn code_that_a_person_made_meanwhile_is_not_replaced() -> Done {
    let house = house();
    let id = house.invite("anna@example.com").await.invitation().id();
    resend(&house, id).await?;
    let by_hand = house.invitations.rotate(&admin(), id, IfVersion::Any).await?;
    assert!(house.claim(&house.due().await[0]).await.is_none());
    assert_eq!(house.delivery_of(id).await.state(), DeliveryState::Cancelled);
    assert_eq!(redeemed(&house, by_hand.code().reveal().as_str()).await, None);
    Ok(())
}
