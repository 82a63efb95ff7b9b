//! How a store counts pending invitations for a quota.

use std::num::NonZeroU32;

use invitation_core::{
    IfVersion, Insert, Inserted, Inviter, Limits, Outcome, Policy, Quota, QuotaOf, Record,
    Revocation, Scope, Transition,
    decide::{Command, NewTerms, decide},
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        population::{population, read_time},
        quotas::cap,
        reads::{stored, trail},
        samples::{division, later, role, user},
    },
};

/// A store counts exactly what [`Quota::counts`] counts. With one place too few nothing
/// is stored; with enough places the insert succeeds.
pub async fn quota_counts_exactly_the_pending_invitations(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut all = population(&factory, 120);
    factory.insert(&*store, &all).await;
    let mut subjects = Vec::new();
    for name in ["u-admin", "u-1", "u-10", "U-1", "u-%"] {
        subjects.push(QuotaOf::Inviter(user(name)));
    }
    for name in ["sales", "hr", "Sales", "s%", "sale"] {
        subjects.push(QuotaOf::Division(division(name)));
    }
    let mut counted = 0;
    for (n, by) in [-1, 0, 1, 2].into_iter().enumerate() {
        for of in &subjects {
            let now = later(read_time(), by);
            // Two invitations that the quota applies to.
            let rows: Vec<_> = (0..2).map(|_| member(&factory, of)).collect();
            let quota = |max| Quota { of: of.clone(), max, adds: 2, now };
            let any = quota(NonZeroU32::MIN);
            let pending = all.iter().filter(|one| any.counts(one)).count();
            counted += pending;
            let pending = u32::try_from(pending).expect("a small number");
            let events: Vec<_> =
                rows.iter().map(|row| factory.new_invitation(row.clone())).collect();
            let full = Inserted::QuotaFull { of: of.clone(), pending };
            for (room, expected) in [(1, full), (2, Inserted::Stored)] {
                let max = NonZeroU32::new(pending + room).expect("not zero");
                let quotas = vec![quota(max)];
                let insert = Insert { rows: events.clone(), quotas, request: None };
                let answer = store.insert(&insert).await.expect("the store inserts");
                assert_eq!(answer, expected, "{n}: {of:?}, {pending} pending, room for {room}");
                for row in &rows {
                    let target = invitation_core::Target::Id(row.id);
                    let found = store.get(&target, &Scope::All).await.expect("the store answers");
                    assert_eq!(found.is_some(), expected == Inserted::Stored, "{n}: {of:?}");
                }
            }
            all.extend(rows);
        }
    }
    assert!(counted > 100, "the population is large enough: {counted}");
}

/// Returns an invitation that a quota of `of` applies to.
fn member(factory: &Factory, of: &QuotaOf) -> Record {
    match of {
        QuotaOf::Inviter(user) => Record {
            inviter: Inviter::User { user: user.clone(), role: role("admin"), name: None },
            division: division("elsewhere"),
            ..factory.invitation()
        },
        QuotaOf::Division(division) => {
            Record { inviter: Inviter::System, division: division.clone(), ..factory.invitation() }
        }
    }
}

/// Each of several quotas must have room, and the first full one is named. Quotas are
/// checked before taken codes.
pub async fn first_full_quota_is_returned(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let rows: Vec<_> = (0..3).map(|_| factory.invitation()).collect();
    factory.insert(&*store, &rows).await;
    let inviter = QuotaOf::Inviter(user("u-admin"));
    let (sales, hr) = (division("sales"), division("hr"));
    let insert = async |maxes: [u32; 3], digest| {
        let one = Record { digest, ..factory.invitation() };
        let other = Record { division: hr.clone(), ..factory.invitation() };
        let quota = |of, max, adds| Quota {
            of,
            max: NonZeroU32::new(max).expect("not zero"),
            adds,
            now: one_day_later(),
        };
        let quotas = vec![
            quota(inviter.clone(), maxes[0], 2),
            quota(QuotaOf::Division(hr.clone()), maxes[1], 1),
            quota(QuotaOf::Division(sales.clone()), maxes[2], 1),
        ];
        let rows = vec![factory.new_invitation(one), factory.new_invitation(other)];
        let insert = Insert { rows, quotas, request: None };
        store.insert(&insert).await.expect("the store inserts")
    };
    let fresh = || factory.invitation().digest;
    let (of_hr, of_sales) = (QuotaOf::Division(hr.clone()), QuotaOf::Division(sales.clone()));
    let full = |of, pending| Inserted::QuotaFull { of, pending };
    assert_eq!(insert([4, 1, 4], fresh()).await, full(inviter.clone(), 3), "the inviter's");
    assert_eq!(insert([4, 1, 3], fresh()).await, full(inviter.clone(), 3), "two are full");
    assert_eq!(insert([5, 1, 3], fresh()).await, full(of_sales.clone(), 3), "that of sales");
    assert_eq!(insert([5, 1, 3], rows[0].digest).await, full(of_sales.clone(), 3), "before a code");
    assert_eq!(insert([5, 1, 4], rows[0].digest).await, Inserted::CodeTaken, "then the code");
    assert_eq!(insert([5, 1, 4], fresh()).await, Inserted::Stored, "all have room");
    assert_eq!(insert([9, 1, 4], fresh()).await, full(of_hr, 1), "hr and sales are full by now");
}

/// A change that makes an invitation pending is applied only if every quota has room.
/// Otherwise the first full quota is named, and nothing changes. A guard that does not
/// hold and an operation already recorded are reported before a full quota.
pub async fn change_to_pending_without_room_is_refused(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let limits = |max| {
        let limits = Limits::default().with_pending_per_inviter(cap(max));
        limits.with_pending_per_division(cap(max))
    };
    let make = |command: Command<'_>, max| -> Transition {
        let call = factory.call(one_day_later());
        let (policy, any) = (Policy::default(), IfVersion::Any);
        decide(command, Scope::All, any, &call, &policy, &limits(max)).expect("may do it")
    };
    let active: Vec<_> = (0..2).map(|_| factory.invitation()).collect();
    factory.insert(&*store, &active).await;
    for revoked in [true, false] {
        let at = one_day_later();
        let row = if revoked {
            Record { revocation: Some(Revocation { at, reason: None }), ..factory.invitation() }
        } else {
            Record { expires_at: at, ..factory.invitation() }
        };
        factory.insert(&*store, std::slice::from_ref(&row)).await;
        let terms =
            NewTerms { binding: None, role: None, expires_at: Some(later(at, 3_600_000_000)) };
        let change = |max| {
            let (current, terms) = (&row, terms.clone());
            let command = if revoked {
                Command::Reinstate { current }
            } else {
                Command::Amend { current, terms }
            };
            make(command, max)
        };
        let pending = if revoked { 2 } else { 3 };
        let events = trail(&*store, &row).await;
        let tight = change(pending);
        assert_eq!(tight.quotas().len(), 2, "of the inviter and of the division");
        let outcome = apply(&*store, &tight).await;
        let expected = Outcome::QuotaFull(QuotaOf::Inviter(user("u-admin")));
        assert_eq!(outcome, expected, "revoked {revoked}: no room");
        assert_eq!(stored(&*store, &row).await, row, "revoked {revoked}: nothing changes");
        assert_eq!(trail(&*store, &row).await, events, "revoked {revoked}: no event");
        let roomy = change(pending + 1);
        let outcome = apply(&*store, &roomy).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "revoked {revoked}: {outcome:?}");
        let outcome = apply(&*store, &roomy).await;
        assert!(matches!(outcome, Outcome::Replayed(_)), "resent, it is full: {outcome:?}");
        let outcome = apply(&*store, &tight).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "the version is another: {outcome:?}");
    }
}
