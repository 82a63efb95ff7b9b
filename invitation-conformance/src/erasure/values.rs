//! Names, addresses and sources of the erased person.

use std::collections::HashMap;

use invitation_core::{
    Criteria, ErasureStage, EventFilter, Facts, Paging, Performer, Scope,
    erasure::{ERASED, PersonErasure},
};

use super::{
    ErasureFixture,
    scenario::{
        ADDRESS, MASK, Scenario, canary, canary_with_email, draft, for_three, left_open, namesake,
        person, sums,
    },
};
use crate::support::{
    reads::all_leases,
    samples::{admin, newcomer, user},
};

/// After an erasure, no record, redemption, lease, event and search has a value of the person. The
/// user id stays, and so do the values of others.
pub async fn erased_person_is_found_nowhere_and_the_user_id_stays(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let mut all = scenario.populate().await;
    let before = scenario.text(&all).await;
    assert!(before.to_lowercase().matches("canary").count() > 20, "{before}");
    let events = scenario.events().await.len();
    let pages = scenario.erase(7).await;
    assert_eq!(sums(&pages, ErasureStage::Invitations).0, all.len(), "tombstones included");
    assert!(sums(&pages, ErasureStage::Events).0 >= events, "{pages:?}");
    assert_eq!(left_open(&pages), 1);

    let open = all.pop().expect("the last one is open");
    let after = scenario.text(&all).await;
    assert!(!after.to_lowercase().contains("canary"), "{after}");
    assert_eq!(after.matches(MASK).count(), 1, "of the open invitation: {after}");
    for stays in ["u-7", "u-ben"] {
        let number = |text: &str| text.matches(stays).count();
        assert!(number(&after) >= number(&before), "{stays}");
    }
    assert_eq!(scenario.found("canary").await, [open]);
    assert_eq!(scenario.found(ADDRESS).await, [open]);
    assert_eq!(scenario.found("quill").await, [open]);
    assert!(scenario.found("ben").await.len() > 3, "others are found");
}

/// Each invitation, redemption, lease and event is afterwards as the specification says.
pub async fn erasure_equals_the_specification(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let all = scenario.populate().await;
    let erasure = PersonErasure {
        user: user("u-7"),
        addresses: person().addresses().iter().map(|address| address.key().clone()).collect(),
        now: scenario.service.now(),
        event: scenario.events().await[0].clone(),
    };
    let leases = all_leases(&scenario.store, &Scope::All, 50).await;
    let mut expected = HashMap::new();
    for id in &all {
        let made = scenario.redemptions(*id).await;
        let lease =
            leases.iter().find(|open| open.invitation == *id && open.lease.user == erasure.user);
        let mut facts = Facts {
            mine: made.iter().find(|made| made.user == erasure.user).cloned(),
            lease: lease.map(|open| open.lease.clone()),
            ..Facts::of(scenario.record(*id).await)
        };
        erasure.apply_to(&mut facts);
        expected.insert(*id, (facts, made));
    }
    let events = scenario.events().await;
    scenario.erase(4).await;

    for id in &all {
        let (facts, before) = &expected[id];
        assert_eq!(scenario.record(*id).await, facts.invitation, "{id}");
        let made = before.iter().map(|made| match &facts.mine {
            Some(mine) if made.user == mine.user => mine.clone(),
            _ => made.clone(),
        });
        assert_eq!(scenario.redemptions(*id).await, made.collect::<Vec<_>>(), "{id}");
    }
    let after = all_leases(&scenario.store, &Scope::All, 50).await;
    let lease = |of: &_| expected[of].0.lease.clone();
    assert_eq!(after.len(), leases.len());
    for (before, after) in leases.iter().zip(after) {
        assert_eq!(after.lease, lease(&before.invitation).unwrap_or_else(|| before.lease.clone()));
        assert_eq!((after.invitation, &after.division), (before.invitation, &before.division));
    }
    // The events of the job are newer than all others.
    let after = scenario.events().await;
    let after = &after[after.len() - events.len()..];
    for (before, after) in events.iter().zip(after) {
        let is_own = before.performer.user() == Some(&erasure.user);
        assert_eq!((before.id, before.at, before.action), (after.id, after.at, after.action));
        assert_eq!(before.performer.user(), after.performer.user());
        assert_eq!((before.reason, before.invitation), (after.reason, after.invitation));
        assert_eq!(before.context.correlation, after.context.correlation);
        if is_own {
            let name = match after.performer {
                Performer::Redeemer { .. } => Some(ERASED),
                Performer::Actor { .. } | Performer::System { .. } => None,
            };
            assert_eq!((after.performer.name(), &after.context.source), (name, &None));
        } else {
            assert_eq!((&before.performer, &before.context), (&after.performer, &after.context));
        }
    }
}

/// A second job looks at everything again, changes nothing and writes no event.
pub async fn second_erasure_changes_nothing(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let all = scenario.populate().await;
    let first = scenario.erase(6).await;
    assert!(first.iter().any(|page| page.erased() > 0));
    let (text, events) = (scenario.text(&all).await, scenario.events().await);
    let second = scenario.erase(6).await;
    assert!(second.iter().all(|page| page.erased() == 0), "{second:?}");
    assert_eq!((scenario.text(&all).await, scenario.events().await), (text, events));
}

/// The terms of a name belong to each redeemer of this name. So those of the others stay, in
/// whatever order they redeemed.
pub async fn name_that_other_redeemers_share_is_still_found(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let ben = || newcomer("ben");
    let mut shared = Vec::new();
    for by in [
        [canary(), namesake(), ben()],
        [namesake(), canary(), ben()],
        [ben(), canary(), namesake()],
        [ben(), namesake(), canary()],
        [namesake(), ben(), canary()],
    ] {
        shared.push(scenario.redeemed(for_three(), &by).await);
    }
    let half = [newcomer("quill"), canary(), ben()];
    let half = scenario.redeemed(for_three(), &half).await;
    let alone = scenario.redeemed(for_three(), &[ben(), canary()]).await;
    assert!(scenario.found("canary quill").await.contains(&alone));
    scenario.erase(3).await;
    assert_eq!(scenario.found("canary quill").await, shared);
    let mut by_half = shared.clone();
    by_half.push(half);
    by_half.sort();
    assert_eq!(scenario.found("quill").await, by_half, "one term of the name is another's");
    assert_eq!(scenario.found("ben").await.len(), 7);
    // A later redeemer of the same name is found too.
    let created = scenario.create(&admin(), for_three()).await;
    scenario.redeem(&created, &canary()).await;
    scenario.erase(3).await;
    scenario.redeem(&created, &namesake()).await;
    assert!(scenario.found("canary").await.contains(&created.invitation().id()));
}

/// A repeated redemption gets the same answer, and counts and lists are as before.
pub async fn rights_counts_and_repeated_redemptions_work_after_an_erasure(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let single = scenario.create(&admin(), draft()).await;
    scenario.redeem(&single, &canary()).await;
    scenario.populate().await;
    let count =
        async || scenario.service.counts(&admin(), &Criteria::new()).await.expect("they may");
    let before = count().await;
    let trail = EventFilter { user: Some(user("u-7")), ..EventFilter::default() };
    let own = crate::support::reads::all_events(&scenario.store, &Scope::All, &trail, 50).await;
    scenario.erase(5).await;
    assert_eq!(count().await, before);
    let code = single.code().reveal();
    let again = scenario.service.redeem(&code, &canary_with_email()).await.expect("a replay");
    assert!(again.is_replayed());
    let made = scenario.redemptions(single.invitation().id()).await;
    assert_eq!((made.len(), made[0].username.as_str()), (1, ERASED));
    let page = scenario.service.list(&admin(), &Criteria::new(), Paging::default()).await;
    let page = page.expect("they may list");
    let used_by = page.items().iter().filter_map(|item| item.invitation().used_by());
    assert!(used_by.map(|by| by.to_string()).any(|by| by == ERASED));
    let own_after =
        crate::support::reads::all_events(&scenario.store, &Scope::All, &trail, 50).await;
    assert_eq!(own_after.len(), own.len(), "the user id finds the events");
}
