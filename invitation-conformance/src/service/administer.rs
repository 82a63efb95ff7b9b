//! Changes that administrators can make, and changes that are refused.

use invitation_core::{
    Action, Amendment, Binding, Criteria, Draft, Error, EventCriteria, EventOutcome, Expiry,
    IfVersion, Invitation, Limits, Paging, Reason, Record, Refusal, Revocation, Status,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::{Harness, refusal},
        samples::{admin, domain, email, later, newcomer, newcomer_with_email, role},
    },
};

const ANY: IfVersion = IfVersion::Any;

/// The change that an amendment is expected to make to the invitation.
type Change = fn(&mut Record);

/// An amendment changes the fields that it names and increments the version. All other
/// fields stay, above all the code.
pub async fn amendment_changes_only_the_named_fields(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().for_email(email("a@example.com"))).await;
    let id = created.invitation().id();
    let until = later(harness.now(), 86_400_000_001);
    let mut expected = harness.stored(id).await;
    let steps: [(Amendment, Change); 6] = [
        (Amendment::new().for_email(email("B@Example.org")), |row| {
            row.binding = Binding::Address(email("B@Example.org"));
        }),
        (Amendment::new().for_domain(domain("example.org")), |row| {
            row.binding = Binding::Domain(domain("example.org"));
        }),
        (Amendment::new().for_anyone(), |row| row.binding = Binding::Anyone),
        (Amendment::new().with_role(role("manager")), |row| row.role = role("manager")),
        (Amendment::new().expiring(Expiry::At(until)), |row| {
            row.expires_at = later(row.created_at, 86_400_000_001);
        }),
        (Amendment::new().with_role(role("staff")).for_email(email("c@example.org")), |row| {
            row.role = role("staff");
            row.binding = Binding::Address(email("c@example.org"));
        }),
    ];
    for (n, (amendment, change)) in steps.into_iter().enumerate() {
        change(&mut expected);
        expected.version += 1;
        let amended = harness.service.amend(&admin(), id, amendment, ANY).await.expect("may amend");
        assert_eq!(amended, Invitation::from(expected.clone()), "step {n}: the answer");
        assert_eq!(harness.stored(id).await, expected, "step {n}: what is stored");
        let events = harness.events_of_invitation(id).await;
        assert_eq!(events.len(), n + 2, "step {n}: one event each");
        assert_eq!(events[0].action, Action::Amend, "step {n}");
    }
    let redeemed = harness
        .service
        .redeem(&created.code().reveal(), &newcomer_with_email("c", "c@example.org"))
        .await;
    assert!(redeemed.is_ok(), "the code is the same: {redeemed:?}");
}

/// An amendment that names no field or breaks a limit fails with a validation error. It
/// changes nothing and writes no event.
pub async fn amendment_outside_the_limits_is_invalid(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let id = created.invitation().id();
    let before = harness.snapshot().await;
    for amendment in [
        Amendment::new(),
        Amendment::new().expiring(Expiry::InDays(0)),
        Amendment::new().expiring(Expiry::InDays(366)),
        Amendment::new().expiring(Expiry::At(harness.now())),
    ] {
        let answer = harness.service.amend(&admin(), id, amendment.clone(), ANY).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{amendment:?}: {answer:?}");
    }
    let long = "x".repeat(Limits::MAX_REASON + 1);
    for reason in [long.as_str(), "\0", "a\u{1b}b", "a\u{202e}b", "\u{200b}"] {
        let answer = harness.service.revoke(&admin(), id, Some(reason), ANY).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{reason:?}: {answer:?}");
    }
    assert_eq!(harness.snapshot().await, before, "no effect, no evidence");
}

/// A later expiry makes an expired, unused invitation active again, with the same code.
pub async fn extended_expired_invitation_is_active(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().expiring(Expiry::InDays(1))).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    harness.clock.advance(time::Duration::days(30));
    let answer = harness.service.redeem(&code, &newcomer("anna")).await;
    let expired = Refusal::Expired { at: created.invitation().expires_at() };
    assert_eq!(refusal(answer), expired, "a day was all");
    let seen = harness.service.get(&admin(), id).await.expect("may look");
    assert_eq!(seen.status(), Status::Expired);
    let amendment = Amendment::new().expiring(Expiry::InDays(2));
    harness.service.amend(&admin(), id, amendment, ANY).await.expect("may extend");
    let seen = harness.service.get(&admin(), id).await.expect("may look");
    assert_eq!(seen.status(), Status::Active);
    let redeemed = harness.service.redeem(&code, &newcomer("anna")).await;
    assert!(redeemed.is_ok(), "the same code: {redeemed:?}");
}

/// Some states allow only few changes:
///
/// - A used invitation cannot be amended, rotated, revoked or reinstated.
/// - A revoked invitation can only be reinstated or deleted.
/// - An invitation that is not revoked cannot be reinstated.
///
/// Each refusal writes one event and changes nothing.
pub async fn change_that_the_state_forbids_is_refused(fixture: Fixture) {
    let (harness, factory) = (Harness::new(fixture), Factory::new());
    let now = harness.now();
    let used =
        Record { uses: 1, last_use: Some(factory.redemption("zoe", now)), ..factory.invitation() };
    let revocation = Some(Revocation { at: now, reason: None });
    let revoked = Record { revocation: revocation.clone(), ..factory.invitation() };
    let both = Record { revocation, ..used.clone() };
    let both = Record { id: factory.invitation_id(), digest: factory.invitation().digest, ..both };
    let both = Record { last_use: Some(factory.redemption("zoe", now)), ..both };
    let active = factory.invitation();
    let gone = Record { deleted_at: Some(now), ..factory.invitation() };
    let table = [
        (&used, [Some(Reason::Used), Some(Reason::Used), Some(Reason::Used), Some(Reason::Used)]),
        (&revoked, [Some(Reason::Revoked), Some(Reason::Revoked), Some(Reason::Revoked), None]),
        (&both, [Some(Reason::Used), Some(Reason::Used), Some(Reason::Used), Some(Reason::Used)]),
        (&active, [None, None, None, Some(Reason::NotRevoked)]),
        (&gone, [Some(Reason::Deleted); 4]),
    ];
    for (row, reasons) in table {
        factory.insert(&*harness.store, std::slice::from_ref(row)).await;
        for (n, reason) in reasons.into_iter().enumerate() {
            let Some(reason) = reason else { continue };
            let (service, id) = (&harness.service, row.id);
            let extend = Amendment::new().expiring(Expiry::InDays(2));
            let events = harness.events_of_invitation(id).await.len();
            let answer = match n {
                0 => service.amend(&admin(), id, extend, ANY).await.map(drop),
                1 => service.rotate(&admin(), id, ANY).await.map(drop),
                2 => service.revoke(&admin(), id, None, ANY).await.map(drop),
                _ => service.reinstate(&admin(), id, ANY).await.map(drop),
            };
            let expected = match reason {
                Reason::Used => Refusal::Used,
                Reason::Revoked => Refusal::Revoked,
                Reason::NotRevoked => Refusal::NotRevoked,
                _ => Refusal::NotFound,
            };
            assert_eq!(refusal(answer), expected, "change {n} of one that is {reason}");
            assert_eq!(harness.stored(id).await, *row, "change {n}, {reason}: nothing changed");
            let after = harness.events_of_invitation(id).await;
            assert_eq!(after.len(), events + 1, "change {n}, {reason}: one event");
            let refused = after.iter().filter(|event| event.reason == Some(reason));
            assert!(refused.count() > 0, "change {n}: the event says {reason}: {after:?}");
        }
    }
}

/// Rotating replaces the code at once: the old code is unknown from then on.
pub async fn old_code_after_rotation_is_unknown(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let id = created.invitation().id();
    let mut codes = vec![created.code().reveal()];
    for version in 2..5 {
        let rotated = harness.service.rotate(&admin(), id, ANY).await.expect("may rotate");
        assert_eq!(rotated.invitation().version(), version, "a change of terms");
        assert_eq!(rotated.invitation(), &harness.shown(id).await, "the answer");
        codes.push(rotated.code().reveal());
    }
    let last = codes.pop().expect("a code");
    for (n, code) in codes.iter().enumerate() {
        let answer = harness.service.redeem(code, &newcomer("anna")).await;
        assert_eq!(refusal(answer), Refusal::CodeUnknown, "old code {n}");
    }
    let copied = harness.service.copy(&admin(), id).await.expect("may copy");
    assert!(copied.reveal() == last, "the shown code is the new one");
    assert!(harness.service.redeem(&last, &newcomer("anna")).await.is_ok(), "the new code");
}

/// Reinstating undoes a revocation. The code is refused in between; afterwards its status
/// depends on the clock again.
pub async fn reinstated_invitation_is_redeemable(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().expiring(Expiry::InDays(1))).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    // The line breaks of every system are the same.
    let (given, reason) =
        ("left before\r\n\"the start\"\rof\nit", "left before\n\"the start\"\nof\nit");
    let revoked = harness.service.revoke(&admin(), id, Some(given), ANY).await.expect("may revoke");
    let expected = Revocation { at: harness.now(), reason: Some(reason.to_owned()) };
    assert_eq!(revoked.revocation(), Some(&expected), "when and why");
    assert_eq!(harness.shown(id).await, revoked, "the answer");
    let seen = harness.service.get(&admin(), id).await.expect("may look");
    assert_eq!(seen.status(), Status::Revoked, "the fourth state");
    let answer = harness.service.redeem(&code, &newcomer("anna")).await;
    assert_eq!(refusal(answer), Refusal::Revoked);
    let back = harness.service.reinstate(&admin(), id, ANY).await.expect("may reinstate");
    assert_eq!((back.revocation(), back.version()), (None, 3), "two changes of terms");
    let seen = harness.service.get(&admin(), id).await.expect("may look");
    assert_eq!(seen.status(), Status::Active);
    let again = harness.service.revoke(&admin(), id, Some(" \n"), ANY).await;
    let revocation = again.expect("may revoke again").revocation().cloned();
    assert_eq!(revocation, Some(Revocation { at: harness.now(), reason: None }), "a blank reason");
    harness.clock.advance(time::Duration::days(2));
    harness.service.reinstate(&admin(), id, ANY).await.expect("may reinstate an expired one");
    let answer = harness.service.redeem(&code, &newcomer("anna")).await;
    assert!(matches!(refusal(answer), Refusal::Expired { .. }), "what the clock says");
}

/// A deleted invitation is absent from lists, counts, searches and look-ups, and accepts
/// no change. Its code stays unknown for ever. Its events stay.
pub async fn deleted_invitation_is_unknown_to_everyone(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().for_email(email("anna@example.com"))).await;
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let service = &harness.service;
    service.delete(&admin(), id, ANY).await.expect("may delete");
    assert!(harness.stored(id).await.deleted_at.is_some(), "what remains is a tombstone");
    for criteria in [
        Criteria::new(),
        Criteria::new().with_status(Status::Active),
        Criteria::new().matching("anna"),
        Criteria::new().matching(&code[..4]),
    ] {
        let page = service.list(&admin(), &criteria, Paging::default()).await.expect("may list");
        assert!(page.items().is_empty(), "not in a list: {criteria:?}");
        let counts = service.counts(&admin(), &criteria).await.expect("may count");
        assert_eq!(counts.of(Status::Active), 0, "{criteria:?}");
    }
    let anna = newcomer_with_email("anna", "anna@example.com");
    assert_eq!(refusal(service.redeem(&code, &anna).await), Refusal::CodeUnknown);
    assert_eq!(refusal(service.get(&admin(), id).await), Refusal::NotFound);
    assert_eq!(refusal(service.copy(&admin(), id).await), Refusal::NotFound);
    assert_eq!(refusal(service.delete(&admin(), id, ANY).await), Refusal::NotFound);
    let criteria = EventCriteria::new().about(id).with_outcome(EventOutcome::Succeeded);
    let page = service.events(&admin(), &criteria, Paging::default()).await.expect("may read");
    let actions: Vec<_> = page.items().iter().map(|event| event.action).collect();
    assert!(actions.contains(&Action::Create) && actions.contains(&Action::Delete), "{actions:?}");
}
