//! Reserving: a use is held for one person, and then redeemed or released.

use invitation_core::{
    Action, Draft, EventId, EventOutcome, Expiry, Metadata, Reason, Redeemer, Refusal,
    ReservationId, Reserved, Status,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::{Harness, refusal, reserved},
        samples::{division, later, newcomer, role, user},
    },
};

const LEASE: time::Duration = time::Duration::minutes(10);

/// A reservation holds its use for one person, who then commits it. Other people are
/// refused and learn until when it is held. Each step writes one event that names the
/// reservation.
pub async fn reservation_holds_the_use_until_commit(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let metadata = Metadata::new(serde_json::json!({"starts": "2027-01-04"})).expect("metadata");
    let created = harness.create(Draft::new().with_metadata(metadata.clone())).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let until = later(harness.now(), 600_000_000);
    let reservation = harness.reserve(&code, "anna").await;
    assert!(!reservation.is_replayed(), "the first time is not a replay");
    assert_eq!((reservation.id().invitation(), reservation.until()), (id, until));
    let terms = (reservation.role(), reservation.division(), reservation.metadata());
    assert_eq!(terms, (&role("staff"), &division("sales"), Some(&metadata)));
    let stored = harness.stored(id).await;
    assert_eq!((stored.uses, stored.held, stored.version), (0, 1, 1), "held, not used");
    assert_eq!(stored.status(harness.now()), Status::Active, "the status does not tell");

    for (name, asks) in [("bob", false), ("carl", true)] {
        let other = newcomer(name);
        let answer = if asks {
            harness.service.reserve(&code, &other).await.map(drop)
        } else {
            harness.service.redeem(&code, &other).await.map(drop)
        };
        assert_eq!(refusal(answer), Refusal::Reserved { until }, "another user");
        let events = harness.events_by_user(other.user()).await;
        assert_eq!(events.len(), 1, "one refusal each");
        assert_eq!(events[0].reason, Some(Reason::Reserved), "and why");
    }
    harness.clock.advance(time::Duration::MINUTE);
    let anna = newcomer("anna");
    let redeemed = harness.service.commit(reservation.id(), &anna).await.expect("it is held");
    assert!(!redeemed.is_replayed() && redeemed.at() == harness.now(), "redeemed just now");
    assert_eq!((redeemed.invitation(), redeemed.role()), (id, &role("staff")));
    let stored = harness.stored(id).await;
    assert_eq!((stored.uses, stored.held), (1, 0), "used, and not held any more");
    assert_eq!(stored.last_use.as_ref(), Some(redeemed.redemption()), "Used By");

    let events = harness.events_by_user(anna.user()).await;
    let told_of: Vec<_> = events.iter().map(|event| event.detail.get("reservation")).collect();
    let lease = reservation.id().lease().to_string();
    assert_eq!(told_of, [Some(lease.as_str()); 2], "both events name the reservation");
    assert!(events.iter().all(|event| event.invitation == Some(id)), "and the invitation");
    assert!(events.iter().all(|event| event.outcome == EventOutcome::Succeeded), "both are done");
    assert_eq!((events[0].action, events[1].action), (Action::Redeem, Action::Reserve));
    assert_eq!(events[0].id, redeemed.redemption().id, "the redemption's evidence");
    assert_eq!(events[1].id, reservation.id().lease(), "the reservation's");
    assert_eq!(events[1].detail.get("until"), Some(until.to_string().as_str()), "until when");
}

/// A reservation ends no later than the invitation expires.
pub async fn reservation_ends_no_later_than_the_invitation(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().expiring(Expiry::Default)).await;
    let (code, end) = (created.code().reveal(), created.invitation().expires_at());
    harness.clock.set(later(end, -1));
    let reservation = harness.reserve(&code, "anna").await;
    assert_eq!(reservation.until(), end, "until the invitation expires");
    let other = harness.service.redeem(&code, &newcomer("bob")).await;
    assert_eq!(refusal(other), Refusal::Reserved { until: end }, "the last instant");
    harness.clock.set(end);
    let other = harness.service.redeem(&code, &newcomer("bob")).await;
    assert_eq!(refusal(other), Refusal::Expired { at: end }, "then it has expired");
    let late = harness.service.commit(reservation.id(), &newcomer("anna")).await;
    assert_eq!(refusal(late), Refusal::Expired { at: end }, "for who holds it too");
}

/// Reserving again as the same person, under any name, returns the same reservation. No
/// second use is held, and nothing is written.
pub async fn repeated_reserve_returns_the_same_reservation(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for uses in [1, 3] {
        let created = harness.create_for_uses(uses).await;
        let code = created.code().reveal();
        let name = format!("anna{uses}");
        let first = harness.reserve(&code, &name).await;
        for by in [0, 1, 599_999_999 - 1] {
            harness.clock.advance(time::Duration::microseconds(by));
            let before = (harness.stored(created.invitation().id()).await, harness.events().await);
            let anna = newcomer(&name);
            let renamed = Redeemer::new(anna.user().clone(), newcomer("anne").username().clone());
            let typed = code.to_lowercase();
            let again = reserved(harness.service.reserve(&typed, &renamed).await);
            assert!(again.is_replayed(), "of {uses}: it is marked");
            assert_eq!((again.id(), again.until()), (first.id(), first.until()), "of {uses}");
            let after = (harness.stored(created.invitation().id()).await, harness.events().await);
            assert_eq!(after, before, "of {uses}: nothing is held, nothing is written");
        }
    }
}

/// Reserving again after the own reservation has expired renews it for the same use. The
/// id stays; the end and the event are new.
pub async fn reserve_after_own_expiry_renews_the_reservation(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let first = harness.reserve(&code, "anna").await;
    for n in 2..5 {
        harness.clock.advance(LEASE);
        let again = harness.reserve(&code, "anna").await;
        assert!(again.is_replayed(), "{n}: an account may be there from the first time");
        assert_eq!(again.id(), first.id(), "{n}: under the same id");
        assert_eq!(again.until(), later(harness.now(), 600_000_000), "{n}: until another end");
        assert_eq!(harness.stored(id).await.held, 1, "{n}: nothing more is held");
        let events = harness.events_by_user(&user("u-anna")).await;
        assert_eq!(events.len(), n, "{n}: one more event");
        let lease = first.id().lease().to_string();
        let until = again.until().to_string();
        assert_eq!(
            events[0].detail.get("reservation"),
            Some(lease.as_str()),
            "{n}: the reservation"
        );
        assert_eq!(events[0].detail.get("until"), Some(until.as_str()), "{n}: until when");
        assert_eq!(events[0].detail.get("taken_over_from"), None, "{n}: not taken over");
        let other = harness.service.redeem(&code, &newcomer("bob")).await;
        assert_eq!(refusal(other), Refusal::Reserved { until: again.until() }, "{n}: held");
    }
    let redeemed = harness.service.commit(first.id(), &newcomer("anna")).await;
    assert!(redeemed.is_ok(), "with the key of the first time: {redeemed:?}");
}

/// The redeemer of a code gets no reservation of another use, whatever state the code is
/// in. The redeemer's account exists already.
pub async fn reserve_after_redeem_returns_the_redemption(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for uses in [1, 3] {
        let created = harness.create_for_uses(uses).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let anna = newcomer(&format!("anna{uses}"));
        let first = harness.service.redeem(&code, &anna).await.expect("it is active");
        for state in ["at once", "expired"] {
            let before = (harness.stored(id).await, harness.events().await);
            match harness.service.reserve(&code, &anna).await {
                Ok(Reserved::AlreadyRedeemed(redeemed)) => {
                    assert!(redeemed.is_replayed(), "of {uses}, {state}: it is marked");
                    assert_eq!(redeemed.redemption(), first.redemption(), "of {uses}, {state}");
                }
                other => panic!("of {uses}, {state}: {other:?}"),
            }
            let after = (harness.stored(id).await, harness.events().await);
            assert_eq!(after, before, "of {uses}, {state}: nothing happens");
            harness.clock.advance(time::Duration::days(30));
        }
    }
}

/// A released use is free at once, and the release is recorded. Releasing again changes
/// nothing. Releasing after the redemption does not undo it.
pub async fn released_use_is_free_at_once(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let (anna, bob) = (newcomer("anna"), newcomer("bob"));
    let reservation = harness.reserve(&code, "anna").await;
    harness.service.release(reservation.id(), &anna).await.expect("it is anna's");
    let events = harness.events_by_user(anna.user()).await;
    assert_eq!(events.len(), 2, "reserved and released");
    assert_eq!(events[0].action.as_str(), "release", "{events:?}");
    assert_eq!((events[0].outcome, events[0].invitation), (EventOutcome::Succeeded, Some(id)));
    let before = harness.stored(id).await;
    assert_eq!((before.uses, before.held), (0, 0), "it is free");
    harness.service.release(reservation.id(), &anna).await.expect("again is harmless");
    assert_eq!(harness.events_by_user(anna.user()).await, events, "and nothing is written");
    let late = harness.service.commit(reservation.id(), &anna).await;
    assert_eq!(refusal(late), Refusal::ReservationLost, "a released reservation is gone");

    let other = harness.reserve(&code, "bob").await;
    assert_ne!(other.id(), reservation.id(), "another reservation");
    harness.service.release(reservation.id(), &anna).await.expect("it ended long ago");
    assert_eq!(harness.stored(id).await.held, 1, "bob's is not anna's to release");
    harness.service.commit(other.id(), &bob).await.expect("bob's");
    let stored = harness.stored(id).await;
    let late = harness.service.release(other.id(), &bob).await;
    assert_eq!(refusal(late), Refusal::Used, "a redemption is not released");
    assert_eq!(harness.stored(id).await, stored, "it stays");
}

/// A reservation belongs to its redeemer. Another person with its key cannot commit or
/// release it, nor can its redeemer with another key.
pub async fn commit_or_release_by_another_user_is_refused(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create_for_uses(3).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let (of_anna, of_bob) =
        (harness.reserve(&code, "anna").await, harness.reserve(&code, "bob").await);
    let unknown = ReservationId::new(id, EventId::from_bytes([7; 16]));
    for (key, name) in
        [(of_anna.id(), "bob"), (of_bob.id(), "anna"), (of_anna.id(), "carl"), (unknown, "anna")]
    {
        let before = harness.stored(id).await;
        let commit = harness.service.commit(key, &newcomer(name)).await;
        assert_eq!(refusal(commit), Refusal::ReservationLost, "{name} with {key}");
        harness.service.release(key, &newcomer(name)).await.expect("nothing to release");
        assert_eq!(harness.stored(id).await, before, "{name}: nothing has changed");
    }
    for (reservation, name) in [(of_anna, "anna"), (of_bob, "bob")] {
        let redeemed = harness.service.commit(reservation.id(), &newcomer(name)).await;
        assert!(redeemed.is_ok(), "{name}'s own: {redeemed:?}");
    }
    let absent = ReservationId::new(Factory::new().invitation_id(), unknown.lease());
    let commit = harness.service.commit(absent, &newcomer("anna")).await;
    assert_eq!(refusal(commit), Refusal::NotFound, "of no invitation");
    let release = harness.service.release(absent, &newcomer("anna")).await;
    assert_eq!(refusal(release), Refusal::NotFound, "of no invitation");
}

/// A redeemer who holds a use consumes that use, whether the lease is still running or
/// has expired. Leases of other people stay.
pub async fn redeem_consumes_the_own_reservation(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for late in [false, true] {
        let created = harness.create_for_uses(2).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let (anna, bob) = (format!("anna{late}"), format!("bob{late}"));
        let own = harness.reserve(&code, &anna).await;
        let others = harness.reserve(&code, &bob).await;
        if late {
            harness.clock.advance(LEASE);
        }
        let redeemed = harness.service.redeem(&code, &newcomer(&anna)).await.expect("it is held");
        let stored = harness.stored(id).await;
        assert_eq!((stored.uses, stored.held), (1, 1), "late {late}: held for bob only");
        let events = harness.events_by_user(newcomer(&anna).user()).await;
        let lease = own.id().lease().to_string();
        assert_eq!(events[0].detail.get("reservation"), Some(lease.as_str()), "late {late}: which");
        let again = harness.service.commit(own.id(), &newcomer(&anna)).await.expect("a repeat");
        assert!(again.is_replayed() && again.redemption() == redeemed.redemption(), "the same");
        harness.service.commit(others.id(), &newcomer(&bob)).await.expect("bob's is untouched");
    }
}
