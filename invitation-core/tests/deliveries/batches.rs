//! Sending the invitations of a batch again: page by page, and each with its own outcome.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use invitation_core::{
    Action, Criteria, Email, EventOutcome, IdempotencyKey, IfVersion, Intercept, Interceptor,
    InvitationId, Invitations, Limits, MemoryStore, Operation, Paging, Policy, Reason, Refusal,
    Right, Rights, Role, Status, StoreCall, StoreError, StoreErrorKind,
    delivery::{Deliveries, Delivery, Resend, ResendOutcome, ResentInvitation, ResentPage},
};
use time::Duration;

use crate::house::{Done, House, TEN, admin, manager, refusal, staff};

/// Creates a batch of invitations for these addresses, and returns its criteria and the ids.
async fn batch_of(house: &House, addresses: &[&str]) -> (Criteria, Vec<InvitationId>) {
    let drafts = addresses.iter().map(|address| match *address {
        "" => staff(),
        address => staff().for_email(Email::parse(address).unwrap()),
    });
    let created = house.invitations.create_many(&admin(), drafts.collect()).await.unwrap();
    let batch = created[0].invitation().batch().unwrap();
    let ids = created.iter().map(|one| one.invitation().id()).collect();
    (Criteria::new().in_batch(batch), ids)
}

fn left_out(page: &ResentPage) -> Vec<(InvitationId, Refusal)> {
    let one = |ResentInvitation { invitation, outcome }: &ResentInvitation| match outcome {
        ResendOutcome::LeftOut(refused) => Some((*invitation, refused.refusal().clone())),
        ResendOutcome::Queued(_) => None,
    };
    page.invitations().iter().filter_map(one).collect()
}

fn key(text: &str) -> Resend {
    Resend::new().with_key(IdempotencyKey::new(text).unwrap())
}

#[tokio::test]
async fn batch_is_sent_again_and_each_left_out_has_its_reason_and_its_event() -> Done {
    let house = House::new();
    let addresses = ["a@example.com", "", "c@example.com", "d@example.com", "e@example.com"];
    let (criteria, ids) = batch_of(&house, &addresses).await;
    let other = house.invite("other@example.com").await.invitation().id();
    let (any, admin) = (IfVersion::Any, admin());
    house.invitations.revoke(&admin, ids[2], None, any).await?;
    house.invitations.delete(&admin, ids[3], any).await?;

    let send = |criteria| {
        let (house, admin) = (&house, &admin);
        async move {
            let criteria: Criteria = criteria;
            house.deliveries.resend_all(admin, &criteria, Resend::new(), Paging::default()).await
        }
    };
    let page = send(criteria.clone()).await?;
    assert_eq!((page.queued(), page.invitations().len(), page.next()), (2, 4, None));
    let mut expected = vec![(ids[1], Refusal::NoAddress), (ids[2], Refusal::Revoked)];
    let mut found = left_out(&page);
    expected.sort_by_key(|(id, _)| *id);
    found.sort_by_key(|(id, _)| *id);
    assert_eq!(found, expected);
    let due: Vec<_> = house.due().await.iter().map(Delivery::invitation).collect();
    assert!(due.len() == 2 && due.contains(&ids[0]) && due.contains(&ids[4]), "{due:?}");
    assert!(!due.contains(&other));

    let events = house.events(Action::Resend).await;
    assert_eq!(events.len(), 4, "one for each");
    for id in [ids[0], ids[4]] {
        let of = events.iter().find(|event| event.invitation == Some(id)).unwrap();
        assert_eq!(of.outcome, EventOutcome::Succeeded);
    }
    for (id, reason) in [(ids[1], Reason::NoAddress), (ids[2], Reason::Revoked)] {
        let of = events.iter().find(|event| event.invitation == Some(id)).unwrap();
        assert_eq!((of.outcome, of.reason), (EventOutcome::Refused, Some(reason)));
    }

    let page = send(criteria.with_status(Status::Active)).await?;
    assert_eq!((page.queued(), left_out(&page).len()), (2, 1), "ended ones are not listed");
    Ok(())
}

#[tokio::test]
async fn pages_continue_by_cursor_and_a_key_sends_each_once() -> Done {
    let house = House::new();
    let addresses: Vec<_> = (0..7).map(|n| format!("p{n}@example.com")).collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    let (criteria, ids) = batch_of(&house, &addresses).await;
    let admin = admin();
    let mut deliveries = Vec::new();
    for _ in 0..2 {
        let (mut paging, mut pages) = (Paging::first(3)?, 0);
        let mut round = Vec::new();
        loop {
            let page = house.deliveries.resend_all(&admin, &criteria, key("again"), paging).await?;
            pages += 1;
            for ResentInvitation { invitation, outcome } in page.invitations() {
                let ResendOutcome::Queued(delivery) = outcome else { panic!("{outcome:?}") };
                assert_eq!(delivery.invitation(), *invitation);
                round.push(delivery.id());
            }
            let Some(next) = page.next() else { break };
            paging = Paging::first(3)?.after(next);
        }
        assert_eq!((pages, round.len()), (3, ids.len()));
        deliveries.push(round);
    }
    assert_eq!(deliveries[0], deliveries[1], "the same mails");
    assert_eq!((house.due().await.len(), house.events(Action::Resend).await.len()), (7, 7));
    Ok(())
}

#[tokio::test]
async fn limits_of_the_actor_and_of_the_address_hold_across_pages() -> Done {
    let two = NonZeroU32::new(2).unwrap();
    let limits = Limits::default().with_resends_per_actor(two)?.with_resends_per_address(TEN)?;
    let house = House::with(Policy::default(), limits);
    let addresses = ["a@example.com", "b@example.com", "c@example.com", "d@example.com"];
    let (criteria, _) = batch_of(&house, &addresses).await;
    let admin = admin();
    let one_page = || house.deliveries.resend_all(&admin, &criteria, key("k"), Paging::default());
    let page = one_page().await?;
    let limit = Refusal::MailLimit { retry_after: Duration::HOUR };
    assert_eq!(page.queued(), 2);
    assert!(left_out(&page).iter().map(|(_, refusal)| refusal).eq([&limit, &limit]));
    house.clock.advance(Duration::HOUR);
    assert_eq!(one_page().await?.queued(), 4, "two of before and two of now");
    assert_eq!(house.due().await.len(), 4);

    let limits = Limits::default().with_resends_per_address(NonZeroU32::MIN)?;
    let house = House::with(Policy::default(), limits);
    let (criteria, _) = batch_of(&house, &["x@example.com", "X@example.com"]).await;
    let page =
        house.deliveries.resend_all(&admin, &criteria, Resend::new(), Paging::default()).await?;
    assert_eq!((page.queued(), left_out(&page).len()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn resend_all_needs_the_rights_of_a_resend_and_reaches_as_far() -> Done {
    let resend = Rights::none().may([Right::Resend]);
    let policy = Policy::default().with_added_rights(Role::new("manager")?, resend);
    let house = House::with(policy, Limits::default());
    let (criteria, ids) = batch_of(&house, &["a@example.com"]).await;
    let for_admin = staff().with_role(Role::new("admin")?).for_email("b@example.com".parse()?);
    house.invitations.create(&admin(), for_admin).await?;
    let all = |actor, criteria: &Criteria, resend| {
        let (house, criteria) = (&house, criteria.clone());
        async move {
            let actor: invitation_core::Actor = actor;
            house.deliveries.resend_all(&actor, &criteria, resend, Paging::default()).await
        }
    };
    let foreign = all(manager("operations"), &criteria, Resend::new()).await?;
    assert_eq!(foreign.invitations(), [], "out of reach");
    let named = criteria.clone().in_division(crate::house::division("sales"));
    let refused = all(manager("operations"), &named, Resend::new()).await;
    assert!(matches!(refusal(refused), Some(Refusal::DivisionNotAllowed { .. })));
    let refused = all(manager("sales"), &criteria, Resend::new().with_new_code()).await;
    assert_eq!(refusal(refused), Some(Refusal::Forbidden { right: Right::Rotate }));
    let page = all(manager("sales"), &Criteria::new(), Resend::new()).await?;
    assert_eq!(page.queued(), 1, "{ids:?}");
    let role = Role::new("admin")?;
    assert_eq!(left_out(&page)[0].1, Refusal::RoleNotGrantable { role }, "the form is not theirs");

    let house = House::new();
    let (criteria, _) = batch_of(&house, &["a@example.com"]).await;
    let actor = manager("sales");
    let refused = house.deliveries.resend_all(&actor, &criteria, Resend::new(), Paging::default());
    assert_eq!(refusal(refused.await), Some(Refusal::Forbidden { right: Right::Resend }));
    assert_eq!(house.events(Action::Resend).await[0].outcome, EventOutcome::Denied);
    assert!(house.due().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn resend_all_with_new_codes_replaces_each() -> Done {
    let house = House::new();
    let (criteria, ids) = batch_of(&house, &["a@example.com", "b@example.com"]).await;
    let resend = Resend::new().with_new_code();
    let page = house.deliveries.resend_all(&admin(), &criteria, resend, Paging::default()).await?;
    assert_eq!(page.queued(), 2);
    for id in ids {
        assert_eq!(house.invitations.get(&admin(), id).await?.invitation().version(), 2);
    }
    assert!(house.due().await.iter().all(Delivery::is_rotated));
    Ok(())
}

/// A store that fails at one call that reads an invitation.
#[derive(Clone, Debug)]
struct FailsAt(Arc<AtomicU32>);

#[async_trait]
impl Interceptor for FailsAt {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        if operation == Operation::Get && self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "get"));
        }
        call.await.map_err(|kind| StoreError::new(kind, "get"))
    }
}

#[tokio::test]
async fn page_ends_before_the_invitation_at_which_the_store_fails() -> Done {
    let house = House::new();
    let addresses = ["a@example.com", "b@example.com", "c@example.com"];
    let (criteria, _) = batch_of(&house, &addresses).await;
    let fails_at = FailsAt(Arc::new(AtomicU32::new(u32::MAX)));
    let store = Intercept::new(Arc::<MemoryStore>::clone(&house.store), fails_at.clone());
    let failing = Invitations::new(store).with_clock(house.clock.clone());
    let deliveries = Deliveries::new(failing, Arc::<MemoryStore>::clone(&house.store));
    let admin = admin();
    let page_after = |paging| deliveries.resend_all(&admin, &criteria, Resend::new(), paging);

    fails_at.0.store(1, Ordering::SeqCst);
    assert!(page_after(Paging::default()).await.is_err());
    assert!(house.due().await.is_empty(), "nothing was sent");
    fails_at.0.store(3, Ordering::SeqCst);
    let page = page_after(Paging::default()).await?;
    assert_eq!(page.queued(), 2, "what was sent is told");
    let rest = page_after(Paging::default().after(page.next().unwrap())).await?;
    assert_eq!((rest.queued(), rest.next()), (1, None));
    let mut due: Vec<_> = house.due().await.iter().map(Delivery::invitation).collect();
    due.sort_unstable();
    due.dedup();
    assert_eq!(due.len(), 3, "each was sent once");
    Ok(())
}
