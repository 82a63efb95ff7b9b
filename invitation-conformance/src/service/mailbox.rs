//! One mailbox redeems a code for a domain once, whatever user id it comes with.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Amendment, Checked, Draft, Error, IfVersion, Reason, Redeemer, Refusal,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal, reserved},
        samples::{admin, domain, email, newcomer, newcomer_with_email, role},
    },
};

/// The default length of a lease.
const LEASE: time::Duration = time::Duration::minutes(10);
const ANNA: &str = "anna@example.com";

/// Creates a code for `example.com` with several uses, and returns it.
async fn code_for_domain(harness: &Harness, uses: u32) -> (invitation_core::InvitationId, String) {
    let uses = NonZeroU32::new(uses).expect("at least one use");
    let draft = Draft::new().for_domain(domain("example.com")).for_uses(uses);
    let created = harness.create(draft).await;
    (created.invitation().id(), created.code().reveal().to_string())
}

/// Checks that the code is refused as used, with its exact reason in the audit trail.
async fn assert_mailbox_used(harness: &Harness, code: &str, who: &Redeemer, what: &str) {
    for action in [Action::Redeem, Action::Reserve] {
        let refused = match action {
            Action::Redeem => harness.service.redeem(code, who).await.map(drop),
            _ => harness.service.reserve(code, who).await.map(drop),
        };
        assert_eq!(refusal(refused), Refusal::Used, "{what}: {action:?}");
        let events = harness.events_by_user(who.user()).await;
        let event = events.iter().find(|event| event.action == action).expect("its evidence");
        assert_eq!(event.reason, Some(Reason::MailboxUsed), "{what}: {action:?}");
    }
}

/// A second user with the same proved address gets *used*. The first user's repeated call stays
/// a repetition, whatever address it proves. Other addresses of the domain are not affected.
pub async fn second_user_with_the_same_mailbox_is_refused_as_used(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (id, code) = code_for_domain(&harness, 9).await;
    let anna = newcomer_with_email("anna", ANNA);
    let first = harness.service.redeem(&code, &anna).await.expect("the first with it");
    for (name, address) in [("twin", ANNA), ("shout", "ANNA@EXAMPLE.COM")] {
        let who = newcomer_with_email(name, address);
        assert_mailbox_used(&harness, &code, &who, address).await;
    }
    assert_eq!(harness.stored(id).await.uses, 1, "a refusal consumes no use");
    for address in [ANNA, "other@example.com"] {
        let again = harness.service.redeem(&code, &newcomer_with_email("anna", address)).await;
        let again = again.expect("anna has redeemed it");
        assert!(again.is_replayed() && again.redemption() == first.redemption(), "{address}");
    }
    for (name, address) in [("ben", "ben@example.com"), ("tag", "anna+1@example.com")] {
        let other = harness.service.redeem(&code, &newcomer_with_email(name, address)).await;
        assert!(other.is_ok(), "{address} is another mailbox: {other:?}");
    }
}

/// A reservation has its mailbox to itself, so its commit succeeds. Once it has expired, another
/// user with the same address takes its use over, although other uses are free.
pub async fn reserved_mailbox_is_used_until_the_reservation_expires(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for (round, late) in [false, true].into_iter().enumerate() {
        let (id, code) = code_for_domain(&harness, 9).await;
        let anna = newcomer_with_email(&format!("anna{round}"), ANNA);
        let twin = newcomer_with_email(&format!("twin{round}"), ANNA);
        let first = reserved(harness.service.reserve(&code, &anna).await);
        assert_mailbox_used(&harness, &code, &twin, "while it is reserved").await;
        if !late {
            let commit = harness.service.commit(first.id(), &newcomer("anna0")).await;
            assert!(commit.is_ok(), "a commit needs no proof: {commit:?}");
            assert_mailbox_used(&harness, &code, &twin, "after the commit").await;
            continue;
        }
        harness.clock.advance(LEASE);
        let second = reserved(harness.service.reserve(&code, &twin).await);
        assert_eq!(harness.stored(id).await.held, 1, "the expired use was taken over");
        let lost = harness.service.commit(first.id(), &anna).await;
        assert_eq!(refusal(lost), Refusal::ReservationLost, "by its former holder");
        assert_mailbox_used(&harness, &code, &anna, "twin has it now").await;
        harness.clock.advance(LEASE);
        let redeemed = harness.service.redeem(&code, &anna).await.expect("twin's has expired");
        assert!(!redeemed.is_replayed(), "a first use");
        let lost = harness.service.commit(second.id(), &twin).await;
        assert_eq!(refusal(lost), Refusal::ReservationLost, "anna took it back");
        let stored = harness.stored(id).await;
        assert_eq!((stored.uses, stored.held), (1, 0), "one mailbox, one use");
    }
}

/// A released reservation frees its mailbox.
pub async fn released_mailbox_is_free_at_once(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (_, code) = code_for_domain(&harness, 2).await;
    let anna = newcomer_with_email("anna", ANNA);
    let reservation = reserved(harness.service.reserve(&code, &anna).await);
    harness.service.release(reservation.id(), &anna).await.expect("it is anna's");
    let redeemed = harness.service.redeem(&code, &newcomer_with_email("twin", ANNA)).await;
    assert!(redeemed.is_ok(), "no use has the mailbox: {redeemed:?}");
}

/// `check` ignores the mailbox, because the address is not proved yet when a host asks.
pub async fn check_ignores_the_mailbox(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (_, code) = code_for_domain(&harness, 3).await;
    let anna = newcomer_with_email("anna", ANNA);
    harness.service.redeem(&code, &anna).await.expect("the first with it");
    let claimed = email(ANNA);
    let checked = harness.service.check(&code, &newcomer("twin"), Some(&claimed)).await;
    assert_eq!(checked.expect("a proof is missing"), Checked::ProofOf(claimed));
}

/// An invitation for an address has one use. More are invalid at creation, in bulk and in an
/// amendment; the error names the field, and nothing is stored.
pub async fn invitation_for_an_address_with_several_uses_is_invalid(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (id, _) = code_for_domain(&harness, 2).await;
    let before = harness.snapshot().await;
    let two = NonZeroU32::MIN.saturating_add(1);
    let draft = Draft::new().with_role(role("staff")).for_email(email(ANNA)).for_uses(two);
    let fields = |error: Error| match error {
        Error::Invalid(invalid) => {
            let errors = invalid.errors().iter();
            errors.map(|error| (error.line(), error.field())).collect::<Vec<_>>()
        }
        other => panic!("invalid, not {other:?}"),
    };
    let created = harness.service.create(&admin(), draft.clone()).await;
    assert_eq!(created.map_err(fields).err(), Some(vec![(None, "max_uses")]), "create");
    let one = draft.clone().for_uses(NonZeroU32::MIN);
    let bulk = harness.service.create_many(&admin(), vec![one.clone(), draft]).await;
    assert_eq!(bulk.map_err(fields).err(), Some(vec![(Some(1), "max_uses")]), "bulk");
    let amendment = Amendment::new().for_email(email(ANNA));
    let amended = harness.service.amend(&admin(), id, amendment.clone(), IfVersion::Any).await;
    assert_eq!(amended.map_err(fields).err(), Some(vec![(None, "email")]), "amend");
    assert_eq!(harness.snapshot().await, before, "no effect, no evidence");

    harness.service.delete(&admin(), id, IfVersion::Any).await.expect("may delete");
    let gone = harness.service.amend(&admin(), id, amendment, IfVersion::Any).await;
    assert_eq!(refusal(gone), Refusal::NotFound, "a deleted invitation discloses nothing");
    assert!(harness.service.create(&admin(), one).await.is_ok(), "one use");
}
