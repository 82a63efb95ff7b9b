//! Imports: many rows in one call, each with its own outcome, performed once per key.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Cap, Draft, Duplicates, Error, EventOutcome, Expiry, IfVersion, Import, ImportMode,
    ImportRow, ImportedRow, Limits, QuotaOf, Reason, Refusal, Right, RowOutcome, RowWarning,
};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        imports::{codes, import, outcomes, results, same_results},
        quotas::{cap, quota_exceeded, staff_draft, with_quotas},
        samples::{admin, division, email, key, later, manager, newcomer, role},
    },
};

/// An import creates its valid rows in one batch. Each invalid row is refused for its own
/// reason, with its own event. A rehearsal returns the same outcomes beforehand.
pub async fn valid_rows_are_created_despite_invalid_ones(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let rows = || {
        let drafts = [
            staff_draft(),
            Draft::new().with_role(role("root")),
            staff_draft().expiring(Expiry::InDays(4_000)),
            staff_draft().in_division(division("hr")),
        ];
        let mut rows: Vec<_> = drafts.into_iter().map(ImportRow::Draft).collect();
        rows.push(ImportRow::unreadable("a,b,c"));
        Import::new(rows).with_mode(ImportMode::BestEffort)
    };
    let rehearsed = harness.service.rehearse(&admin(), rows()).await.expect("may create");
    assert_eq!(outcomes(&rehearsed), ["valid", "denied", "invalid", "valid", "unreadable"]);
    let before = harness.snapshot().await;
    assert!(before.0.is_empty() && before.1.is_empty(), "a rehearsal leaves nothing");
    let imported = harness.service.import(&admin(), rows(), None).await.expect("may create");
    assert!(!imported.is_replayed());
    let expected = ["created", "denied", "invalid", "created", "unreadable"];
    assert_eq!(outcomes(imported.rows()), expected);
    for n in [1, 2] {
        let of = |rows: &[ImportedRow]| results(rows)[n].clone();
        assert_eq!(of(&rehearsed), of(imported.rows()), "as it was rehearsed");
    }
    let (rows, events) = harness.snapshot().await;
    assert_eq!(rows.len(), 2);
    assert!(rows[0].batch.is_some() && rows[0].batch == rows[1].batch, "of one batch");
    assert_eq!(imported.batch(), rows[0].batch);
    let of = |outcome| events.iter().filter(|event| event.outcome == outcome).count();
    assert_eq!((of(EventOutcome::Succeeded), of(EventOutcome::Denied)), (2, 1));
    assert!(events.iter().all(|event| event.action == Action::Create));
    for created in imported.created() {
        let shown = harness.shown(created.invitation().id()).await;
        assert_eq!(&shown, created.invitation(), "as it was answered");
    }
}

/// When a quota has too little room, an import creates the first rows that fit and
/// refuses the rest. Rows that count towards another quota are not affected.
pub async fn rows_beyond_a_quota_are_refused(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, Cap::Unlimited, cap(2));
    let hr = || staff_draft().in_division(division("hr"));
    let drafts = [staff_draft(), hr(), staff_draft(), staff_draft(), hr(), staff_draft(), hr()];
    let imported = service.import(&admin(), import(drafts), None).await.expect("may create");
    let expected = ["created", "created", "created", "full", "created", "full", "full"];
    assert_eq!(outcomes(imported.rows()), expected);
    let last = imported.rows().last().map(|row| &row.outcome);
    let Some(RowOutcome::Refused(refused)) = last else { panic!("{last:?}") };
    assert_eq!(refused.refusal(), &quota_exceeded(QuotaOf::Division(division("hr")), 2));
    let (rows, events) = harness.snapshot().await;
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.batch == rows[0].batch), "of one batch all the same");
    let quota = |event: &&invitation_core::Event| event.reason == Some(Reason::QuotaExceeded);
    assert_eq!(events.iter().filter(quota).count(), 3, "an event for each refusal");

    // A row that its division's quota refuses takes no place of the inviter's quota.
    let it = || staff_draft().in_division(division("it"));
    let service = with_quotas(&harness, cap(6), cap(2));
    let drafts = [staff_draft(), hr(), staff_draft(), it(), it(), it()];
    let imported = service.import(&admin(), import(drafts), None).await.expect("may create");
    let expected = ["full", "full", "full", "created", "created", "full"];
    assert_eq!(outcomes(imported.rows()), expected, "four were pending, two of each division");
    let answer = service.import(&admin(), import([it()]), None).await.expect("may create");
    assert_eq!(outcomes(answer.rows()), ["full"]);
    assert_eq!(answer.batch(), None);
}

/// An import needs its right and has a maximum number of rows. Both rules apply to
/// rehearsals too.
pub async fn import_without_its_right_or_with_too_many_rows_fails(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let limits = Limits::default().with_batch(NonZeroU32::MIN.saturating_add(1));
    let service = harness.service.clone().with_limits(limits);
    let forbidden = Refusal::Forbidden { right: Right::Bulk };
    let sales = manager("sales");
    assert_eq!(refusal(service.import(&sales, import([staff_draft()]), None).await), forbidden);
    assert_eq!(refusal(service.rehearse(&sales, import([staff_draft()])).await), forbidden);
    for n in [0, 3] {
        for answer in [
            service.import(&admin(), import(vec![staff_draft(); n]), None).await.map(drop),
            service.rehearse(&admin(), import(vec![staff_draft(); n])).await.map(drop),
        ] {
            assert!(matches!(answer, Err(Error::Invalid(_))), "{n}");
        }
    }
    let (rows, events) = harness.snapshot().await;
    assert!(rows.is_empty());
    assert_eq!(events.len(), 2, "two denials");
}

/// A row is marked if its mailbox is repeated in the import, or has an active invitation
/// to the row's division. The import's settings decide whether it is skipped or created,
/// in both modes and in a rehearsal.
pub async fn duplicate_mailbox_is_skipped_or_created_as_chosen(fixture: Fixture) {
    use RowWarning::{AlreadyInvited, Repeated, WithoutAddress};
    let harness = Harness::new(fixture);
    let to = |address: &str| staff_draft().for_email(email(address));
    let hr = |address: &str| to(address).in_division(division("hr"));
    harness.create(to("Old@example.com")).await;
    let gone = harness.create(to("gone@example.com")).await.invitation().id();
    harness.service.revoke(&admin(), gone, None, IfVersion::Any).await.expect("may revoke");
    let rows = || {
        import([
            to("anna@example.com"),
            to("ANNA@example.com"),
            to("old@EXAMPLE.com"),
            hr("old@example.org"),
            to("gone@example.com"),
            staff_draft(),
            hr("Anna@Example.com"),
        ])
        .expecting_addresses()
    };
    let warnings: [Vec<RowWarning>; 7] = [
        vec![],
        vec![Repeated { first: 0 }],
        vec![AlreadyInvited],
        vec![],
        vec![],
        vec![WithoutAddress],
        vec![Repeated { first: 0 }],
    ];
    let all_rows_are_marked = |rows: &[ImportedRow]| {
        let marked: Vec<_> = rows.iter().map(|row| row.warnings.clone()).collect();
        assert_eq!(marked, warnings);
    };
    let skipped = ["valid", "skipped", "skipped", "valid", "valid", "valid", "skipped"];
    let rehearsed = harness.service.rehearse(&admin(), rows()).await.expect("may create");
    assert_eq!(outcomes(&rehearsed), skipped);
    all_rows_are_marked(&rehearsed);
    let create = || rows().with_duplicates(Duplicates::Create);
    let rehearsed = harness.service.rehearse(&admin(), create()).await.expect("may create");
    assert_eq!(outcomes(&rehearsed), ["valid"; 7]);
    all_rows_are_marked(&rehearsed);
    assert_eq!(harness.snapshot().await.0.len(), 2, "nothing is created yet");

    let atomic = rows().with_mode(ImportMode::AllOrNone);
    let imported = harness.service.import(&admin(), atomic, None).await.expect("may create");
    let expected = skipped.map(|word| if word == "valid" { "created" } else { word });
    assert_eq!(outcomes(imported.rows()), expected, "a skipped row is no failure");
    all_rows_are_marked(imported.rows());
    assert_eq!(harness.snapshot().await.0.len(), 2 + 4);

    let imported = harness.service.import(&admin(), create(), None).await.expect("may create");
    assert_eq!(outcomes(imported.rows()), ["created"; 7], "the caller chose so");
    assert_eq!(imported.rows()[0].warnings, [AlreadyInvited], "by the import before");
    assert_eq!(imported.rows()[1].warnings, [Repeated { first: 0 }, AlreadyInvited]);
    assert_eq!(imported.rows()[6].warnings, [Repeated { first: 0 }], "not in this division");
    let imported = harness.service.import(&admin(), rows(), None).await.expect("may create");
    let now = ["skipped", "skipped", "skipped", "skipped", "skipped", "created", "skipped"];
    assert_eq!(outcomes(imported.rows()), now, "without a key two calls are two");
}

fn mixed(harness: &Harness) -> Import {
    let soon = Expiry::At(later(harness.now(), 3_600_000_000));
    let drafts = [
        staff_draft().for_email(email("anna@example.com")).expiring(soon),
        Draft::new().with_role(role("root")),
        staff_draft().expiring(Expiry::InDays(4_000)),
        staff_draft().for_email(email("Anna@example.com")),
        staff_draft().in_division(division("hr")),
        staff_draft(),
        staff_draft(),
    ];
    let mut rows: Vec<_> = drafts.into_iter().map(ImportRow::Draft).collect();
    rows.push(ImportRow::unreadable("x"));
    Import::new(rows).with_mode(ImportMode::BestEffort).expecting_addresses()
}

/// A repeated import under the same key returns the first result of each row. It does so
/// at any later time, and even if the quotas are full. Nothing is stored or written. The
/// invitations have their current facts and codes.
pub async fn repeated_import_returns_the_first_results(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let asked = mixed(&harness);
    let service = with_quotas(&harness, Cap::Unlimited, cap(2));
    let first = service.import(&admin(), asked.clone(), Some(&key("k"))).await.expect("may create");
    let expected =
        ["created", "denied", "invalid", "skipped", "created", "created", "full", "unreadable"];
    assert_eq!(outcomes(first.rows()), expected);
    let before = harness.snapshot().await;
    assert_eq!((before.0.len(), before.1.len()), (3, 5), "three creations, two refusals");
    for later in ["at once", "after two hours", "when all have expired"] {
        let again = service.import(&admin(), asked.clone(), Some(&key("k"))).await;
        let again = again.unwrap_or_else(|error| panic!("{later}: {error:?}"));
        assert!(again.is_replayed() && same_results(&again, &first), "{later}: {again:?}");
        assert_eq!(harness.snapshot().await, before, "{later}: nothing happens");
        let days = i64::from(later == "after two hours") * 30;
        harness.clock.advance(time::Duration::days(days) + time::Duration::hours(2));
    }
    let id = first.created().next().expect("one").invitation().id();
    service.rotate(&admin(), id, IfVersion::Any).await.map(drop).expect("may rotate");
    let again = service.import(&admin(), asked, Some(&key("k"))).await.expect("a repeat");
    assert_ne!(codes(&again)[0].1, codes(&first)[0].1, "the code of now");
    assert_eq!(codes(&again)[1..], codes(&first)[1..]);
    let redeemed = service.redeem(&codes(&again)[0].1, &newcomer("anna")).await;
    assert!(matches!(redeemed, Err(Error::Refused(_))), "it has expired by now");
}

/// The key of an import that created nothing is remembered for 24 hours; afterwards the
/// import runs again. Within that time it takes no quota, and returns the first results
/// even if there is room by now.
pub async fn key_of_an_import_that_created_nothing_is_kept_for_a_day(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, Cap::Unlimited, cap(1));
    let occupant = harness.create(staff_draft()).await.invitation().id();
    let rows = || import([staff_draft(), Draft::new().with_role(role("root"))]);
    let first = service.import(&admin(), rows(), Some(&key("k"))).await.expect("may create");
    assert_eq!(outcomes(first.rows()), ["full", "denied"]);
    service.delete(&admin(), occupant, IfVersion::Any).await.expect("may delete");
    let before = harness.snapshot().await;
    harness.clock.advance(time::Duration::hours(24) - time::Duration::MICROSECOND);
    let again = service.import(&admin(), rows(), Some(&key("k"))).await.expect("a repeat");
    assert!(again.is_replayed() && same_results(&again, &first));
    assert_eq!(harness.snapshot().await, before, "nothing happens");
    let other = service.import(&admin(), import([staff_draft()]), Some(&key("k"))).await;
    assert_eq!(refusal(other), Refusal::IdempotencyKeyReused);
    harness.clock.advance(time::Duration::MICROSECOND);
    let anew = service.import(&admin(), rows(), Some(&key("k"))).await.expect("may create");
    assert!(!anew.is_replayed());
    assert_eq!(outcomes(anew.rows()), ["created", "denied"], "the key was forgotten");
    harness.clock.advance(time::Duration::days(3));
    let again = service.import(&admin(), rows(), Some(&key("k"))).await.expect("a repeat");
    assert!(again.is_replayed() && same_results(&again, &anew), "this one created something");
}

/// A different import under a used key is refused, for a difference in any field, and
/// nothing is stored. A key belongs to its user.
pub async fn different_import_under_a_used_key_is_refused(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = &harness.service;
    let row = || staff_draft().for_email(email("a@example.com"));
    let unreadable = |text: &str| ImportRow::unreadable(text);
    let with = |last: ImportRow| {
        let rows = vec![ImportRow::Draft(row()), last];
        Import::new(rows).with_mode(ImportMode::BestEffort)
    };
    let first = service.import(&admin(), with(unreadable("x")), Some(&key("k"))).await;
    assert_eq!(outcomes(first.expect("may create").rows()), ["created", "unreadable"]);
    let others = [
        with(unreadable("y")),
        with(unreadable("x")).with_mode(ImportMode::AllOrNone),
        with(unreadable("x")).with_duplicates(Duplicates::Create),
        with(unreadable("x")).expecting_addresses(),
        with(ImportRow::Draft(row())),
        import([row()]),
        Import::new(vec![unreadable("x"), ImportRow::Draft(row())])
            .with_mode(ImportMode::BestEffort),
    ];
    let stored = harness.snapshot().await.0;
    for (n, other) in others.into_iter().enumerate() {
        let is_atomic = n == 1;
        let answer = service.import(&admin(), other, Some(&key("k"))).await;
        if is_atomic {
            assert!(matches!(answer, Err(Error::Invalid(_))), "it has a row that is none");
        } else {
            assert_eq!(refusal(answer), Refusal::IdempotencyKeyReused, "{n}");
        }
    }
    for draft in [row(), staff_draft()] {
        let answer = service.create_once(&admin(), &key("k"), draft.clone()).await;
        assert_eq!(refusal(answer), Refusal::IdempotencyKeyReused, "one under the key of many");
        let answer = service.create_many_once(&admin(), &key("k"), vec![draft]).await;
        assert_eq!(refusal(answer), Refusal::IdempotencyKeyReused, "not an import");
    }
    assert_eq!(harness.snapshot().await.0, stored, "nothing is stored");
    let anybody = invitation_core::SystemActor::for_bootstrap();
    let theirs = row().in_division(division("sales"));
    let answer = service.import(&anybody, import([theirs]), Some(&key("k"))).await;
    assert!(!answer.expect("may create").is_replayed(), "a key is its user's own");
}

/// In all-or-nothing mode, one invalid row fails the whole import. The error names every
/// mistake, and the key stays unused.
pub async fn atomic_import_with_an_invalid_row_creates_nothing(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = with_quotas(&harness, Cap::Unlimited, cap(2));
    let atomic = |drafts: Vec<Draft>| import(drafts).with_mode(ImportMode::AllOrNone);
    let late = || staff_draft().expiring(Expiry::InDays(4_000));
    let root = || Draft::new().with_role(role("root"));
    let ask = async |drafts| service.import(&admin(), atomic(drafts), Some(&key("k"))).await;
    let answer = ask(vec![staff_draft(), late(), root(), late()]).await;
    let Err(Error::Invalid(found)) = answer else { panic!("{answer:?}") };
    let lines: Vec<_> = found.errors().iter().map(invitation_core::FieldError::line).collect();
    assert_eq!(lines, [Some(1), Some(3)]);
    let answer = refusal(ask(vec![staff_draft(), root()]).await);
    assert_eq!(answer, Refusal::UnknownRole { role: role("root") });
    let answer = refusal(ask(vec![staff_draft(), staff_draft(), staff_draft()]).await);
    assert_eq!(answer, quota_exceeded(QuotaOf::Division(division("sales")), 2));
    let (rows, events) = harness.snapshot().await;
    assert!(rows.is_empty(), "all or none");
    assert_eq!(events.len(), 2, "an event for each refusal");
    let imported = ask(vec![staff_draft(), staff_draft()]).await.expect("may create");
    assert!(!imported.is_replayed(), "the key was left free");
    let again = ask(vec![staff_draft(), staff_draft()]).await.expect("a repeat");
    assert!(again.is_replayed() && same_results(&again, &imported));
}
