//! Reservations, and how other changes of the invitation affect them.

use invitation_core::{
    Amendment, Criteria, Disclosure, Draft, IfVersion, Paging, Policy, Reason, Refusal,
    Reservation, Status,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, Service, refusal},
        samples::{admin, division, domain, email, newcomer, newcomer_with_email, role, user},
    },
};

const LEASE: time::Duration = time::Duration::minutes(10);

async fn commit(
    harness: &Harness,
    reservation: &Reservation,
) -> Result<(), invitation_core::Error> {
    harness.service.commit(reservation.id(), &newcomer("anna")).await.map(drop)
}

/// Revoking, rotating and amending the binding or the role end the reservations and free
/// their uses. The commit is refused for that reason, even after the change was undone.
/// Amending the expiry does not end reservations.
pub async fn change_of_terms_ends_reservations(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (service, any) = (&harness.service, IfVersion::Any);
    for what in ["revoke", "rotate", "address", "domain", "anyone", "role", "expiry"] {
        // An invitation for an address has one use.
        let created = harness.create_for_uses(if what == "address" { 1 } else { 2 }).await;
        let id = created.invitation().id();
        let reservation = harness.reserve(&created.code().reveal(), "anna").await;
        let amended = match what {
            "address" => Some(Amendment::new().for_email(email("anna@example.com"))),
            "domain" => Some(Amendment::new().for_domain(domain("example.com"))),
            "anyone" => Some(Amendment::new().for_anyone()),
            "role" => Some(Amendment::new().with_role(role("manager"))),
            "expiry" => Some(Amendment::new().expiring(invitation_core::Expiry::InDays(30))),
            _ => None,
        };
        match (what, amended) {
            (_, Some(amendment)) => {
                service.amend(&admin(), id, amendment, any).await.expect("may amend");
            }
            ("rotate", None) => {
                service.rotate(&admin(), id, any).await.expect("may rotate");
            }
            _ => {
                service.revoke(&admin(), id, None, any).await.expect("may revoke");
                assert_eq!(refusal(commit(&harness, &reservation).await), Refusal::Revoked);
                service.reinstate(&admin(), id, any).await.expect("may reinstate");
            }
        }
        if what == "expiry" {
            commit(&harness, &reservation).await.expect("another expiry ends nothing");
            continue;
        }
        assert_eq!(harness.stored(id).await.held, 0, "{what}: nothing is held");
        let late = commit(&harness, &reservation).await;
        assert_eq!(refusal(late), Refusal::ReservationLost, "{what}");
        let open = service.reservations(&admin(), None, Paging::default()).await;
        assert!(open.is_ok_and(|page| page.items().is_empty()), "{what}: none is open");
    }
    let created = harness.create(Draft::new()).await;
    let reservation = harness.reserve(&created.code().reveal(), "anna").await;
    service.delete(&admin(), created.invitation().id(), any).await.expect("may delete");
    assert_eq!(refusal(commit(&harness, &reservation).await), Refusal::NotFound, "deleted");
    let open = service.reservations(&admin(), None, Paging::default()).await;
    assert!(open.is_ok_and(|page| page.items().is_empty()), "deleted: none is open");
}

/// Reservations do not change the status of an invitation: not in lists, not in counts,
/// and not when it is revoked.
pub async fn reservations_do_not_change_the_status(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let id = created.invitation().id();
    harness.reserve(&created.code().reveal(), "anna").await;
    for state in ["held", "expired"] {
        let active = Criteria::new().with_status(Status::Active);
        let page = harness.service.list(&admin(), &active, Paging::default()).await;
        assert_eq!(page.map(|page| page.items().len()).ok(), Some(1), "{state}: it is active");
        let counts = harness.service.counts(&admin(), &Criteria::new()).await.expect("may count");
        assert_eq!(counts.of(Status::Active), 1, "{state}: counted as active");
        let view = harness.service.get(&admin(), id).await.expect("may look");
        assert_eq!(view.status(), Status::Active, "{state}");
        harness.clock.advance(LEASE);
    }
}

/// *Reserved* is given only if no other reason applies, because it is temporary.
pub async fn reserved_is_the_last_reason_of_a_refusal(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let bound = Draft::new().for_email(email("anna@example.com"));
    let created = harness.create(bound).await;
    let code = created.code().reveal();
    let anna = newcomer_with_email("anna", "anna@example.com");
    let held = harness.service.reserve(&code, &anna).await;
    assert!(held.is_ok(), "anna has the address: {held:?}");
    let bob = newcomer_with_email("bob", "anna@example.com");
    let strict = harness.service.clone().with_policy(Policy::empty());
    for asks in [false, true] {
        let ask = async |service: &Service, who: &invitation_core::Redeemer| {
            let answer = if asks {
                service.reserve(&code, who).await.map(drop)
            } else {
                service.redeem(&code, who).await.map(drop)
            };
            refusal(answer)
        };
        let reason = ask(&harness.service, &newcomer("carl")).await;
        assert_eq!(reason, Refusal::AddressProofRequired, "no proof");
        assert_eq!(ask(&strict, &bob).await, Refusal::GrantWithdrawn, "the ceiling");
        let reason = ask(&harness.service, &bob).await;
        assert!(matches!(reason, Refusal::Reserved { .. }), "then it is held: {reason:?}");
    }
    harness.clock.set(created.invitation().expires_at());
    let late = refusal(harness.service.reserve(&code, &bob).await);
    assert!(matches!(late, Refusal::Expired { .. }), "expired: {late:?}");
}

/// In the context of another division, a code and any reservation on it are unknown.
pub async fn reserve_in_another_division_is_code_unknown(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let foreign = newcomer("anna").in_division(division("hr"));
    let answer = harness.service.reserve(&code, &foreign).await;
    assert_eq!(refusal(answer), Refusal::CodeUnknown, "the code of another division");
    let reservation = harness.reserve(&code, "anna").await;
    let before = harness.stored(id).await;
    let answer = harness.service.commit(reservation.id(), &foreign).await;
    assert_eq!(refusal(answer), Refusal::NotFound, "committed from elsewhere");
    let answer = harness.service.release(reservation.id(), &foreign).await;
    assert_eq!(refusal(answer), Refusal::NotFound, "released from elsewhere");
    assert_eq!(harness.stored(id).await, before, "nothing has changed");
    let events = harness.events_by_user(&user("u-anna")).await;
    let foreign = events.iter().filter(|event| event.reason == Some(Reason::OutOfScope));
    assert_eq!(foreign.count(), 3, "the trail tells where it was: {events:?}");
    let own = newcomer("anna").in_division(division("sales"));
    let redeemed = harness.service.commit(reservation.id(), &own).await;
    assert!(redeemed.is_ok(), "in its own division: {redeemed:?}");
}

/// With [`Disclosure::Nothing`] every refusal of a reservation looks like that of an
/// unknown code. The trail keeps the real reason.
pub async fn refused_reserve_without_disclosure_is_code_unknown(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let silent = harness.service.clone().with_disclosure(Disclosure::Nothing);
    let created = harness.create(Draft::new()).await;
    let code = created.code().reveal();
    let reservation = harness.reserve(&code, "anna").await;
    for (name, reason) in [("bob", Reason::Reserved), ("carl", Reason::Used)] {
        if reason == Reason::Used {
            harness.service.commit(reservation.id(), &newcomer("anna")).await.expect("anna's own");
        }
        let answer = silent.reserve(&code, &newcomer(name)).await;
        assert_eq!(refusal(answer), Refusal::CodeUnknown, "{reason}: it is not disclosed");
        let answer = silent.redeem(&code, &newcomer(name)).await;
        assert_eq!(refusal(answer), Refusal::CodeUnknown, "{reason}: it is not disclosed");
        let events = harness.events_by_user(newcomer(name).user()).await;
        let reasons: Vec<_> = events.iter().map(|event| event.reason).collect();
        assert_eq!(reasons, [Some(reason); 2], "the trail keeps it");
    }
}

/// A commit is checked against the policy of that moment. A refused commit leaves the
/// reservation as it was.
pub async fn commit_follows_the_current_policy(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let id = created.invitation().id();
    let reservation = harness.reserve(&created.code().reveal(), "anna").await;
    let before = harness.stored(id).await;
    let strict = harness.service.clone().with_policy(Policy::empty());
    let refused = strict.commit(reservation.id(), &newcomer("anna")).await;
    assert_eq!(refusal(refused), Refusal::GrantWithdrawn, "the inviter may not any more");
    let events = harness.events_by_user(&user("u-anna")).await;
    assert_eq!(events[0].reason, Some(Reason::GrantWithdrawn), "with evidence");
    assert_eq!(harness.stored(id).await, before, "it is held as it was");
    commit(&harness, &reservation).await.expect("the inviter may again");
}

/// A repeated commit returns the same redemption, whatever state the invitation is in by
/// then. Nothing is written.
pub async fn repeated_commit_returns_the_first_result(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (service, any) = (&harness.service, IfVersion::Any);
    let created = harness.create_for_uses(2).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let reservation = harness.reserve(&code, "anna").await;
    let anna = newcomer("anna");
    let first = service.commit(reservation.id(), &anna).await.expect("it is held");
    for state in ["at once", "amended", "revoked", "used", "expired", "deleted"] {
        match state {
            "amended" => {
                let amendment = Amendment::new().with_role(role("manager"));
                service.amend(&admin(), id, amendment, any).await.map(drop).expect("may amend");
            }
            "revoked" => {
                service.revoke(&admin(), id, None, any).await.map(drop).expect("may revoke");
            }
            "used" => {
                service.reinstate(&admin(), id, any).await.expect("may reinstate");
                service.redeem(&code, &newcomer("bob")).await.map(drop).expect("one is left");
            }
            "expired" => harness.clock.advance(time::Duration::days(400)),
            "deleted" => service.delete(&admin(), id, any).await.expect("may delete"),
            _ => {}
        }
        let before = (harness.stored(id).await, harness.events().await);
        let again = service.commit(reservation.id(), &anna).await;
        let again = again.unwrap_or_else(|error| panic!("{state}: {error:?}"));
        assert!(again.is_replayed(), "{state}: it is marked");
        assert_eq!(again.redemption(), first.redemption(), "{state}: the same");
        let after = (harness.stored(id).await, harness.events().await);
        assert_eq!(after, before, "{state}: nothing happens");
    }
}
