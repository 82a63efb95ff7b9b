//! Refused redemptions: for the right reason, with evidence, and without effect.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Binding, Disclosure, Draft, Event, EventOutcome, IfVersion, Inviter, Performer, Reason,
    Record, Redeemer, Refusal, Revocation,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::{Harness, refusal},
        samples::{
            admin, division, domain, email, later, newcomer, newcomer_with_email, role, user,
        },
    },
};

/// An invitation, the refused redeemer, and the expected refusal and reason.
pub(super) struct Case {
    pub(super) row: Record,
    pub(super) redeemer: Redeemer,
    pub(super) refusal: Refusal,
    pub(super) reason: Reason,
}

/// Returns one or more cases for each reason to refuse an issued code, except reservations.
pub(super) fn cases(harness: &Harness, factory: &Factory) -> Vec<Case> {
    let now = harness.now();
    let by_lead = Inviter::User { user: user("u-lead"), role: role("lead"), name: None };
    let bound = |to: Binding| Record { binding: to, ..factory.invitation() };
    let rows = [
        (
            Record {
                uses: 1,
                last_use: Some(factory.redemption("zoe", now)),
                ..factory.invitation()
            },
            Refusal::Used,
            Reason::Used,
        ),
        (
            Record {
                revocation: Some(Revocation { at: now, reason: None }),
                ..factory.invitation()
            },
            Refusal::Revoked,
            Reason::Revoked,
        ),
        (
            Record { expires_at: now, ..factory.invitation() },
            Refusal::Expired { at: now },
            Reason::Expired,
        ),
        (
            Record { deleted_at: Some(now), ..factory.invitation() },
            Refusal::CodeUnknown,
            Reason::Deleted,
        ),
        (
            bound(Binding::Address(email("a@example.com"))),
            Refusal::AddressProofRequired,
            Reason::AddressMissing,
        ),
        (
            bound(Binding::Domain(domain("example.com"))),
            Refusal::AddressProofRequired,
            Reason::AddressMissing,
        ),
        (
            Record { grantor: by_lead, ..factory.invitation() },
            Refusal::GrantWithdrawn,
            Reason::GrantWithdrawn,
        ),
    ];
    let mut cases: Vec<_> = (0..)
        .zip(rows)
        .map(|(n, (row, refusal, reason))| {
            let redeemer = newcomer(&format!("n{n}"));
            Case { row, redeemer, refusal, reason }
        })
        .collect();
    for (n, to, proof) in [
        ("a", Binding::Address(email("a@example.com")), "b@example.com"),
        ("d", Binding::Domain(domain("example.com")), "a@sub.example.com"),
    ] {
        cases.push(Case {
            row: bound(to),
            redeemer: newcomer_with_email(n, proof),
            refusal: Refusal::AddressProofRequired,
            reason: Reason::AddressDiffers,
        });
    }
    cases.push(Case {
        row: Record { division: division("hr"), ..factory.invitation() },
        redeemer: newcomer("abroad").in_division(division("sales")),
        refusal: Refusal::CodeUnknown,
        reason: Reason::OutOfScope,
    });
    cases
}

/// Returns the only event that `redeemer` has caused.
pub(super) async fn only_event(harness: &Harness, redeemer: &Redeemer) -> Event {
    let events = harness.events_by_user(redeemer.user()).await;
    assert_eq!(events.len(), 1, "one refusal leaves one event: {events:?}");
    events.into_iter().next().expect("one event")
}

/// Each reason has its own refusal and its own event, which names the exact reason, the
/// redeemer and the invitation. Nothing else changes.
pub async fn refused_redemption_writes_one_event_and_changes_nothing(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    for Case { row, redeemer, refusal: expected, reason } in cases(&harness, &factory) {
        factory.insert(&*harness.store, std::slice::from_ref(&row)).await;
        let answer = harness.service.redeem(&factory.code_of(&row).reveal(), &redeemer).await;
        assert_eq!(refusal(answer), expected, "{reason}");
        assert_eq!(harness.stored(row.id).await, row, "{reason}: nothing changes");
        let event = only_event(&harness, &redeemer).await;
        assert_eq!((event.action, event.reason), (Action::Redeem, Some(reason)), "{reason}");
        assert_eq!((event.invitation, event.at), (Some(row.id), harness.now()), "{reason}");
        assert_eq!(event.division, Some(row.division), "{reason}: the invitation's own division");
        let by = Performer::Redeemer {
            user: redeemer.user().clone(),
            username: redeemer.username().clone(),
        };
        assert_eq!(event.performer, by, "{reason}: who");
        assert_ne!(event.outcome, EventOutcome::Succeeded, "{reason}");
    }
    let unknown = newcomer("guesser");
    let answer = harness.service.redeem(&factory.code().reveal(), &unknown).await;
    assert_eq!(refusal(answer), Refusal::CodeUnknown, "a code that was never issued");
    let event = only_event(&harness, &unknown).await;
    assert_eq!((event.reason, event.outcome), (Some(Reason::Unknown), EventOutcome::Refused));
    assert_eq!((event.invitation, event.division), (None, None), "nothing is known about it");
}

/// If several reasons apply, the first of this order is given: deleted, used, revoked,
/// expired, address, withdrawn grant. Lists show the same status.
pub async fn first_applicable_reason_is_returned(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let now = harness.now();
    for combination in 0_u32..64 {
        let has = |bit: u32| combination & (1 << bit) != 0;
        let mut row = factory.invitation();
        let order = [
            (Refusal::CodeUnknown, Reason::Deleted),
            (Refusal::Used, Reason::Used),
            (Refusal::Revoked, Reason::Revoked),
            (Refusal::Expired { at: now }, Reason::Expired),
            (Refusal::AddressProofRequired, Reason::AddressMissing),
            (Refusal::GrantWithdrawn, Reason::GrantWithdrawn),
        ];
        row.deleted_at = has(0).then_some(now);
        row.max_uses = NonZeroU32::new(2).expect("not zero");
        row.uses = if has(1) { 2 } else { 1 };
        row.last_use = Some(factory.redemption("zoe", now));
        row.revocation = has(2).then_some(Revocation { at: now, reason: None });
        row.expires_at = if has(3) { now } else { later(now, 1) };
        row.binding =
            if has(4) { Binding::Address(email("a@example.com")) } else { Binding::Anyone };
        let grantor = if has(5) { "lead" } else { "admin" };
        row.grantor = Inviter::User { user: user("u-lead"), role: role(grantor), name: None };
        factory.insert(&*harness.store, std::slice::from_ref(&row)).await;

        let redeemer = newcomer(&format!("n{combination}"));
        let answer = harness.service.redeem(&factory.code_of(&row).reveal(), &redeemer).await;
        let first = (0..).zip(order).find_map(|(bit, case)| has(bit).then_some(case));
        let Some((expected, reason)) = first else {
            assert!(answer.is_ok(), "nothing stands against it: {answer:?}");
            continue;
        };
        assert_eq!(refusal(answer), expected, "combination {combination:#b}");
        let event = only_event(&harness, &redeemer).await;
        assert_eq!(event.reason, Some(reason), "combination {combination:#b}");
        assert_eq!(harness.stored(row.id).await, row, "combination {combination:#b}");
    }
}

/// A refused redemption does not consume the code: an entitled person can redeem it
/// afterwards.
pub async fn refused_redemption_consumes_no_use(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let hr = Draft::new().in_division(division("hr")).for_email(email("anna@example.com"));
    let created = harness.create(hr).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let abroad = newcomer_with_email("abroad", "anna@example.com").in_division(division("sales"));
    let other_case = newcomer_with_email("case", "anna@example.com").in_division(division("HR"));
    for redeemer in [abroad, other_case] {
        let answer = harness.service.redeem(&code, &redeemer).await;
        assert_eq!(refusal(answer), Refusal::CodeUnknown, "in another division");
    }
    let answer = harness.service.redeem(&code, &newcomer("bob")).await;
    assert_eq!(refusal(answer), Refusal::AddressProofRequired, "without the proof");
    harness.service.revoke(&admin(), id, None, IfVersion::Any).await.expect("may revoke");
    let anna = newcomer_with_email("anna", "anna@example.com").in_division(division("hr"));
    assert_eq!(refusal(harness.service.redeem(&code, &anna).await), Refusal::Revoked, "revoked");
    harness.service.reinstate(&admin(), id, IfVersion::Any).await.expect("may reinstate");
    let redeemed = harness.service.redeem(&code, &anna).await.expect("the right person");
    assert!(!redeemed.is_replayed(), "her refusal was no redemption");
}

/// With [`Disclosure::Nothing`] every refusal looks like that of an unknown code. The
/// trail keeps the real reason.
pub async fn refused_redemption_without_disclosure_is_code_unknown(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let service = harness.service.clone().with_disclosure(Disclosure::Nothing);
    for Case { row, redeemer, reason, .. } in cases(&harness, &factory) {
        factory.insert(&*harness.store, std::slice::from_ref(&row)).await;
        let answer = service.redeem(&factory.code_of(&row).reveal(), &redeemer).await;
        assert_eq!(refusal(answer), Refusal::CodeUnknown, "{reason}");
        let event = only_event(&harness, &redeemer).await;
        assert_eq!(event.reason, Some(reason), "the trail says why");
    }
    let answer = service.redeem(&factory.code().reveal(), &newcomer("guesser")).await;
    assert_eq!(refusal(answer), Refusal::CodeUnknown, "as an unknown code");
    let fine = harness.create(Draft::new()).await;
    let redeemed = service.redeem(&fine.code().reveal(), &newcomer("anna")).await;
    assert!(redeemed.is_ok(), "a valid code is valid: {redeemed:?}");
}
