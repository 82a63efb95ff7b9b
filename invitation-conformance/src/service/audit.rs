//! Evidence: each step writes one event with every fact about the step except the code.

use invitation_core::{
    Action, Actor, Amendment, CorrelationId, Draft, Event, EventCriteria, EventOutcome, IfVersion,
    Invitation, Paging, Performer, Reason, Refusal, RequestContext, Source, SystemActor,
};

use crate::{
    Fixture,
    support::{
        factory::Factory,
        harness::{Harness, Service, refusal},
        samples::{admin, division, email, manager, newcomer, newcomer_with_email, role, user},
    },
};

fn context(request: &str) -> RequestContext {
    RequestContext {
        correlation: Some(CorrelationId::new(request).expect("a correlation id")),
        source: Some(Source::new("203.0.113.7").expect("a source")),
    }
}

fn from(request: &str) -> Actor {
    admin().with_context(context(request))
}

/// Every change writes exactly one event: performer, action, time, invitation, division
/// and the request it came from.
pub async fn every_change_writes_one_complete_event(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (service, any) = (&harness.service, IfVersion::Any);
    let draft = Draft::new().with_role(role("staff")).in_division(division("hr"));
    let created = service.create(&from("create"), draft).await.expect("may create");
    let id = created.invitation().id();
    let mut code = created.code().reveal();
    let mut last = harness.events().await;
    assert_eq!(last.len(), 1, "the creation");
    check(&harness, &last[0], Action::Create, id, &admin_performs());
    for action in [
        Action::Copy,
        Action::Amend,
        Action::Rotate,
        Action::Revoke,
        Action::Reinstate,
        Action::Redeem,
        Action::Delete,
    ] {
        harness.clock.advance(time::Duration::SECOND);
        let actor = from(action.as_str());
        let mut performer = admin_performs();
        match action {
            Action::Copy => service.copy(&actor, id).await.map(drop),
            Action::Amend => {
                let amendment = Amendment::new().with_role(role("manager"));
                service.amend(&actor, id, amendment, any).await.map(drop)
            }
            Action::Rotate => {
                service.rotate(&actor, id, any).await.map(|rotated| code = rotated.code().reveal())
            }
            Action::Revoke => service.revoke(&actor, id, Some("left"), any).await.map(drop),
            Action::Reinstate => service.reinstate(&actor, id, any).await.map(drop),
            Action::Redeem => {
                let anna = newcomer("anna").with_context(context(action.as_str()));
                let (user, username) = (anna.user().clone(), anna.username().clone());
                performer = Performer::Redeemer { user, username };
                service.redeem(&code, &anna).await.map(drop)
            }
            _ => service.delete(&actor, id, any).await,
        }
        .unwrap_or_else(|error| panic!("{action}: {error:?}"));
        let now = harness.events().await;
        assert_eq!(now[1..], last, "{action}: one event more, and it is the newest");
        check(&harness, &now[0], action, id, &performer);
        last = now;
    }
}

fn admin_performs() -> Performer {
    Performer::Actor { user: user("u-admin"), role: role("admin"), name: None }
}

fn check(
    harness: &Harness,
    event: &Event,
    action: Action,
    id: invitation_core::InvitationId,
    by: &Performer,
) {
    assert_eq!(event.action, action);
    assert_eq!(event.outcome, EventOutcome::Succeeded, "{action}");
    assert_eq!(event.reason, None, "{action}: nothing was refused");
    assert_eq!(event.at, harness.now(), "{action}: when");
    assert_eq!(event.performer, *by, "{action}: who");
    assert_eq!(event.invitation, Some(id), "{action}: on what");
    assert_eq!(event.division, Some(division("hr")), "{action}: where");
    assert_eq!(event.context, context(action.as_str()), "{action}: from which request");
}

/// Creating a batch writes one event per invitation, each with its own id.
pub async fn batch_writes_one_event_for_each_invitation(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let drafts = vec![Draft::new().with_role(role("staff")); 25];
    let created = harness.service.create_many(&from("batch"), drafts).await.expect("may create");
    assert_eq!(created.len(), 25);
    let (mut stored, events) = harness.snapshot().await;
    assert_eq!((stored.len(), events.len()), (25, 25), "one each");
    stored.sort_by_key(|row| row.id);
    for one in created {
        let row = stored.iter().find(|row| row.id == one.invitation().id());
        assert_eq!(
            row.cloned().map(Invitation::from).as_ref(),
            Some(one.invitation()),
            "as returned"
        );
        let about = events.iter().filter(|event| event.invitation == Some(one.invitation().id()));
        assert_eq!(about.count(), 1, "one event about each");
    }
    assert!(events.iter().all(|event| event.context == context("batch")), "of one request");
}

/// A batch with one draft that breaks a limit stores nothing and records nothing.
pub async fn invalid_batch_stores_and_records_nothing(fixture: Fixture) {
    use invitation_core::{Error, Expiry};

    let harness = Harness::new(fixture);
    let fine = || Draft::new().with_role(role("staff"));
    let drafts = vec![fine(), fine().expiring(Expiry::InDays(0)), fine()];
    match harness.service.create_many(&admin(), drafts).await {
        Err(Error::Invalid(invalid)) => {
            assert_eq!(invalid.errors()[0].line(), Some(1), "the line is named: {invalid}");
        }
        other => panic!("the second draft breaks a bound: {other:?}"),
    }
    assert_eq!(harness.snapshot().await, (vec![], vec![]), "all or none");
}

/// The trail never contains a code: neither created, rotated, copied or redeemed codes,
/// nor refused ones. Addresses are masked.
pub async fn events_never_contain_a_code(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let (service, any) = (&harness.service, IfVersion::Any);
    let mut codes = Vec::new();
    let draft = Draft::new().for_email(email("anna.secret@example.com"));
    let created = harness.create(draft).await;
    let id = created.invitation().id();
    codes.push(created.code().reveal());
    let rotated = service.rotate(&admin(), id, any).await.expect("may rotate");
    codes.push(rotated.code().reveal());
    let amendment = Amendment::new().for_email(email("bob.secret@example.com"));
    service.amend(&admin(), id, amendment, any).await.expect("may amend");
    service.copy(&admin(), id).await.expect("may copy");
    let system = SystemActor::for_bootstrap();
    let draft = Draft::new().with_role(role("admin")).in_division(division("sales"));
    let first = service.create(&system, draft).await.expect("may create");
    codes.push(first.code().reveal());
    let unknown = Factory::new().code().reveal();
    codes.push(unknown);
    for code in codes.clone() {
        for redeemer in
            [newcomer("x"), newcomer_with_email("bob", "bob.secret@example.com"), newcomer("y")]
        {
            let answer = service.redeem(&code, &redeemer).await;
            assert!(!format!("{answer:?}").contains(&code[..9]), "nor does an answer");
        }
    }
    service.delete(&admin(), id, any).await.expect("may delete");
    let events = harness.events().await;
    assert!(events.len() > 10, "a whole life: {}", events.len());
    for event in events {
        let values: Vec<_> = event.detail.iter().map(|(name, value)| [name, value]).collect();
        let text = format!("{event:?} {} {}", event.detail.to_json(), values.concat().join(" "));
        assert!(!text.contains(".secret"), "an address is masked: {text}");
        let bare = |text: &str| text.to_uppercase().replace(['-', ' '], "");
        let squeezed = bare(&text);
        for code in &codes {
            let symbols = bare(code);
            for piece in [&symbols[..12], &symbols[12..], &symbols[6..18]] {
                assert!(!squeezed.contains(piece), "a piece of a code in {}", event.action);
            }
            assert!(!text.contains(&code[..9]), "two groups of a code in {}", event.action);
        }
    }
}

/// Many refusals of one person do not flood the trail. Refusals within the budget are
/// written one by one; the rest are only counted. Refusals of other people are still
/// written.
pub async fn refusals_beyond_the_limit_are_counted(fixture: Fixture) {
    const FLOOD: u64 = 200;
    let harness = Harness::new(fixture);
    let (mallory, code) = (newcomer("mallory"), Factory::new().code().reveal());
    let attack = async |n: u64| {
        for _ in 0..n {
            let answer = harness.service.redeem(&code, &mallory).await;
            assert_eq!(refusal(answer), Refusal::CodeUnknown, "the answer stays the same");
        }
    };
    attack(FLOOD).await;
    let of_mallory = async || harness.events_by_user(mallory.user()).await;
    let suppressed = |event: &Event| event.reason == Some(Reason::Suppressed);
    let counted = |events: &[Event]| {
        let summaries = events.iter().filter(|event| suppressed(event));
        let numbers = summaries.filter_map(|event| {
            event.detail.iter().find_map(|(_, value)| value.parse::<u64>().ok())
        });
        numbers.max().expect("a summary tells a number")
    };
    let events = of_mallory().await;
    let single = events.iter().filter(|event| !suppressed(event)).count();
    assert_eq!(single, 60, "60 a minute are written one by one");
    assert!(events.len() <= 60 + 10, "the others are a few summaries: {}", events.len());
    let recorded = counted(&events);
    assert!(
        (70..=140).contains(&recorded),
        "at least half of the 140 others is recorded: {recorded}"
    );

    let anna = newcomer("anna");
    assert_eq!(refusal(harness.service.redeem(&code, &anna).await), Refusal::CodeUnknown);
    assert_eq!(
        harness.events_by_user(anna.user()).await.len(),
        1,
        "another person's refusal is written"
    );

    harness.clock.advance(time::Duration::MINUTE);
    attack(1).await;
    let events = of_mallory().await;
    assert_eq!(counted(&events), FLOOD - 60, "then the exact number is recorded");
    let single = events.iter().filter(|event| !suppressed(event)).count();
    assert_eq!(single, 61, "in the next minute they are written again");
}

/// Successful changes are always recorded, however many refusals came before.
pub async fn success_after_many_refusals_is_recorded(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new()).await;
    let absent = Factory::new().invitation_id();
    for _ in 0..100 {
        let answer = harness.service.revoke(&admin(), absent, None, IfVersion::Any).await;
        assert_eq!(refusal(answer), Refusal::NotFound);
    }
    let id = created.invitation().id();
    harness.service.copy(&admin(), id).await.expect("may copy");
    harness.service.revoke(&admin(), id, None, IfVersion::Any).await.expect("may revoke");
    let criteria = EventCriteria::new().about(id);
    let page = harness.service.events(&admin(), &criteria, Paging::default()).await;
    let page = page.expect("may read");
    let mut actions: Vec<_> = page.items().iter().map(|event| event.action).collect();
    actions.sort();
    assert_eq!(actions, [Action::Create, Action::Copy, Action::Revoke], "all three");
}

/// The number of denials recorded per minute for one user in the floods below, and for
/// all redeemers together.
const BUDGET: u32 = 2;
const OF_ALL_REDEEMERS: usize = 200;

/// Returns a service with a small budget after `ids` redeemers with invented ids have
/// flooded it. One of them uses the id `also` repeatedly.
async fn service_after_refusals(harness: &Harness, ids: usize, also: &str) -> Service {
    let budget = std::num::NonZeroU32::new(BUDGET).expect("a budget");
    let limits = invitation_core::Limits::default().with_denials_per_minute(budget);
    let service = harness.service.clone().with_limits(limits);
    let code = Factory::new().code().reveal();
    let invented = (0..ids).map(|n| newcomer(&format!("invented-{n}")));
    let again = (0..10)
        .map(|_| invitation_core::Redeemer::new(user(also), newcomer(also).username().clone()));
    for stranger in again.chain(invented) {
        let answer = service.redeem(&code, &stranger).await;
        assert_eq!(refusal(answer), Refusal::CodeUnknown, "the answer stays the same");
    }
    service
}

/// Denials of an actor are always recorded, however many ids strangers use, and even if
/// they use the actor's own id. Anyone can present codes, so strangers must not be able
/// to suppress evidence about signed-in users.
pub async fn denial_of_an_actor_is_recorded_despite_many_strangers(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let created = harness.create(Draft::new().with_role(role("admin"))).await;
    let id = created.invitation().id();
    let manager = manager("sales");
    let service =
        service_after_refusals(&harness, 2 * OF_ALL_REDEEMERS, manager.user().as_str()).await;
    let of_manager = async || {
        let events = harness.events_by_user(manager.user()).await.into_iter();
        let by_actor = |event: &Event| matches!(event.performer, Performer::Actor { .. });
        events.filter(|event| by_actor(event) && event.reason.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(of_manager().await, [], "nothing is said of the actor before");
    for n in 1..=BUDGET as usize {
        let answer = service.rotate(&manager, id, IfVersion::Any).await;
        let right = invitation_core::Right::Rotate;
        assert_eq!(refusal(answer), Refusal::Forbidden { right });
        let events = of_manager().await;
        assert_eq!(events.len(), n, "attempt {n} is recorded");
        assert_eq!(events[0].reason, Some(Reason::RightMissing), "attempt {n}");
        assert_eq!(events[0].invitation, Some(id), "attempt {n}");
    }
}

/// The refusals of all strangers share one limit, however many ids they invent. Refusals
/// beyond the limit are counted, and the exact count is written in a later minute.
pub async fn refusals_of_all_strangers_share_one_limit(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let ids = 2 * OF_ALL_REDEEMERS;
    let service = service_after_refusals(&harness, ids, "u-often").await;
    let suppressed = |event: &Event| event.reason == Some(Reason::Suppressed);
    let counted = |events: &[Event]| {
        let several = events.iter().filter(|event| event.detail.get("of") == Some("several"));
        let counts = several.filter_map(|event| event.detail.get("suppressed")?.parse().ok());
        counts.max().unwrap_or(0_usize)
    };
    let events = harness.events().await;
    let single = events.iter().filter(|event| !suppressed(event)).count();
    assert_eq!(single, OF_ALL_REDEEMERS, "that many are written one by one");
    assert!(events.len() <= OF_ALL_REDEEMERS + 16, "the others are a few summaries");
    let beyond = ids + BUDGET as usize - OF_ALL_REDEEMERS;
    let recorded = counted(&events);
    assert!(
        (beyond / 2..=beyond).contains(&recorded),
        "at least half of {beyond} is recorded: {recorded}"
    );

    harness.clock.advance(time::Duration::MINUTE);
    let code = Factory::new().code().reveal();
    let answer = service.redeem(&code, &newcomer("next")).await;
    assert_eq!(refusal(answer), Refusal::CodeUnknown);
    let events = harness.events().await;
    assert_eq!(counted(&events), beyond, "then the exact number is recorded");
    let next = events.iter().filter(|event| event.performer.user() == Some(&user("u-next")));
    assert_eq!(next.filter(|event| !suppressed(event)).count(), 1, "and the bound begins anew");
}
