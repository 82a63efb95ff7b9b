//! Consistency checks of a store's data.

use std::collections::{BTreeMap, BTreeSet};

use invitation_core::{
    Action, Criteria, EventCriteria, EventOutcome, Invitation, InvitationId, Invitations, Paging,
    Status,
};
use invitation_redis::RedisStore;

use super::admin;

async fn listed(
    invitations: &Invitations<RedisStore>,
    criteria: &Criteria,
) -> Vec<(Invitation, Status)> {
    let (mut found, mut paging) = (Vec::new(), Paging::first(200).unwrap());
    loop {
        let page = invitations.list(&admin(), criteria, paging).await.unwrap();
        found.extend(page.items().iter().map(|view| (view.invitation().clone(), view.status())));
        match page.next() {
            Some(cursor) => paging = Paging::first(200).unwrap().after(cursor),
            None => return found,
        }
    }
}

/// Asserts that records, redemptions, events and every index agree one to one. Returns the
/// users who have redeemed each invitation, and its number of uses.
pub async fn whole(
    invitations: &Invitations<RedisStore>,
) -> BTreeMap<InvitationId, BTreeSet<String>> {
    let all = listed(invitations, &Criteria::new()).await;
    let mut found = BTreeMap::new();
    for (one, _) in &all {
        let uses = usize::try_from(one.uses()).unwrap();
        let first = Paging::first(200).unwrap();
        let ledger = invitations.redemptions(&admin(), one.id(), first).await.unwrap();
        let redeemers: BTreeSet<String> =
            ledger.items().iter().map(|one| one.user.as_str().to_owned()).collect();
        assert_eq!(
            (ledger.items().len(), redeemers.len()),
            (uses, uses),
            "the ledger has each use"
        );
        for (action, number) in [(Action::Create, 1), (Action::Redeem, uses)] {
            let criteria = EventCriteria::new()
                .about(one.id())
                .of_action(action)
                .with_outcome(EventOutcome::Succeeded);
            let first = Paging::first(200).unwrap();
            let trail = invitations.events(&admin(), &criteria, first).await.unwrap();
            assert_eq!(trail.items().len(), number, "{action:?} and its event are one");
        }
        if let Some(last) = &one.last_use() {
            let criteria = Criteria::new().matching(last.username.as_str());
            let by_name = listed(invitations, &criteria).await;
            assert!(by_name.iter().any(|(found, _)| found.id() == one.id()), "it is found");
        }
        found.insert(one.id(), redeemers);
    }
    let counts = invitations.counts(&admin(), &Criteria::new()).await.unwrap();
    for &status in Status::ALL {
        let with_status = listed(invitations, &Criteria::new().with_status(status)).await;
        let expected = all.iter().filter(|(_, found)| *found == status).count();
        assert_eq!(with_status.len(), expected, "{status:?}");
        assert_eq!(counts.of(status), u32::try_from(expected).unwrap(), "{status:?}");
    }
    found
}
