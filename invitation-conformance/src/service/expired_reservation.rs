//! Expired reservations: they stay valid until another user needs the use.

use invitation_core::{Amendment, Draft, Expiry, IfVersion, Refusal};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal, reserved},
        samples::{admin, later, newcomer},
    },
};

const LEASE: time::Duration = time::Duration::minutes(10);

/// From the very instant of its end, a reservation's use can be taken over by the next
/// user who needs it. This happens in one step, whose event names the ended reservation.
pub async fn expired_reservation_is_taken_over_on_demand(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for reserves in [false, true] {
        let created = harness.create(Draft::new()).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let vanished = harness.reserve(&code, "vanished").await;
        let taker = newcomer(&format!("taker{reserves}"));
        let take = async || {
            if reserves {
                harness.service.reserve(&code, &taker).await.map(drop)
            } else {
                harness.service.redeem(&code, &taker).await.map(drop)
            }
        };
        harness.clock.set(later(vanished.until(), -1));
        let early = refusal(take().await);
        assert_eq!(early, Refusal::Reserved { until: vanished.until() }, "one µs too early");
        harness.clock.set(vanished.until());
        take().await.expect("the use is free for who needs it");
        let stored = harness.stored(id).await;
        let expected = if reserves { (0, 1) } else { (1, 0) };
        assert_eq!((stored.uses, stored.held), expected, "reserves {reserves}: one in one out");
        let events = harness.events_by_user(taker.user()).await;
        assert_eq!(events.len(), 2, "a refusal and one success");
        let ended = vanished.id().lease().to_string();
        assert_eq!(events[0].detail.get("taken_over_from"), Some(ended.as_str()), "in whose place");
        let late = harness.service.commit(vanished.id(), &newcomer("vanished")).await;
        assert_eq!(refusal(late), Refusal::ReservationLost, "reserves {reserves}: the fence");
    }
}

/// Among several expired reservations, the one that expired first is taken over first.
/// While a use is free, no reservation is taken over.
pub async fn earliest_expired_reservation_is_taken_over_first(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create_for_uses(4).await;
    let code = created.code().reveal();
    let mut own = Vec::new();
    for name in ["anna", "bob", "carl"] {
        own.push((name, harness.reserve(&code, name).await));
        harness.clock.advance(time::Duration::SECOND);
    }
    harness.clock.advance(LEASE);
    // Anna's reservation is renewed, so bob's is now the first to have expired.
    let renewed = harness.reserve(&code, "anna").await;
    harness.service.redeem(&code, &newcomer("free")).await.expect("one is free");
    let events = harness.events_by_user(newcomer("free").user()).await;
    assert_eq!(
        events[0].detail.get("taken_over_from"),
        None,
        "a free use is taken over from no lease"
    );
    for (n, gone) in [(0, &own[1]), (1, &own[2])] {
        let taker = newcomer(&format!("taker{n}"));
        harness.service.redeem(&code, &taker).await.expect("one has expired");
        let events = harness.events_by_user(taker.user()).await;
        let ended = gone.1.id().lease().to_string();
        assert_eq!(events[0].detail.get("taken_over_from"), Some(ended.as_str()), "{}'s", gone.0);
    }
    let late = harness.service.redeem(&code, &newcomer("late")).await;
    assert_eq!(refusal(late), Refusal::Reserved { until: renewed.until() }, "anna's still holds");
    harness.service.commit(renewed.id(), &newcomer("anna")).await.expect("anna's own");
}

/// An expired reservation can be committed as long as its use was not taken over and the
/// invitation has not expired.
pub async fn late_commit_succeeds_unless_taken_over(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create_for_uses(2).await;
    let code = created.code().reveal();
    let reservation = harness.reserve(&code, "anna").await;
    harness.clock.advance(time::Duration::days(3));
    harness.service.redeem(&code, &newcomer("bob")).await.expect("another use is free");
    let redeemed = harness.service.commit(reservation.id(), &newcomer("anna")).await;
    assert!(redeemed.is_ok_and(|redeemed| !redeemed.is_replayed()), "three days late");

    let created = harness.create(Draft::new().expiring(Expiry::Default)).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let reservation = harness.reserve(&code, "anna").await;
    let end = created.invitation().expires_at();
    harness.clock.set(end);
    let late = harness.service.commit(reservation.id(), &newcomer("anna")).await;
    assert_eq!(refusal(late), Refusal::Expired { at: end }, "after the expiry");
    let extension = Amendment::new().expiring(Expiry::InDays(1));
    harness.service.amend(&admin(), id, extension, IfVersion::Any).await.expect("may extend");
    let redeemed = harness.service.commit(reservation.id(), &newcomer("anna")).await;
    assert!(redeemed.is_ok(), "extended, and not taken over in the meantime: {redeemed:?}");
}

/// A reservation that was taken over stays lost, even after the new holder has released
/// the use. The same person can reserve again under a new id; the old key stays lost.
pub async fn taken_over_reservation_stays_lost(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let (anna, bob) = (newcomer("anna"), newcomer("bob"));
    let first = harness.reserve(&code, "anna").await;
    harness.clock.advance(LEASE);
    let others = harness.reserve(&code, "bob").await;
    assert_ne!(others.id(), first.id(), "another reservation has another key");
    let lost = async |state: &str| {
        let late = harness.service.commit(first.id(), &anna).await;
        assert_eq!(refusal(late), Refusal::ReservationLost, "{state}");
    };
    lost("bob holds it").await;
    let held = harness.service.reserve(&code, &anna).await;
    assert_eq!(refusal(held), Refusal::Reserved { until: others.until() }, "anna is too late");
    harness.service.release(others.id(), &bob).await.expect("bob's own");
    lost("bob has given it back").await;
    let second = reserved(harness.service.reserve(&code, &anna).await);
    assert!(!second.is_replayed() && second.id() != first.id(), "a new one");
    lost("anna has a new one").await;
    harness.service.release(first.id(), &anna).await.expect("nothing to release");
    assert_eq!(harness.stored(id).await.held, 1, "the new one is not the old one");
    let done = harness.service.commit(second.id(), &anna).await.expect("the new one is anna's");
    assert_eq!(done.reservation(), Some(second.id()), "it says by which");
    // The account that was created under the old key is one too many.
    lost("anna is in by the new one").await;
    harness.service.release(first.id(), &anna).await.expect("nothing to release");
    let again = harness.service.commit(second.id(), &anna).await.expect("a repeat");
    assert!(again.is_replayed(), "the same one again");
    let taken = harness.service.release(second.id(), &anna).await;
    assert_eq!(refusal(taken), Refusal::Used, "a committed use is not released");
}
