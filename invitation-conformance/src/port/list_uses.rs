//! Lists of an invitation's redemptions and of the open reservations.

use std::num::NonZeroU32;

use invitation_core::{OpenLease, Outcome, Record, Scope, decide::UseSource};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        reads::{all_leases, all_redemptions},
        samples::{division, later, newcomer},
    },
};

/// Pages of leases of any length, concatenated, are all leases within the scope: newest
/// first, ties broken by id, expired leases included.
pub async fn pages_of_leases_contain_every_lease_once(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let max_uses = NonZeroU32::new(5).expect("not zero");
    let mut all = Vec::new();
    for n in 0..9_i64 {
        let name = ["sales", "hr", "Sales"][usize::try_from(n % 3).expect("small")];
        let row = Record { max_uses, division: division(name), ..factory.invitation() };
        factory.insert(&*store, std::slice::from_ref(&row)).await;
        for k in 0..4 {
            // Many begin at the same instant; some have expired in the meantime.
            let now = later(one_day_later(), (n * 5 + k) % 4);
            let span = (now, later(now, 1 + k * 1_000));
            let reserve = factory.reserve(&row, &newcomer(&format!("n{k}")), span, UseSource::Free);
            let Outcome::Applied(facts) = apply(&*store, &reserve).await else {
                panic!("a use is free");
            };
            let lease = facts.lease.expect("the lease is among the facts");
            all.push(OpenLease { invitation: row.id, division: row.division.clone(), lease });
        }
    }
    all.sort_by_key(|open| std::cmp::Reverse((open.lease.since, open.lease.id)));
    for scope in [Scope::All, Scope::Division(division("sales")), Scope::Division(division("x"))] {
        let mut expected = all.clone();
        expected.retain(|open| scope.contains(&open.division));
        for limit in [1, 2, 5, 12, 200] {
            let found = all_leases(&*store, &scope, limit).await;
            assert_eq!(found, expected, "{scope:?} in pages of {limit}");
        }
    }
}

/// Pages of redemptions of any length, concatenated, are all redemptions of that
/// invitation: newest first, ties broken by id. Out of scope the list is empty.
pub async fn pages_of_redemptions_contain_every_redemption_once(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for uses in [1, 2, 13] {
        let max_uses = NonZeroU32::new(uses).expect("not zero");
        let row = Record { max_uses, ..factory.invitation() };
        factory.insert(&*store, std::slice::from_ref(&row)).await;
        let mut all = Vec::new();
        for n in 0..uses {
            let now = later(one_day_later(), i64::from(n * 5 % 3));
            let redeem =
                factory.redeem_with_source(&row, &newcomer(&format!("n{n}")), now, UseSource::Free);
            let Outcome::Applied(facts) = apply(&*store, &redeem).await else {
                panic!("a use is free");
            };
            all.push(facts.mine.expect("the redemption is among the facts"));
        }
        all.sort_by_key(|one| std::cmp::Reverse((one.at, one.id)));
        for scope in [Scope::All, Scope::Division(row.division.clone())] {
            for limit in [1, 2, 5, 13, 200] {
                let found = all_redemptions(&*store, &scope, row.id, limit).await;
                assert_eq!(found, all, "of {uses}, {scope:?} in pages of {limit}");
            }
        }
        let foreign = Scope::Division(division("Sales"));
        let found = all_redemptions(&*store, &foreign, row.id, 5).await;
        assert!(found.is_empty(), "of {uses}: out of scope there are none");
    }
    let found = all_redemptions(&*store, &Scope::All, factory.invitation_id(), 5).await;
    assert!(found.is_empty(), "of nothing");
}
