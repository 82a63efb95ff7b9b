//! Purging: invitations that have long been over are removed permanently, and their
//! events stay.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Actor, Criteria, Draft, Error, Event, EventOutcome, IfVersion, Limits, Paging, Purged,
    Reason, Refusal, Right, Scope, Status, SystemActor, Target,
};
use time::Duration;

use crate::{
    Fixture,
    support::{
        harness::{Harness, refusal, reserved},
        quotas::staff_draft,
        reads::{all_leases, all_redemptions},
        samples::{
            admin, division, domain, key, manager, newcomer, newcomer_with_email, role, user,
        },
    },
};

fn nonzero(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("not zero")
}

/// Purges until nothing is left to purge. Returns the number of removed invitations.
async fn purge(harness: &Harness, actor: &Actor, age: Duration, max: u32) -> u32 {
    let mut removed = 0;
    for _ in 0..100 {
        let purged = harness.service.purge(actor, age, nonzero(max)).await.expect("may purge");
        assert!(purged.removed <= max, "at most as many as asked for: {purged:?}");
        removed += purged.removed;
        if !purged.more {
            return removed;
        }
    }
    panic!("a purge comes to an end");
}

fn purges(events: &[Event]) -> Vec<&Event> {
    events.iter().filter(|event| event.action == Action::Purge).collect()
}

/// A purged invitation is unknown from then on, with its code, redemptions, reservations,
/// idempotency key and search terms. Its events stay, and the purge writes one event.
pub async fn purged_invitation_leaves_only_its_events(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = &harness.service;
    let draft = || staff_draft().for_uses(nonzero(3)).for_domain(domain("example.com"));
    let created = service.create_once(&admin(), &key("k"), draft()).await.expect("may create");
    let (id, code) = (created.invitation().id(), created.code().reveal());
    let anna = newcomer_with_email("annabel", "anna@example.com");
    service.redeem(&code, &anna).await.expect("it is active");
    let bob = newcomer_with_email("bob", "bob@example.com");
    let reservation = reserved(service.reserve(&code, &bob).await);
    let stays = harness.create(Draft::new().expiring(invitation_core::Expiry::InDays(300))).await;
    harness.clock.set(created.invitation().expires_at());
    harness.clock.advance(Duration::days(30));
    assert_eq!(purge(&harness, &admin(), Duration::days(30), 1_000).await, 0, "not long enough");
    let before = harness.events().await;
    assert!(purges(&before).is_empty(), "where nothing was removed there is no event");
    harness.clock.advance(Duration::microseconds(1));
    let before_at = harness.now().checked_add(Duration::days(-30)).expect("a time");
    assert_eq!(purge(&harness, &admin(), Duration::days(30), 1_000).await, 1, "it is long over");

    let after = harness.events().await;
    assert_eq!(after[1..], before, "its events stay");
    let event = &after[0];
    assert_eq!((event.action, event.outcome), (Action::Purge, EventOutcome::Succeeded));
    assert_eq!((event.invitation, &event.division), (None, &None), "of all divisions");
    assert_eq!(event.performer.user(), Some(admin().user()), "who");
    assert_eq!(event.detail.get("removed"), Some("1"), "how many");
    let recorded = event.detail.get("before");
    assert_eq!(recorded, Some(before_at.to_string().as_str()), "the instant");

    for who in [&anna, &bob] {
        assert_eq!(refusal(service.redeem(&code, who).await), Refusal::CodeUnknown, "the code");
        let commit = service.commit(reservation.id(), who).await;
        assert_eq!(refusal(commit), Refusal::NotFound, "the reservation");
    }
    assert_eq!(refusal(service.get(&admin(), id).await), Refusal::NotFound, "the invitation");
    let delete = service.delete(&admin(), id, IfVersion::Any).await;
    assert_eq!(refusal(delete), Refusal::NotFound, "there is not even a tombstone");
    let target = Target::Id(id);
    let found = harness.store.get(&target, &Scope::All).await.expect("the store answers");
    assert_eq!(found, None, "nothing of it is stored");
    assert!(all_redemptions(&*harness.store, &Scope::All, id, 9).await.is_empty(), "redemptions");
    assert!(all_leases(&*harness.store, &Scope::All, 9).await.is_empty(), "leases");
    for text in ["anna", "annabel", &code.replace('-', "")[..14]] {
        let criteria = Criteria::new().matching(text);
        let page = service.list(&admin(), &criteria, Paging::default()).await.expect("may list");
        assert!(page.items().is_empty(), "it is not found by its words any more");
        let counts = service.counts(&admin(), &criteria).await.expect("may count");
        let all = Status::ALL.iter().all(|status| counts.of(*status) == 0);
        assert!(all, "nor counted");
    }
    let anew = service.create_once(&admin(), &key("k"), draft()).await.expect("may create");
    assert!(!anew.is_replayed() && anew.invitation().id() != id, "its key is forgotten");
    let row = harness.shown(stays.invitation().id()).await;
    assert_eq!(&row, stays.invitation(), "another invitation stays as it is");
    let again = harness.create(Draft::new()).await;
    service.redeem(&again.code().reveal(), &newcomer("carl")).await.expect("and all goes on");
}

/// An idempotency key is forgotten as soon as one of the invitations created under it is
/// purged.
pub async fn key_is_forgotten_with_its_first_purged_invitation(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let service = &harness.service;
    let drafts = || vec![staff_draft(), staff_draft(), staff_draft()];
    let (two, one) = (key("many"), key("others"));
    let many = service.create_many_once(&admin(), &two, drafts()).await.expect("may create");
    let other = service.create_once(&admin(), &one, staff_draft()).await.expect("may create");
    let gone = many[1].invitation().id();
    service.delete(&admin(), gone, IfVersion::Any).await.expect("may delete");
    harness.clock.advance(Duration::days(2));
    assert_eq!(purge(&harness, &admin(), Duration::DAY, 9).await, 1, "the deleted one");
    let again = service.create_once(&admin(), &one, staff_draft()).await.expect("a repeat");
    assert!(again.is_replayed(), "another key stays");
    assert_eq!(again.invitation().id(), other.invitation().id(), "with what it stands for");
    let anew = service.create_many_once(&admin(), &two, drafts()).await.expect("may create");
    assert!(anew.iter().all(|created| !created.is_replayed()), "all three anew");
    let page = service.list(&admin(), &Criteria::new(), Paging::default()).await;
    assert_eq!(page.expect("may list").items().len(), 6, "two, three and one");
}

/// One call removes at most the requested number, and returns whether more may be left.
/// Each call that removes something writes one event with the number.
pub async fn purge_removes_at_most_the_requested_number(fixture: Fixture) {
    let harness = Harness::new(fixture);
    harness.service.create_many(&admin(), vec![staff_draft(); 25]).await.expect("may create");
    harness.clock.advance(Duration::days(100));
    let kept = harness.create(Draft::new()).await.invitation().id();
    assert_eq!(purge(&harness, &admin(), Duration::days(30), 7).await, 25, "all in the end");
    let events = harness.events().await;
    let numbers: Vec<u32> = purges(&events)
        .iter()
        .filter_map(|event| event.detail.get("removed"))
        .map(|number| number.parse().expect("a number"))
        .collect();
    assert_eq!(numbers.len(), purges(&events).len(), "each tells how many");
    assert!(numbers.iter().all(|n| (1..=7).contains(n)), "at most seven each: {numbers:?}");
    assert_eq!(numbers.iter().sum::<u32>(), 25, "the events count all of them");
    assert_eq!(harness.stored(kept).await.id, kept, "an invitation that has not ended stays");
    let rest = harness.service.purge(&admin(), Duration::days(30), nonzero(7)).await;
    assert_eq!(rest.ok(), Some(Purged { removed: 0, more: false }), "nothing is left");
    assert_eq!(harness.events().await.len(), events.len(), "and nothing is written");
}

/// Purging needs its right, an age of at least one day, and a maximum number within the
/// batch limit. Otherwise nothing is removed.
pub async fn purge_outside_its_limits_is_refused(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let id = harness.create(Draft::new()).await.invitation().id();
    harness.clock.advance(Duration::days(100));
    let before = harness.events().await;
    let service = &harness.service;
    let short = Limits::MIN_RETENTION.saturating_sub(Duration::NANOSECOND);
    for age in [short, Duration::ZERO, Duration::days(-1), Duration::MAX] {
        let answer = service.purge(&admin(), age, nonzero(9)).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{age}: {answer:?}");
    }
    for max in [1_001, u32::MAX] {
        let answer = service.purge(&admin(), Duration::days(30), nonzero(max)).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{max}: {answer:?}");
    }
    assert_eq!(harness.events().await, before, "nothing is recorded");
    let answer = service.purge(&manager("sales"), Duration::days(30), nonzero(9)).await;
    assert_eq!(refusal(answer), Refusal::Forbidden { right: Right::Purge }, "no right");
    let event = &harness.events().await[0];
    let recorded = (event.action, event.outcome, event.reason);
    let expected = (Action::Purge, EventOutcome::Denied, Some(Reason::RightMissing));
    assert_eq!(recorded, expected, "that is recorded");
    assert_eq!(harness.stored(id).await.id, id, "nothing is removed");
    let system = SystemActor::for_bootstrap();
    let purged = service.purge(&system, Limits::MIN_RETENTION, nonzero(1_000)).await;
    assert_eq!(purged.map(|purged| purged.removed).ok(), Some(1), "the system may");
}

/// The largest and smallest representable ages are invalid, as is any age that is too
/// short or reaches beyond the range of timestamps.
pub async fn unrepresentable_purge_age_is_invalid(fixture: Fixture) {
    let harness = Harness::new(fixture);
    for age in [Duration::MAX, Duration::MIN.saturating_add(Duration::SECOND), Duration::MIN] {
        let answer = harness.service.purge(&admin(), age, nonzero(9)).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
    }
}

/// An actor limited to a division purges only invitations of that division, and the event
/// names it.
pub async fn purge_stays_within_the_actors_reach(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let mut rows = Vec::new();
    for name in ["sales", "hr", "Sales", "sale"] {
        rows.push(
            harness.create(Draft::new().in_division(division(name))).await.invitation().clone(),
        );
    }
    harness.clock.advance(Duration::days(100));
    let at_home = Actor::in_division(user("u-1"), role("admin"), division("sales"));
    assert_eq!(purge(&harness, &at_home, Duration::days(30), 9).await, 1, "one within reach");
    let events = harness.events_by_user(at_home.user()).await;
    assert_eq!(events.len(), 1, "one event");
    assert_eq!(events[0].division, Some(division("sales")), "where");
    for row in &rows[1..] {
        assert_eq!(&harness.shown(row.id()).await, row, "another division's stays");
    }
    assert_eq!(purge(&harness, &admin(), Duration::days(30), 9).await, 3, "who reaches all");
}
