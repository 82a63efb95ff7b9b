//! Each guard condition has the same verdict on every store.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Binding, Facts, IfVersion, Inviter, Outcome, Policy, Record, Revocation, Role, RolePair, Store,
    Transition, decide::Command,
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        samples::{
            division, domain, email, later, newcomer, newcomer_with_email, role, start, user,
        },
    },
};

/// One row of a truth table: an invitation, a transition, and whether the transition is
/// applied.
struct Case {
    what: String,
    row: Record,
    transition: Transition,
    holds: bool,
}

impl Case {
    fn new(what: impl Into<String>, row: Record, transition: Transition, holds: bool) -> Self {
        Self { what: what.into(), row, transition, holds }
    }
}

/// Stores all rows, then compares the store's verdicts with the table and with the
/// specification.
async fn compare(store: &dyn Store, factory: &Factory, cases: Vec<Case>) {
    let rows: Vec<_> = cases.iter().map(|case| case.row.clone()).collect();
    factory.insert(store, &rows).await;
    for Case { what, row, transition, holds } in cases {
        let facts = Facts::of(row);
        let specified = transition.guard().first_refusal(&facts).is_none();
        assert_eq!(specified, holds, "the specification: {what}");
        let is_found = transition.target().finds(&facts.invitation, facts.mine.as_ref());
        match apply(store, &transition).await {
            Outcome::Applied(_) => assert!(holds, "must be refused: {what}"),
            // A code does not find a tombstone, unless the redeemer has redeemed it.
            Outcome::Missing if !is_found => {}
            Outcome::Refused(seen) => {
                assert!(!holds, "must be made: {what}");
                assert!(is_found, "must be missing: {what}");
                assert_eq!(*seen, facts, "the facts of the refusal: {what}");
            }
            other => panic!("{what}: neither made nor refused but {other:?}"),
        }
    }
}

/// `NotExpired` holds while `now < expires_at`, to the microsecond.
pub async fn not_expired_holds_until_the_microsecond_of_expiry(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let ceiling = Policy::default().ceiling();
    let far = [invitation_core::Timestamp::MAX, later(start(), 1), later(start(), 999_999)];
    let cases = far.into_iter().chain([start()]).flat_map(|expires_at| {
        [(-1, true), (0, false), (1, false)].into_iter().filter_map(move |(by, holds)| {
            let now = expires_at.checked_add(time::Duration::microseconds(by))?;
            Some((expires_at, now, holds))
        })
    });
    let cases = cases
        .map(|(expires_at, now, holds)| {
            let row = Record { expires_at, ..factory.invitation() };
            let transition = factory.redeem(&row, &newcomer("anna"), now, &ceiling);
            Case::new(format!("at {now}, until {expires_at}"), row, transition, holds)
        })
        .collect();
    compare(&*store, &factory, cases).await;
}

/// `UsesLeft` holds while fewer than `max_uses` uses are redeemed.
pub async fn uses_left_holds_below_max_uses(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut cases = Vec::new();
    for max in [1, 2, 3, 9, 10, 11, 100_000] {
        for (uses, holds) in [(0, true), (max - 1, true), (max, false)] {
            let row = Record {
                max_uses: NonZeroU32::new(max).expect("not zero"),
                uses,
                last_use: (uses > 0).then(|| factory.redemption("bob", start())),
                ..factory.invitation()
            };
            let redeem = factory.default_redeem(&row, &newcomer("anna"));
            cases.push(Case::new(format!("redeem, {uses} of {max}"), row, redeem, holds));
        }
    }
    for (uses, holds) in [(0, true), (1, false)] {
        let last_use = (uses > 0).then(|| factory.redemption("bob", start()));
        let row = Record { uses, last_use, ..factory.invitation() };
        let revoke = factory.transition(Command::Revoke { id: row.id, reason: None });
        cases.push(Case::new(format!("revoke, {uses} of 1"), row, revoke, holds));
    }
    compare(&*store, &factory, cases).await;
}

/// `NotRevoked` holds while the invitation is not revoked; `NotDeleted` holds while it is
/// not a tombstone.
pub async fn not_revoked_and_not_deleted_follow_the_facts(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let revoked =
        |reason: Option<&str>| Some(Revocation { at: start(), reason: reason.map(str::to_owned) });
    let mut cases = Vec::new();
    for revocation in [None, revoked(None), revoked(Some("")), revoked(Some("left"))] {
        for deleted_at in [None, Some(start())] {
            let what = format!("{revocation:?}, deleted {deleted_at:?}");
            let made =
                || Record { revocation: revocation.clone(), deleted_at, ..factory.invitation() };
            let holds = revocation.is_none() && deleted_at.is_none();

            let row = made();
            let redeem = factory.default_redeem(&row, &newcomer("anna"));
            cases.push(Case::new(format!("redeem: {what}"), row, redeem, holds));
            let row = made();
            let revoke = factory.transition(Command::Revoke { id: row.id, reason: None });
            cases.push(Case::new(format!("revoke: {what}"), row, revoke, holds));
            let row = made();
            let delete = factory.transition(Command::Delete { id: row.id });
            cases.push(Case::new(format!("delete: {what}"), row, delete, deleted_at.is_none()));
        }
    }
    compare(&*store, &factory, cases).await;
}

/// `AddressProved` holds for any redeemer of an unbound invitation. A bound one needs a
/// proof of exactly that address, or of an address at exactly that domain.
pub async fn address_proved_compares_comparison_forms(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let anyone = || Binding::Anyone;
    let address = || Binding::Address(email("Anna.Lind+hr@Exämple.com"));
    let of_domain = || Binding::Domain(domain("example.com"));
    let table: [(Binding, Option<&str>, bool); 22] = [
        (anyone(), None, true),
        (anyone(), Some("x@example.com"), true),
        (address(), None, false),
        (address(), Some("Anna.Lind+hr@Exämple.com"), true),
        (address(), Some("anna.lind+HR@exa\u{308}mple.COM"), true),
        (address(), Some("ANNA.LIND+HR@XN--EXMPLE-CUA.com"), true),
        (address(), Some("anna.lind@exämple.com"), false),
        (address(), Some("annalind+hr@exämple.com"), false),
        (address(), Some("anna.lind+hr@example.com"), false),
        (address(), Some("anna.lind+hr@mail.exämple.com"), false),
        (address(), Some("nna.lind+hr@exämple.com"), false),
        (Binding::Address(email("a_b@example.com")), Some("axb@example.com"), false),
        (Binding::Address(email("a%@example.com")), Some("ab@example.com"), false),
        (Binding::Address(email("a_b@example.com")), Some("A_B@example.com"), true),
        (of_domain(), None, false),
        (of_domain(), Some("x@example.com"), true),
        (of_domain(), Some("y+z@EXAMPLE.com"), true),
        (of_domain(), Some("x@mail.example.com"), false),
        (of_domain(), Some("x@notexample.com"), false),
        (of_domain(), Some("x@example.com.org"), false),
        (of_domain(), Some("example.com@other.org"), false),
        (of_domain(), Some("x@example.co"), false),
    ];
    let cases = table.into_iter().map(|(binding, proof, holds)| {
        let what = format!("{binding:?} with {proof:?}");
        let row = Record { binding, ..factory.invitation() };
        let redeemer =
            proof.map_or_else(|| newcomer("anna"), |proof| newcomer_with_email("anna", proof));
        let transition = factory.default_redeem(&row, &redeemer);
        Case::new(what, row, transition, holds)
    });
    let cases = cases.collect();
    compare(&*store, &factory, cases).await;
}

/// `Grantable` holds if the ceiling contains the stored pair of the grantor's role and the
/// granted role, byte for byte. It always holds if the grantor is the system. The inviter
/// plays no part.
pub async fn grantable_compares_the_stored_role_pair(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let pair =
        |grantor: &str, granted: &str| RolePair { grantor: role(grantor), granted: role(granted) };
    let lead = || Inviter::User { user: user("u-lead"), role: role("lead"), name: None };
    let many: Vec<_> = (0..300).map(|n| pair(&format!("r{n}"), "staff")).collect();
    let many_and_it = [many.as_slice(), &[pair("lead", "staff")]].concat();
    let table: Vec<(&str, Inviter, Role, Vec<RolePair>, bool)> = vec![
        ("nothing", lead(), role("staff"), vec![], false),
        ("the pair", lead(), role("staff"), vec![pair("lead", "staff")], true),
        ("swapped", lead(), role("staff"), vec![pair("staff", "lead")], false),
        (
            "crosswise",
            lead(),
            role("staff"),
            vec![pair("lead", "admin"), pair("admin", "staff")],
            false,
        ),
        ("other case", lead(), role("staff"), vec![pair("Lead", "staff")], false),
        ("granted in other case", lead(), role("Staff"), vec![pair("lead", "staff")], false),
        ("cut elsewhere", lead(), role("staff"), vec![pair("leads", "taff")], false),
        ("joined", lead(), role("staff,admin"), vec![pair("lead", "staff")], false),
        ("among two", lead(), role("b"), vec![pair("lead", "a"), pair("lead", "b")], true),
        ("odd characters", lead(), role("a'\"\\%_b"), vec![pair("lead", "a'\"\\%_b")], true),
        ("no wildcards", lead(), role("ab"), vec![pair("lead", "a%"), pair("l%", "a_")], false),
        ("another form", lead(), role("é"), vec![pair("lead", "e\u{301}")], false),
        ("not among many", lead(), role("staff"), many, false),
        ("among many", lead(), role("staff"), many_and_it, true),
        ("the system, nothing", Inviter::System, role("staff"), vec![], true),
        ("the system, others", Inviter::System, role("root"), vec![pair("lead", "staff")], true),
    ];
    let cases = table.into_iter().map(|(what, grantor, role, pairs, holds)| {
        let row = Record { role, grantor, ..factory.invitation() };
        let ceiling: Arc<[RolePair]> = pairs.into();
        let transition = factory.redeem(&row, &newcomer("anna"), one_day_later(), &ceiling);
        Case::new(what, row, transition, holds)
    });
    let cases = cases.collect();
    compare(&*store, &factory, cases).await;
}

/// `Version` holds at exactly this version, neither before nor after.
pub async fn version_holds_for_the_exact_version_only(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut cases = Vec::new();
    for version in [1_u64, 2, 9, 10, 255, 70_000] {
        for (wanted, holds) in [(version - 1, false), (version, true), (version + 1, false)] {
            let row = Record { version, ..factory.invitation() };
            let revoke = Command::Revoke { id: row.id, reason: None };
            let revoke = factory.transition_for_version(revoke, IfVersion::Exactly(wanted));
            let what = format!("revoke version {wanted} of one at {version}");
            cases.push(Case::new(what, row, revoke, holds));
            let row = Record { version, ..factory.invitation() };
            let delete = factory
                .transition_for_version(Command::Delete { id: row.id }, IfVersion::Exactly(wanted));
            let what = format!("delete version {wanted} of one at {version}");
            cases.push(Case::new(what, row, delete, holds));
        }
    }
    compare(&*store, &factory, cases).await;
}

/// `FirstUseBy` holds unless the user has redeemed the invitation before. If uses are
/// left, other users can still redeem it. User ids are compared byte for byte.
pub async fn first_use_by_compares_user_ids_byte_for_byte(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for uses in [1, 2, 50] {
        let max_uses = NonZeroU32::new(uses).expect("not zero");
        let row = Record { max_uses, division: division("hr"), ..factory.invitation() };
        factory.insert(&*store, std::slice::from_ref(&row)).await;

        let names = ["anna", "Anna", "anna2", "a%", "a_na", "ann\u{e4}", "anna\u{308}"];
        let first = names.iter().zip(0..uses);
        for (name, _) in first.clone() {
            let redeem = factory.default_redeem(&row, &newcomer(name));
            let outcome = apply(&*store, &redeem).await;
            assert!(matches!(outcome, Outcome::Applied(_)), "{name} is new: {outcome:?}");
        }
        for (name, _) in first {
            let again = factory.default_redeem(&row, &newcomer(name));
            let Outcome::Refused(facts) = apply(&*store, &again).await else {
                panic!("{name} has redeemed it before");
            };
            let own = facts.mine.as_ref().expect("the caller's own redemption is among the facts");
            assert_eq!(own.username.as_str(), *name, "of {uses}: the caller's own redemption");
            assert!(
                matches!(
                    again.guard().first_refusal(&facts),
                    Some(invitation_core::Condition::FirstUseBy(_))
                ),
                "the first word that fails is FirstUseBy"
            );
        }
        let late = factory.default_redeem(&row, &newcomer("another user"));
        let outcome = apply(&*store, &late).await;
        let facts = match (uses, outcome) {
            (50, Outcome::Applied(_)) => continue,
            (1 | 2, Outcome::Refused(facts)) => facts,
            (_, other) => panic!("of {uses}, another user: {other:?}"),
        };
        assert_eq!(facts.mine, None, "another user has no redemption");
    }
}
