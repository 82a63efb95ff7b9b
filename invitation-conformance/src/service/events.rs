//! The audit trail through the service.

use invitation_core::{Action, Actor, Draft, EventCriteria, Paging};

use crate::{
    Fixture,
    support::{
        harness::Harness,
        samples::{admin, division, newcomer, role, user},
    },
};

/// Through the service an actor reads the events within reach, by criteria, page by page.
pub async fn auditor_reads_events_within_reach_only(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let sales = harness.create(Draft::new()).await;
    let hr = harness.create(Draft::new().in_division(division("hr"))).await;
    for (name, created) in [("anna", &sales), ("bob", &hr)] {
        harness.clock.advance(time::Duration::SECOND);
        let redeemed = harness.service.redeem(&created.code().reveal(), &newcomer(name)).await;
        assert!(redeemed.is_ok(), "{name} redeems: {redeemed:?}");
    }
    let auditor = Actor::in_division(user("u-auditor"), role("admin"), division("hr"));
    let read = async |actor: &Actor, criteria: EventCriteria| {
        let (mut found, mut paging) = (Vec::new(), Paging::first(1).expect("a page of one"));
        loop {
            let page = harness.service.events(actor, &criteria, paging).await.expect("may read");
            found.extend(page.items().iter().map(|event| (event.action, event.invitation)));
            let Some(next) = page.next() else { return found };
            let shown = next.to_string().parse().expect("a cursor is read back");
            paging = Paging::first(1).expect("a page of one").after(shown);
        }
    };
    let (in_sales, in_hr) = (Some(sales.invitation().id()), Some(hr.invitation().id()));
    let of_hr = vec![(Action::Redeem, in_hr), (Action::Create, in_hr)];
    assert_eq!(read(&auditor, EventCriteria::new()).await, of_hr, "an auditor of hr");
    let criteria = EventCriteria::new().in_division(division("hr"));
    assert_eq!(read(&admin(), criteria).await, of_hr, "the administrator, of hr");
    let all = read(&admin(), EventCriteria::new()).await;
    assert_eq!(all.len(), 4, "the administrator, of all: {all:?}");
    let criteria = EventCriteria::new().of_action(Action::Redeem).by_user(user("u-anna"));
    let redeems = read(&admin(), criteria).await;
    assert_eq!(redeems, [(Action::Redeem, in_sales)], "by action and user");
    let criteria = EventCriteria::new().about(sales.invitation().id());
    let of_sales = read(&auditor, criteria).await;
    assert_eq!(of_sales, [], "an auditor of hr sees nothing of sales");
}
