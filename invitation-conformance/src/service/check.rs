//! `check` returns what redeeming a code requires. It changes no invitation, and only a refusal
//! writes an event.

use invitation_core::{Action, Checked, Disclosure, Draft, Reason, Refusal};

use super::refusal::{Case, cases, only_event};
use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::{Harness, refusal},
        samples::{domain, email, newcomer, newcomer_with_email},
    },
};

/// For a redeemable code, `check` returns whether the redeemer still has to prove an address,
/// and which one. The call writes no event and changes nothing.
pub async fn check_of_a_redeemable_code_names_the_needed_proof(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let anyone = harness.create(Draft::new()).await;
    let address = harness.create(Draft::new().for_email(email("Anna@example.com"))).await;
    let of_domain = harness.create(Draft::new().for_domain(domain("example.com"))).await;
    let before = harness.snapshot().await;

    let (anna, other) = (email("anna@EXAMPLE.com"), email("anna@elsewhere.com"));
    let with_proof = newcomer_with_email("anna", "anna@example.com");
    // The proof goes to the address as the inviter spelled it, not as the newcomer did.
    let stored = Checked::ProofOf(email("Anna@example.com"));
    for (created, redeemer, claimed, expected) in [
        (&anyone, newcomer("anna"), None, Checked::Redeemable),
        (&anyone, newcomer("anna"), Some(&other), Checked::Redeemable),
        (&address, newcomer("anna"), Some(&anna), stored),
        (&of_domain, newcomer("anna"), Some(&anna), Checked::ProofOf(anna.clone())),
        // A proved address needs no further proof, whatever address is claimed.
        (&address, with_proof.clone(), None, Checked::Redeemable),
        (&of_domain, with_proof, Some(&other), Checked::Redeemable),
    ] {
        let code = created.code().reveal();
        let checked = harness.service.check(&code, &redeemer, claimed).await;
        assert_eq!(checked.expect("it can be redeemed"), expected, "claiming {claimed:?}");
    }
    assert_eq!(harness.snapshot().await, before, "no event and no change");

    // `check` ignores reservations: this one may have ended before the newcomer redeems.
    let held = harness.reserve(&anyone.code().reveal(), "ben").await;
    let checked = harness.service.check(&anyone.code().reveal(), &newcomer("anna"), None).await;
    assert_eq!(checked.expect("a reserved use is no reason to refuse"), Checked::Redeemable);
    assert_eq!(harness.stored(held.id().invitation()).await.held, 1, "the reservation stays");
}

/// `check` refuses what redeeming would refuse, for the same reason and with the same
/// event. It also refuses a claimed address that the invitation is not bound to.
pub async fn check_refuses_for_the_reason_of_redeem(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    for Case { row, redeemer, refusal: expected, reason } in cases(&harness, &factory) {
        factory.insert(&*harness.store, std::slice::from_ref(&row)).await;
        let code = factory.code_of(&row).reveal();
        let answer = harness.service.check(&code, &redeemer, None).await;
        assert_eq!(refusal(answer), expected, "{reason}");
        assert_eq!(harness.stored(row.id).await, row, "{reason}: nothing changes");
        let event = only_event(&harness, &redeemer).await;
        assert_eq!((event.action, event.reason), (Action::Redeem, Some(reason)), "{reason}");
        assert_eq!(event.invitation, Some(row.id), "{reason}: the event names the invitation");
    }
    let guesser = newcomer("guesser");
    let answer = harness.service.check(&factory.code().reveal(), &guesser, None).await;
    assert_eq!(refusal(answer), Refusal::CodeUnknown);
    assert_eq!(only_event(&harness, &guesser).await.reason, Some(Reason::Unknown));

    let (id, code) = {
        let bound = harness.create(Draft::new().for_email(email("anna@example.com"))).await;
        (bound.invitation().id(), bound.code().reveal())
    };
    let (eve, other) = (newcomer("eve"), email("eve@example.com"));
    let answer = harness.service.check(&code, &eve, Some(&other)).await;
    assert_eq!(refusal(answer), Refusal::AddressProofRequired, "eve claims another address");
    let event = only_event(&harness, &eve).await;
    assert_eq!((event.invitation, event.reason), (Some(id), Some(Reason::AddressDiffers)));

    let quiet = harness.service.clone().with_disclosure(Disclosure::Nothing);
    let answer = quiet.check(&code, &newcomer("mallory"), Some(&other)).await;
    assert_eq!(refusal(answer), Refusal::CodeUnknown, "without disclosure");
}

/// `check` recognises a user who has redeemed the code, even if the code has no uses left. For
/// every other user such a code is used.
pub async fn check_by_the_redeemer_recognises_the_redemption(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for uses in [1, 2] {
        let code = harness.create_for_uses(uses).await.code().reveal();
        let names: Vec<_> = (0..uses).map(|n| format!("n{uses}-{n}")).collect();
        for name in &names {
            harness.service.redeem(&code, &newcomer(name)).await.expect("a use is left");
        }
        for name in &names {
            match harness.service.check(&code, &newcomer(name), None).await {
                Ok(Checked::AlreadyRedeemed(before)) => {
                    assert_eq!(before.username().as_str(), name);
                    assert!(before.is_replayed(), "it is not a new redemption");
                }
                other => panic!("{name} has redeemed the code: {other:?}"),
            }
        }
        let other = harness.service.check(&code, &newcomer("another"), None).await;
        assert_eq!(refusal(other), Refusal::Used, "another user");
    }
}

/// A code may be looked at as often as a link is fetched: nothing changes, and no event is written.
pub async fn thousand_checks_change_nothing(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let bound = harness.create(Draft::new().for_email(email("anna@example.com"))).await;
    let several = harness.create_for_uses(2).await;
    let before = harness.snapshot().await;
    let claimed = email("anna@example.com");
    for _ in 0..500 {
        for (created, claimed) in [(&bound, Some(&claimed)), (&several, None)] {
            let code = created.code().reveal();
            let checked = harness.service.check(&code, &newcomer("anna"), claimed).await;
            checked.expect("it can be redeemed");
        }
    }
    assert_eq!(harness.snapshot().await, before, "no event and no change");
    let anna = newcomer_with_email("anna", "anna@example.com");
    harness.service.redeem(&bound.code().reveal(), &anna).await.expect("it is unused");
}
