//! Idempotency keys: a creation that is requested twice is performed once.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Actor, Amendment, Caller, Cap, Created, Draft, Error, EventOutcome, Expiry, IfVersion,
    Metadata, Policy, Reason, Refusal, Right, Rights, SystemActor,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        quotas::{admin_quota, cap, quota_exceeded, staff_draft, with_quotas},
        samples::{admin, division, domain, email, key, later, manager, newcomer, role, user},
    },
};

fn same(again: &Created, first: &Created) -> bool {
    again.is_replayed() && again.invitation() == first.invitation() && again.code() == first.code()
}

/// Repeating a request under the same key returns the original result: the same
/// invitations in the same order with the same codes. Nothing is stored and no event is
/// written.
pub async fn repeated_key_returns_the_first_result(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = &harness.service;
    let draft = || staff_draft().for_email(email("anna@example.com")).expiring(Expiry::InDays(3));
    let drafts: Vec<_> =
        (1..=12).map(|n| staff_draft().for_uses(NonZeroU32::new(n).expect("not zero"))).collect();
    let one = service.create_once(&admin(), &key("one"), draft()).await.expect("may create");
    assert!(!one.is_replayed(), "the first time is not a replay");
    let many = service.create_many_once(&admin(), &key("many"), drafts.clone()).await;
    let many = many.expect("may create");
    assert!(many.iter().all(|created| !created.is_replayed()), "nor is that of many");
    let before = harness.snapshot().await;
    assert_eq!((before.0.len(), before.1.len()), (13, 13), "one event each");
    for later in ["at once", "a minute later", "when they have expired"] {
        let again = service.create_once(&admin(), &key("one"), draft()).await;
        let again = again.unwrap_or_else(|error| panic!("{later}: {error:?}"));
        assert!(same(&again, &one), "{later}: the same one: {again:?}");
        let again = service.create_many_once(&admin(), &key("many"), drafts.clone()).await;
        let again = again.unwrap_or_else(|error| panic!("{later}: {error:?}"));
        assert_eq!(again.len(), 12, "{later}: all of them");
        let pairs = || again.iter().zip(&many);
        assert!(pairs().all(|(again, first)| same(again, first)), "{later}: in the same order");
        assert_eq!(harness.snapshot().await, before, "{later}: nothing happens");
        harness.clock.advance(time::Duration::days(i64::from(later == "a minute later") * 30));
        harness.clock.advance(time::Duration::MINUTE);
    }
    let other = service.create_once(&admin(), &key("two"), draft()).await.expect("may create");
    assert!(!other.is_replayed(), "another key is another request");
    let plain = service.create(&admin(), draft()).await.expect("may create");
    assert!(!plain.is_replayed(), "without a key nothing is a repeat");
}

/// A different request under a used key is refused, with an event, and nothing is stored.
/// This holds for a difference in any field, and for a single creation against a batch of
/// one.
pub async fn different_request_under_a_used_key_is_refused(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (service, admin) = (&harness.service, &admin());
    let at = later(harness.now(), 5 * 86_400_000_000);
    let metadata = |n: i32| Metadata::new(serde_json::json!({ "n": n })).expect("metadata");
    let draft = || staff_draft().for_email(email("a@example.com")).with_metadata(metadata(1));
    let others = [
        draft().for_email(email("b@example.com")),
        draft().for_email(email("A@example.com")).for_domain(domain("example.com")),
        staff_draft().with_metadata(metadata(1)),
        staff_draft().for_email(email("a@example.com")),
        draft().with_role(role("manager")),
        draft().in_division(division("hr")),
        draft().expiring(Expiry::InDays(7)),
        draft().expiring(Expiry::At(at)),
        draft().with_metadata(metadata(2)),
    ];
    service.create_once(admin, &key("one"), draft()).await.expect("may create");
    let pair = vec![draft(), staff_draft()];
    service.create_many_once(admin, &key("many"), pair).await.expect("may create");
    service.create_once(admin, &key("uses"), staff_draft()).await.expect("may create");
    let before = harness.snapshot().await;
    for (n, other) in others.into_iter().enumerate() {
        let answer = service.create_once(admin, &key("one"), other).await;
        assert_eq!(refusal(answer), Refusal::IdempotencyKeyReused, "other {n}");
    }
    let for_two = staff_draft().for_uses(NonZeroU32::MIN.saturating_add(1));
    let answer = service.create_once(admin, &key("uses"), for_two).await;
    assert_eq!(refusal(answer), Refusal::IdempotencyKeyReused, "another number of uses");
    for drafts in
        [vec![draft()], vec![staff_draft(), draft()], vec![draft(), staff_draft(), staff_draft()]]
    {
        for name in ["one", "many"] {
            let answer = service.create_many_once(admin, &key(name), drafts.clone()).await;
            assert_eq!(refusal(answer), Refusal::IdempotencyKeyReused, "{name}: {drafts:?}");
        }
    }
    let answer = service.create_once(admin, &key("many"), draft()).await;
    assert_eq!(refusal(answer), Refusal::IdempotencyKeyReused, "one under the key of many");
    let after = harness.snapshot().await;
    assert_eq!(after.0, before.0, "nothing is stored");
    assert_eq!(after.1.len(), before.1.len() + 17, "each refusal is on record");
    let event = &after.1[0];
    assert_eq!((event.action, event.outcome), (Action::Create, EventOutcome::Refused));
    assert_eq!(event.reason, Some(Reason::IdempotencyKeyReused), "and why");
}

/// A key belongs to its user, whose id is compared byte for byte. Other users and the
/// system can use the same key independently. The same user in another role or division
/// shares the key.
pub async fn same_key_of_another_user_is_independent(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let cased = key("K");
    let (service, key) = (&harness.service, key("k"));
    let named = |id: &str| Actor::in_division(user(id), role("manager"), division("sales"));
    let draft = || staff_draft().in_division(division("sales"));
    let system = SystemActor::for_bootstrap();
    let actors = [named("u-1"), named("U-1"), named("u-1%"), named("u-%")];
    let mut first = Vec::new();
    let caller = || actors.iter().map(Caller::from).chain([Caller::from(&system)]);
    for (n, actor) in caller().enumerate() {
        let created = service.create_once(actor, &key, draft()).await.expect("may create");
        assert!(!created.is_replayed(), "{n}: another user's key is another one");
        first.push(created);
    }
    for (actor, first) in caller().zip(&first) {
        let again = service.create_once(actor, &key, draft()).await.expect("a repeat");
        assert!(same(&again, first), "each has the own one");
    }
    let promoted = Actor::across_divisions(user("u-1"), role("admin"));
    let again = service.create_once(&promoted, &key, draft()).await.expect("a repeat");
    assert!(same(&again, &first[0]), "a promoted user is the same user");
    let other = service.create_once(&actors[0], &cased, draft()).await.expect("may create");
    assert!(!other.is_replayed(), "keys are compared byte for byte");
}

/// A repeated creation returns the current state of its invitations (used, amended,
/// revoked, deleted) and their current code.
pub async fn repeated_creation_returns_the_current_state(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (service, any) = (&harness.service, IfVersion::Any);
    let two = NonZeroU32::MIN.saturating_add(1);
    let ask = async || {
        let draft = staff_draft().for_uses(two);
        service.create_once(&admin(), &key("k"), draft).await.expect("a repeat")
    };
    let first = ask().await;
    let id = first.invitation().id();
    for state in ["used", "amended", "revoked", "rotated", "deleted"] {
        let mut code = None;
        match state {
            "used" => {
                let code = first.code().reveal();
                service.redeem(&code, &newcomer("anna")).await.map(drop).expect("may redeem");
            }
            "amended" => {
                let amendment = Amendment::new().with_role(role("manager"));
                service.amend(&admin(), id, amendment, any).await.map(drop).expect("may amend");
            }
            "revoked" => {
                service.revoke(&admin(), id, None, any).await.map(drop).expect("may revoke");
            }
            "rotated" => {
                service.reinstate(&admin(), id, any).await.expect("may reinstate");
                let rotated = service.rotate(&admin(), id, any).await.expect("may rotate");
                code = Some(rotated);
            }
            _ => service.delete(&admin(), id, any).await.expect("may delete"),
        }
        let again = ask().await;
        assert!(again.is_replayed(), "{state}: it is marked");
        assert_eq!(again.invitation(), &harness.shown(id).await, "{state}: as it is stored");
        if let Some(rotated) = code {
            assert!(again.code() == rotated.code(), "{state}: the code of now");
        }
    }
}

/// A repeated creation succeeds even when the quota is full. A refused creation leaves
/// the key unused.
pub async fn repeated_creation_with_a_full_quota_succeeds(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, cap(1), Cap::Unlimited);
    let first =
        service.create_once(&admin(), &key("a"), staff_draft()).await.expect("there is room");
    let again = service.create_once(&admin(), &key("a"), staff_draft()).await.expect("a repeat");
    assert!(same(&again, &first), "it is full, but this one is there already");
    let answer =
        service.create_once(&admin(), &key("a"), staff_draft().expiring(Expiry::InDays(1))).await;
    assert_eq!(refusal(answer), Refusal::IdempotencyKeyReused, "nor does another come in");
    let answer = service.create_once(&admin(), &key("b"), staff_draft()).await;
    assert_eq!(refusal(answer), quota_exceeded(admin_quota(), 1), "a new one finds no room");
    service.delete(&admin(), first.invitation().id(), IfVersion::Any).await.expect("may delete");
    let second =
        service.create_once(&admin(), &key("b"), staff_draft()).await.expect("there is room");
    assert!(!second.is_replayed(), "the refusal has not taken the key");
}

/// An actor without the right to copy receives the codes of their own creation again. A
/// code that has replaced one of them since is not returned.
pub async fn repeated_creation_without_the_right_to_copy_hides_later_codes(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let own = harness.service.clone().with_policy(Policy::default().with_role(
        role("manager"),
        Rights::none().may([Right::Create, Right::Bulk]).granting([role("staff")]),
    ));
    let (actor, key) = (manager("sales"), key("k"));
    let drafts = || vec![Draft::new(), Draft::new()];
    let first = own.create_many_once(&actor, &key, drafts()).await.expect("may create");
    let again = own.create_many_once(&actor, &key, drafts()).await.expect("a repeat");
    assert!(again.iter().zip(&first).all(|(again, first)| same(again, first)), "its own codes");
    let id = first[1].invitation().id();
    let rotated = own.rotate(&admin(), id, IfVersion::Any).await.expect("may rotate");
    let answer = own.create_many_once(&actor, &key, drafts()).await;
    assert_eq!(refusal(answer), Refusal::Forbidden { right: Right::Copy }, "another's code");
    let with = |more: &[Right]| {
        let rights = [Right::Create, Right::Bulk].iter().chain(more).copied();
        let rights = Rights::none().may(rights).granting([role("staff")]);
        harness.service.clone().with_policy(Policy::default().with_role(role("manager"), rights))
    };
    // Later changes of the invitation are visible only with the right to view.
    let answer = with(&[Right::Copy]).create_many_once(&actor, &key, drafts()).await;
    assert_eq!(refusal(answer), Refusal::Forbidden { right: Right::View }, "its history");
    let answer = with(&[Right::View]).create_many_once(&actor, &key, drafts()).await;
    assert_eq!(refusal(answer), Refusal::Forbidden { right: Right::Copy }, "its code");
    let may = with(&[Right::View, Right::Copy]);
    let again = may
        .create_many_once(&actor, &key, drafts())
        .await
        .expect("an actor with the right to copy");
    assert!(again[1].code() == rotated.code(), "the code of now");

    let used = own.create_once(&actor, &self::key("used"), Draft::new()).await;
    let used = used.expect("may create");
    own.redeem(&used.code().reveal(), &newcomer("anna")).await.expect("it is fresh");
    let answer = own.create_once(&actor, &self::key("used"), Draft::new()).await;
    assert_eq!(refusal(answer), Refusal::Forbidden { right: Right::View }, "who used it");
}

/// A repeat stays valid when its expiry is too near by now but was far enough at the
/// first request. Any other request with such an expiry is invalid.
pub async fn repeated_creation_with_a_near_expiry_succeeds(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = &harness.service;
    let soon = Expiry::At(later(harness.now(), 3_600_000_000));
    let drafts = vec![staff_draft().expiring(soon); 2];
    let one = service.create_once(&admin(), &key("one"), staff_draft().expiring(soon)).await;
    let one = one.expect("an hour is enough");
    let many = service.create_many_once(&admin(), &key("many"), drafts.clone()).await;
    let many = many.expect("an hour is enough");
    let before = harness.snapshot().await;
    for minutes in [1, 59, 600] {
        harness.clock.advance(time::Duration::minutes(minutes));
        let again = service.create_once(&admin(), &key("one"), staff_draft().expiring(soon)).await;
        assert!(same(&again.expect("a repeat"), &one), "{minutes} minutes later");
        let again = service.create_many_once(&admin(), &key("many"), drafts.clone()).await;
        let again = again.expect("a repeat");
        assert!(again.iter().zip(&many).all(|(again, first)| same(again, first)), "all of it");

        let fresh = service.create_once(&admin(), &key("new"), staff_draft().expiring(soon)).await;
        assert_eq!(invalid_field(fresh), "expires_at", "nothing was asked for under this key");
        let other = staff_draft().in_division(division("hr")).expiring(soon);
        let other = service.create_once(&admin(), &key("one"), other).await;
        assert_eq!(invalid_field(other), "expires_at", "this is something else");
        let plain = service.create(&admin(), staff_draft().expiring(soon)).await;
        assert_eq!(invalid_field(plain), "expires_at", "without a key nothing is a repeat");
    }
    let another_user =
        service.create_once(&manager("hr"), &key("one"), staff_draft().expiring(soon)).await;
    assert_eq!(invalid_field(another_user), "expires_at", "a key is its user's own");
    assert_eq!(harness.snapshot().await, before, "nothing was stored or written");
}

fn invalid_field(answer: Result<Created, Error>) -> String {
    match answer {
        Err(Error::Invalid(found)) => {
            let fields: Vec<_> =
                found.errors().iter().map(invitation_core::FieldError::field).collect();
            fields.join(", ")
        }
        other => panic!("it must be invalid: {other:?}"),
    }
}
