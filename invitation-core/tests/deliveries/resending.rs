//! Sending an invitation again: rights, limits and new codes.

use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use invitation_core::{
    Action, Actor, EventOutcome, IdempotencyKey, IfVersion, Intercept, Interceptor, Limits,
    Operation, Policy, Reason, Refusal, Right, Rights, Role, StoreCall, StoreError,
    delivery::{Deliveries, DeliveryPurpose, Resend},
};
use time::Duration;

use crate::house::{Done, House, TEN, admin, manager, refusal, staff};

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

/// A store whose calls all begin before the first one is carried out.
#[derive(Debug)]
struct Interleaved;

#[async_trait]
impl Interceptor for Interleaved {
    async fn intercept(&self, _: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        call.await.map_err(|kind| StoreError::new(kind, "interleaved"))
    }
}

#[tokio::test]
async fn concurrent_resends_within_the_limit_are_all_queued() -> Done {
    let house = House::new();
    let documents = Intercept::new(Arc::clone(&house.store), Interleaved);
    let deliveries = Deliveries::new(house.invitations.clone(), Arc::new(documents));
    let mut calls = Vec::new();
    for n in 0..32 {
        let id = house.invite(&format!("anna{n}@example.com")).await.invitation().id();
        let deliveries = deliveries.clone();
        calls.push(async move { deliveries.resend(&admin(), id, Resend::new()).await });
    }
    let calls: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    for call in calls {
        assert_eq!(refusal(call.await?), None, "the actor may send 60");
    }
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
