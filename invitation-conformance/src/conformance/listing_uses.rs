//! Lists of an invitation's redemptions and of the open reservations.

use std::num::NonZeroU32;

use invitation_core::{
    Actor, Draft, IfVersion, Invitation, OpenLease, Outcome, Paging, Redeemed, Refusal, Scope,
    decide::UseSource,
};

use super::{
    mint::{Mint, apply, one_day_on},
    people::{admin, division, later, newcomer},
    world::{World, all_leases, all_redemptions, refusal},
};
use crate::Fixture;

/// Pages of leases of any length, concatenated, are all leases within the scope: newest
/// first, ties broken by id, expired leases included.
pub async fn pages_of_leases_cover_everything_once(fixture: Fixture) {
    let (store, mint) = (fixture.store(), Mint::new());
    let max_uses = NonZeroU32::new(5).expect("not zero");
    let mut all = Vec::new();
    for n in 0..9_i64 {
        let name = ["sales", "hr", "Sales"][usize::try_from(n % 3).expect("small")];
        let row = Invitation { max_uses, division: division(name), ..mint.row() };
        mint.store(&*store, std::slice::from_ref(&row)).await;
        for k in 0..4 {
            // Many begin at the same instant; some have expired in the meantime.
            let now = later(one_day_on(), (n * 5 + k) % 4);
            let span = (now, later(now, 1 + k * 1_000));
            let reserve = mint.reserve(&row, &newcomer(&format!("n{k}")), span, UseSource::Free);
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
pub async fn pages_of_redemptions_cover_everything_once(fixture: Fixture) {
    let (store, mint) = (fixture.store(), Mint::new());
    for uses in [1, 2, 13] {
        let max_uses = NonZeroU32::new(uses).expect("not zero");
        let row = Invitation { max_uses, ..mint.row() };
        mint.store(&*store, std::slice::from_ref(&row)).await;
        let mut all = Vec::new();
        for n in 0..uses {
            let now = later(one_day_on(), i64::from(n * 5 % 3));
            let redeem =
                mint.redeem_taking(&row, &newcomer(&format!("n{n}")), now, UseSource::Free);
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
    let found = all_redemptions(&*store, &Scope::All, mint.invitation_id(), 5).await;
    assert!(found.is_empty(), "of nothing");
}

/// An administrator lists open reservations, newest first and page by page. Expired ones
/// are marked; committed, released and taken-over ones are absent.
pub async fn an_administrator_lists_open_reservations(fixture: Fixture) {
    let world = World::new(fixture);
    let (sales, hr) =
        (world.issue_for(4).await, world.issue(Draft::new().in_division(division("hr"))).await);
    let code = sales.code().reveal();
    let mut keys = Vec::new();
    for name in ["anna", "bob", "carl"] {
        keys.push(world.reserve(&code, name).await.id());
        world.clock.advance(time::Duration::MINUTE);
    }
    let foreign = world.reserve(&hr.code().reveal(), "dora").await.id();
    world.clock.advance(time::Duration::minutes(7));
    let service = &world.service;
    let before = world.events().await;
    let (mut paging, mut seen) = (Paging::first(2).expect("a page"), Vec::new());
    loop {
        let page = service.reservations(&admin(), None, paging).await.expect("may list");
        assert!(page.items().len() <= 2, "a page has at most as many items as asked for");
        seen.extend(page.items().iter().map(|open| (open.id(), open.has_expired())));
        let Some(next) = page.next() else { break };
        paging = paging.after(next);
    }
    assert_eq!(world.events().await, before, "looking leaves no event");
    let expected = [(foreign, false), (keys[2], false), (keys[1], false), (keys[0], true)];
    assert_eq!(seen, expected, "newest first; anna's ten minutes are over");
    let home = division("sales");
    let narrowed = service.reservations(&admin(), Some(&home), Paging::default()).await;
    let of_sales = narrowed.expect("may list");
    assert_eq!(of_sales.items().len(), 3, "of one division");
    let open = of_sales.items()[0].open();
    assert_eq!((open.invitation, &open.division), (sales.invitation().id, &home));
    assert_eq!(open.lease.username.as_str(), "carl", "for whom");

    service.commit(keys[1], &newcomer("bob")).await.expect("bob's own");
    service.release(keys[2], &newcomer("carl")).await.expect("carl's own");
    service.redeem(&code, &newcomer("eve")).await.expect("one is free");
    service.redeem(&code, &newcomer("fred")).await.expect("another one");
    service.redeem(&code, &newcomer("gina")).await.expect("anna's has run out");
    let page = service.reservations(&admin(), Some(&home), Paging::default()).await;
    assert!(page.is_ok_and(|page| page.items().is_empty()), "none is open any more");
}

/// An actor with the right to view an invitation can list its redemptions, newest first
/// and page by page, for single-use and multi-use invitations.
pub async fn who_may_look_reads_who_redeemed(fixture: Fixture) {
    let world = World::new(fixture);
    let actor = super::people::manager("sales");
    for uses in [1, 5] {
        let created = world.issue_for(uses).await;
        let (id, code) = (created.invitation().id, created.code().reveal());
        let mut expected = Vec::new();
        for n in 0..uses {
            let name = newcomer(&format!("n{uses}-{n}"));
            let redeemed: Redeemed = world.service.redeem(&code, &name).await.expect("a use");
            expected.insert(0, redeemed.redemption().clone());
            world.clock.advance(time::Duration::SECOND);
        }
        let (mut paging, mut seen) = (Paging::first(2).expect("a page"), Vec::new());
        loop {
            let page = world.service.redemptions(&actor, id, paging).await.expect("may look");
            assert!(page.items().len() <= 2, "a page has at most as many items as asked for");
            seen.extend_from_slice(page.items());
            let Some(next) = page.next() else { break };
            paging = paging.after(next);
        }
        assert_eq!(seen, expected, "of {uses}: newest first");
        let hr = Actor::in_division(actor.user().clone(), actor.role().clone(), division("hr"));
        let foreign = world.service.redemptions(&hr, id, Paging::default()).await;
        assert_eq!(refusal(foreign), Refusal::NotFound, "of {uses}: in another division");
        world.service.delete(&admin(), id, IfVersion::Any).await.expect("may delete");
        let gone = world.service.redemptions(&actor, id, Paging::default()).await;
        assert_eq!(refusal(gone), Refusal::NotFound, "of {uses}: deleted");
    }
}
