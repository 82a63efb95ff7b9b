//! The pages of an erasure, and what happens beside them.

use std::collections::HashSet;

use invitation_core::{
    Action, Actor, Criteria, ErasureStage, Event, EventFilter, EventId, EventOutcome, IfVersion,
    Paging, Reason, Refusal, Right, Scope, SystemActor, erasure::PersonErasure,
};

use super::{
    ErasureFixture,
    scenario::{
        MASK, Scenario, at_least_one, canary, canary_as_admin, draft, for_canary, is_refused,
        person, sums,
    },
};
use crate::support::{
    concurrent::run_concurrently,
    harness::refusal,
    reads::all_events,
    samples::{admin, division, manager, newcomer, role, user},
};

/// A job that is interrupted continues from its cursor, although invitations change meanwhile.
/// Each invitation is on one page, whatever happens to it.
pub async fn interrupted_erasure_continues_and_misses_nothing(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let all = scenario.populate().await;
    let (job, mut next, mut examined) = (SystemActor::for_bootstrap(), None, 0);
    for step in 0.. {
        let paging = Paging::first(1 + step % 3).expect("a size");
        let paging = next.map_or(paging, |next| paging.after(next));
        let page = scenario.service.erase_person(&job, &person(), paging).await.expect("it may");
        if step == 1 {
            // A lost reply: the same page again changes nothing.
            let again = scenario.service.erase_person(&job, &person(), paging).await;
            let again = again.expect("it may");
            assert_eq!(
                (again.examined(), again.erased(), again.next()),
                (page.examined(), 0, page.next())
            );
        }
        if page.stage() == ErasureStage::Events {
            break;
        }
        examined += page.examined();
        next = page.next();
        // New invitations come before the first page, and others change their state.
        scenario.create(&admin(), draft()).await;
        let from_the_last = usize::try_from(step).expect("small") % all.len();
        let id = all[all.len() - 1 - from_the_last];
        let _ = scenario.service.revoke(&admin(), id, None, IfVersion::Any).await;
        let _ = scenario.service.delete(&admin(), id, IfVersion::Any).await;
    }
    assert_eq!(examined, all.len(), "each one once");
    scenario.erase(50).await;
    let text = scenario.text(&all).await.to_lowercase();
    assert!(!text.contains("canary") && !text.contains(MASK), "{text}");
}

/// Each page that changes something writes one event. It has the user id, and no other value of
/// the person, not even when the person runs the job. Those about events name each of them.
pub async fn erased_events_are_named_by_the_event_of_the_erasure(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    scenario.populate().await;
    let before = scenario.events().await;
    let (mut paging, mut changed) = (Paging::first(40).expect("a size"), 0);
    loop {
        let page = scenario.service.erase_person(&canary_as_admin(), &person(), paging).await;
        let page = page.expect("an administrator of all divisions may");
        changed += usize::from(page.erased() > 0);
        let Some(next) = page.next() else { break };
        paging = paging.after(next);
    }
    let after = scenario.events().await;
    let is_evidence = |event: &&Event| event.action == Action::Erase;
    let evidence: Vec<_> = after.iter().filter(is_evidence).collect();
    assert_eq!(evidence.len(), changed, "one for each page");
    assert_eq!(after.len(), before.len() + changed);
    for event in &evidence {
        assert_eq!(event.outcome, EventOutcome::Succeeded);
        assert_eq!((event.invitation, &event.division), (None, &None));
        assert_eq!(event.detail.get(PersonErasure::USER), Some("u-7"));
        assert!(!format!("{event:?}").to_lowercase().contains("canary"), "{event:?}");
    }
    let named = evidence.iter().flat_map(|event| event.detail.iter());
    let named = named.filter(|(name, _)| *name == PersonErasure::EVENTS);
    let ids = named.flat_map(|(_, ids)| ids.split(' ').map(|id| id.parse().expect("an id")));
    let named: HashSet<EventId> = ids.collect();
    let differs = |old: &&Event| after.iter().any(|new| new.id == old.id && new != *old);
    let erased: HashSet<EventId> = before.iter().filter(differs).map(|event| event.id).collect();
    assert!(erased.len() > 10, "{}", erased.len());
    assert_eq!(named, erased);
}

/// Erasing a person needs the right to purge events, and all divisions. A denial is recorded, and
/// changes nothing.
pub async fn erasure_outside_of_rights_changes_nothing(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let all = scenario.populate().await;
    let before = scenario.text(&all).await;
    let at_home = Actor::in_division(user("u-ada"), role("admin"), division("sales"));
    let forbidden = Refusal::Forbidden { right: Right::PurgeEvents };
    let first = Paging::first(200).expect("a size");
    for (actor, reason) in
        [(manager("sales"), Reason::RightMissing), (at_home, Reason::DivisionNotAllowed)]
    {
        let answer = scenario.service.erase_person(&actor, &person(), first).await;
        assert_eq!(refusal(answer), forbidden, "{reason}");
        let filter = EventFilter { user: Some(actor.user().clone()), ..EventFilter::default() };
        let events = all_events(&scenario.store, &Scope::All, &filter, 50).await;
        assert_eq!((events[0].action, events[0].reason), (Action::Erase, Some(reason)));
        assert_eq!(events[0].outcome, EventOutcome::Denied);
    }
    let one = Paging::first(1).expect("a size");
    let list = scenario.service.list(&admin(), &Criteria::new(), one).await;
    let other = list.expect("they may").next().expect("more follow");
    let answer = scenario.service.erase_person(&admin(), &person(), first.after(other)).await;
    assert!(answer.is_err() && !is_refused(&answer), "the cursor of another list");
    let after = scenario.text(&all).await;
    for value in ["Canary", "canary", MASK] {
        assert_eq!(after.matches(value).count(), before.matches(value).count(), "{value}");
    }
}

/// A job that runs beside redemptions loses none of them, and counts each once.
pub async fn erasure_beside_redemptions_loses_none(fixture: ErasureFixture) {
    let scenario = Scenario::new(fixture);
    let created = scenario.create(&admin(), draft().for_uses(at_least_one(50))).await;
    scenario.redeem(&created, &canary()).await;
    scenario.create(&admin(), for_canary()).await;
    let code = created.code().reveal().to_string();
    let redeem = (0..24).map(|n| {
        let (service, code) = (scenario.service.clone(), code.clone());
        let job: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let by = newcomer(&format!("n-{n}"));
            service.redeem(&code, &by).await.expect("uses are left");
        });
        job
    });
    let erase = (0..4).map(|_| {
        let service = scenario.service.clone();
        let job: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let first = Paging::first(9).expect("a size");
            let job = SystemActor::for_bootstrap();
            service.erase_person(&job, &person(), first).await.expect("it may");
        });
        job
    });
    run_concurrently(redeem.chain(erase).collect()).await;
    let id = created.invitation().id();
    assert_eq!(scenario.record(id).await.uses, 25);
    assert_eq!(scenario.redemptions(id).await.len(), 25);
    let names = scenario.redemptions(id).await;
    assert!(names.iter().all(|made| made.username.as_str() != "Canary Quill"));
    assert_eq!(scenario.found("n").await, [id]);
    assert!(scenario.found("canary").await.len() <= 1, "the open one for the address");
    assert_eq!(sums(&scenario.erase(9).await, ErasureStage::Invitations), (2, 0));
}
