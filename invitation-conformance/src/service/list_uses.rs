//! Lists of open reservations and of an invitation's redemptions, through the service.

use invitation_core::{Actor, Draft, IfVersion, Paging, Redeemed, Refusal};

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal},
        samples::{admin, division, manager, newcomer},
    },
};

/// An administrator lists open reservations, newest first and page by page. Expired ones
/// are marked; committed, released and taken-over ones are absent.
pub async fn reservations_list_contains_only_open_ones_newest_first(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (sales, hr) = (
        harness.create_for_uses(4).await,
        harness.create(Draft::new().in_division(division("hr"))).await,
    );
    let code = sales.code().reveal();
    let mut keys = Vec::new();
    for name in ["anna", "bob", "carl"] {
        keys.push(harness.reserve(&code, name).await.id());
        harness.clock.advance(time::Duration::MINUTE);
    }
    let foreign = harness.reserve(&hr.code().reveal(), "dora").await.id();
    harness.clock.advance(time::Duration::minutes(7));
    let service = &harness.service;
    let before = harness.events().await;
    let (mut paging, mut seen) = (Paging::first(2).expect("a page"), Vec::new());
    loop {
        let page = service.reservations(&admin(), None, paging).await.expect("may list");
        assert!(page.items().len() <= 2, "a page has at most as many items as asked for");
        seen.extend(page.items().iter().map(|open| (open.id(), open.has_expired())));
        let Some(next) = page.next() else { break };
        paging = paging.after(next);
    }
    assert_eq!(harness.events().await, before, "looking leaves no event");
    let expected = [(foreign, false), (keys[2], false), (keys[1], false), (keys[0], true)];
    assert_eq!(seen, expected, "newest first; anna's ten minutes are over");
    let home = division("sales");
    let narrowed = service.reservations(&admin(), Some(&home), Paging::default()).await;
    let of_sales = narrowed.expect("may list");
    assert_eq!(of_sales.items().len(), 3, "of one division");
    let open = of_sales.items()[0].open();
    assert_eq!((open.invitation, &open.division), (sales.invitation().id(), &home));
    assert_eq!(open.lease.username.as_str(), "carl", "for whom");

    service.commit(keys[1], &newcomer("bob")).await.expect("bob's own");
    service.release(keys[2], &newcomer("carl")).await.expect("carl's own");
    service.redeem(&code, &newcomer("eve")).await.expect("one is free");
    service.redeem(&code, &newcomer("fred")).await.expect("another one");
    service.redeem(&code, &newcomer("gina")).await.expect("anna's has expired");
    let page = service.reservations(&admin(), Some(&home), Paging::default()).await;
    assert!(page.is_ok_and(|page| page.items().is_empty()), "none is open any more");
}

/// An actor with the right to view an invitation can list its redemptions, newest first
/// and page by page, for single-use and multi-use invitations.
pub async fn redemptions_list_needs_the_right_to_view(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let actor = manager("sales");
    for uses in [1, 5] {
        let created = harness.create_for_uses(uses).await;
        let (id, code) = (created.invitation().id(), created.code().reveal());
        let mut expected = Vec::new();
        for n in 0..uses {
            let name = newcomer(&format!("n{uses}-{n}"));
            let redeemed: Redeemed = harness.service.redeem(&code, &name).await.expect("a use");
            expected.insert(0, redeemed.redemption().clone());
            harness.clock.advance(time::Duration::SECOND);
        }
        let (mut paging, mut seen) = (Paging::first(2).expect("a page"), Vec::new());
        loop {
            let page = harness.service.redemptions(&actor, id, paging).await.expect("may look");
            assert!(page.items().len() <= 2, "a page has at most as many items as asked for");
            seen.extend_from_slice(page.items());
            let Some(next) = page.next() else { break };
            paging = paging.after(next);
        }
        assert_eq!(seen, expected, "of {uses}: newest first");
        let hr = Actor::in_division(actor.user().clone(), actor.role().clone(), division("hr"));
        let foreign = harness.service.redemptions(&hr, id, Paging::default()).await;
        assert_eq!(refusal(foreign), Refusal::NotFound, "of {uses}: in another division");
        harness.service.delete(&admin(), id, IfVersion::Any).await.expect("may delete");
        let gone = harness.service.redemptions(&actor, id, Paging::default()).await;
        assert_eq!(refusal(gone), Refusal::NotFound, "of {uses}: deleted");
    }
}
