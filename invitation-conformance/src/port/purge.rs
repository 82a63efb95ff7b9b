//! Which invitations and keys a store purges.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Event, EventFilter, Fingerprint, IdempotentRequest, Insert, Inserted, NewInvitation,
    Outcome, PriorRequest, Purge, Purged, Record, RequestResults, Revocation, Scope, Store, Target,
    Timestamp, decide::UseSource,
};

use super::idempotency::request;
use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        population::{population, read_time},
        reads::{all_events, trail},
        samples::{division, later, newcomer, start},
    },
};

fn purge(factory: &Factory, scope: Scope, before: Timestamp, max: u32) -> Purge {
    let max = NonZeroU32::new(max).expect("not zero");
    Purge { scope, before, max, event: factory.event(Action::Purge, one_day_later()) }
}

/// Returns the rows that are still stored, and checks that each is found by id as by
/// code.
async fn remaining(store: &dyn Store, rows: &[Record]) -> Vec<Record> {
    let mut left = Vec::new();
    for row in rows {
        let (id, code) = (Target::Id(row.id), Target::Code(vec![row.digest]));
        let found = store.get(&id, &Scope::All).await.expect("the store answers");
        let by_code = store.get(&code, &Scope::All).await.expect("the store answers");
        assert_eq!(by_code, found, "by the code as by the id");
        left.extend(found);
    }
    left
}

async fn purge_all(store: &dyn Store, factory: &Factory, scope: &Scope, before: Timestamp) -> u32 {
    let mut removed = 0;
    for _ in 0..200 {
        let purge = purge(factory, scope.clone(), before, 40);
        let purged = store.purge(&purge).await.expect("the store purges");
        removed += purged.removed;
        if !purged.more {
            return removed;
        }
    }
    panic!("a purge comes to an end");
}

/// An invitation is purged if it was over before the given instant, to the microsecond.
/// It is over when it is deleted, used up, revoked or expired; the first of these in this
/// order counts.
pub async fn purge_removes_invitations_that_ended_before_the_instant(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (then, far) = (one_day_later(), later(one_day_later(), 86_400_000_000));
    let early = later(then, -5_000_000);
    let mut cases: Vec<(String, Record, bool)> = Vec::new();
    for (by, gone) in [(-1, true), (0, false), (1, false)] {
        let at = later(then, by);
        let revocation = |at| Some(Revocation { at, reason: None });
        let used = |at| Record {
            uses: 1,
            last_use: Some(factory.redemption("bob", at)),
            expires_at: far,
            ..factory.invitation()
        };
        let row = || Record { expires_at: far, ..factory.invitation() };
        let part = Record { max_uses: NonZeroU32::MIN.saturating_add(1), ..used(early) };
        let part = Record { expires_at: at, ..part };
        let all = [
            ("expired", Record { expires_at: at, ..row() }),
            ("expired with a use left", part),
            ("used", used(at)),
            ("used, and then expired", Record { expires_at: early, ..used(at) }),
            ("used after it was revoked", Record { revocation: revocation(early), ..used(at) }),
            ("revoked", Record { revocation: revocation(at), ..row() }),
            (
                "revoked, and expired before",
                Record { revocation: revocation(at), expires_at: early, ..row() },
            ),
            ("deleted", Record { deleted_at: Some(at), ..row() }),
            (
                "deleted, after all else",
                Record {
                    deleted_at: Some(at),
                    revocation: revocation(early),
                    expires_at: early,
                    ..used(early)
                },
            ),
        ];
        cases.extend(all.map(|(what, row)| (format!("{what} at {by} µs"), row, gone)));
    }
    cases.push(("active".to_owned(), Record { expires_at: far, ..factory.invitation() }, false));
    let rows: Vec<_> = cases.iter().map(|(_, row, _)| row.clone()).collect();
    factory.insert(&*store, &rows).await;
    let mut expected = 0;
    for (what, row, gone) in &cases {
        let takes = purge(&factory, Scope::All, then, 1).takes(row);
        assert_eq!(takes, *gone, "the specification: {what}");
        expected += u32::from(*gone);
    }
    let removed = purge_all(&*store, &factory, &Scope::All, then).await;
    assert_eq!(removed, expected, "as many as the specification takes");
    for (what, row, gone) in &cases {
        let found = remaining(&*store, std::slice::from_ref(row)).await;
        assert_eq!(found.is_empty(), *gone, "{what}");
        assert_eq!(trail(&*store, row).await.len(), 1, "{what}: its event stays");
    }
}

/// From a mixed population a store removes, within a scope, exactly the invitations that
/// [`Purge::takes`](invitation_core::Purge::takes) selects.
pub async fn purge_matches_the_specification(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut all = population(&factory, 120);
    factory.insert(&*store, &all).await;
    for (scope, by) in [
        (Scope::Division(division("sales")), -3),
        (Scope::Division(division("Sales")), 1),
        (Scope::Division(division("x")), 1_000),
        (Scope::All, 0),
        (Scope::All, 1),
        (Scope::All, 90_000_000_000),
    ] {
        let before = later(read_time(), by);
        let takes = purge(&factory, scope.clone(), before, 1);
        let expected = all.iter().filter(|one| takes.takes(one)).count();
        let removed = purge_all(&*store, &factory, &scope, before).await;
        assert_eq!(usize::try_from(removed), Ok(expected), "{scope:?} at {by}");
        all.retain(|one| !takes.takes(one));
        assert_eq!(remaining(&*store, &all).await, all, "{scope:?} at {by}: the others stay");
    }
}

/// A purge writes its [`evidence`](invitation_core::Purge::evidence) and frees the code. A new
/// invitation under that code inherits nothing that was stored with the former one.
pub async fn purged_code_can_be_inserted_again(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let code = factory.code();
    let row = Record {
        max_uses: NonZeroU32::MIN.saturating_add(2),
        ..factory.invitation_with_code(&code)
    };
    let bystander = Record { expires_at: Timestamp::MAX, ..factory.invitation() };
    factory.insert(&*store, &[row.clone(), bystander.clone()]).await;
    let now = later(start(), 1);
    let (anna, bob) = (newcomer("anna"), newcomer("bob"));
    let redeem = factory.redeem_with_source(&row, &anna, now, UseSource::Free);
    let reserve = factory.reserve(&row, &bob, (now, later(now, 60)), UseSource::Free);
    for transition in [&redeem, &reserve] {
        let outcome = apply(&*store, transition).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "preparing: {outcome:?}");
    }
    let events = trail(&*store, &row).await;
    let purge = purge(&factory, Scope::All, later(row.expires_at, 1), 5);
    let purged = store.purge(&purge).await.expect("the store purges");
    assert_eq!(purged.removed, 1, "it has expired");
    assert_eq!(trail(&*store, &row).await, events, "its events stay");
    let filter = invitation_core::EventFilter {
        action: Some(Action::Purge),
        ..invitation_core::EventFilter::default()
    };
    let written: Vec<Event> = all_events(&*store, &Scope::All, &filter, 9).await;
    assert_eq!(written, [purge.evidence(1)], "the purge's evidence");
    assert_eq!(remaining(&*store, std::slice::from_ref(&bystander)).await, [bystander], "another");
    for transition in [&redeem, &reserve] {
        assert_eq!(apply(&*store, transition).await, Outcome::Missing, "there is no such code");
    }
    let anew = Record { max_uses: row.max_uses, ..factory.invitation_with_code(&code) };
    let insert = Insert::of(vec![factory.new_invitation(anew.clone())]);
    let answer = store.insert(&insert).await.expect("the store inserts");
    assert_eq!(answer, Inserted::Stored, "the code is free again");
    for who in [&anna, &bob] {
        let redeem = factory.redeem_with_source(&anew, who, now, UseSource::Free);
        let outcome = apply(&*store, &redeem).await;
        assert!(
            matches!(outcome, Outcome::Applied(_)),
            "no trace of the purged invitation: {outcome:?}"
        );
    }
}

/// If a key has been reused for a later request, purging the former invitations keeps the
/// key.
pub async fn purge_keeps_a_key_reused_by_a_later_request(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let request = || request(None, "k", 1);
    let row = |days: i64| {
        let expires_at = later(start(), days * 86_400_000_000);
        factory.new_invitation(Record { expires_at, ..factory.invitation() })
    };
    let insert = async |rows: Vec<NewInvitation>| {
        let insert = Insert { request: Some(request()), ..Insert::of(rows) };
        store.insert(&insert).await.expect("the store inserts")
    };
    assert_eq!(insert(vec![row(1), row(3)]).await, Inserted::Stored);
    let first = purge(&factory, Scope::All, later(start(), 2 * 86_400_000_000), 5);
    assert_eq!(store.purge(&first).await.expect("the store purges").removed, 1);
    let rows = vec![row(50), row(50)];
    assert_eq!(insert(rows.clone()).await, Inserted::Stored, "the key was freed");

    let second = purge(&factory, Scope::All, later(start(), 4 * 86_400_000_000), 5);
    assert_eq!(store.purge(&second).await.expect("the store purges").removed, 1);
    let invitations = rows.into_iter().map(|row| row.invitation).collect();
    let fingerprint = Fingerprint::from_bytes([1; 32]);
    let known = PriorRequest { fingerprint, invitations, results: None };
    assert_eq!(insert(vec![row(50)]).await, Inserted::KeyKnown(known), "what it stands for now");
}

/// A purge of all divisions also removes keys without invitations that were forgotten
/// before its instant. It removes a bounded number of keys and does not count them. A
/// purge of one division leaves such keys.
pub async fn purge_removes_expired_keys_without_invitations(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for n in 0..5 {
        let request = IdempotentRequest {
            results: Some(RequestResults::from_bytes(vec![n])),
            ..request(None, &format!("k{n}"), 1)
        };
        let insert = Insert { request: Some(request), ..Insert::of(Vec::new()) };
        assert_eq!(store.insert(&insert).await.expect("it stores"), Inserted::Stored);
    }
    let forgotten_at = request(None, "k", 1).forgotten_at();
    let known = async || {
        let mut known = 0;
        for n in 0..5 {
            let request = request(None, &format!("k{n}"), 1);
            let insert = Insert { request: Some(request), ..Insert::of(Vec::new()) };
            let answer = store.insert(&insert).await.expect("the store answers");
            known += usize::from(matches!(answer, Inserted::KeyKnown(_)));
        }
        known
    };
    let none = Purged { removed: 0, more: false };
    for (scope, before, left, answer) in [
        (Scope::All, forgotten_at, 5, none),
        (Scope::Division(division("sales")), later(forgotten_at, 1), 5, none),
        (Scope::All, later(forgotten_at, 1), 3, Purged { removed: 0, more: true }),
        (Scope::All, later(forgotten_at, 1), 1, Purged { removed: 0, more: true }),
        (Scope::All, later(forgotten_at, 1), 0, none),
    ] {
        let purge = purge(&factory, scope, before, 2);
        assert_eq!(store.purge(&purge).await.expect("the store purges"), answer, "{left}");
        assert_eq!(known().await, left);
    }
    let events = EventFilter::default();
    let events = all_events(&*store, &Scope::All, &events, 50).await;
    assert!(events.is_empty(), "nothing was removed that needs evidence: {events:?}");
}

/// A store recognises a resent purge by its event and does not apply it again.
pub async fn resent_purge_is_not_applied_again(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let rows: Vec<_> = (0..5).map(|_| factory.invitation()).collect();
    factory.insert(&*store, &rows).await;
    let resent = purge(&factory, Scope::All, later(rows[0].expires_at, 1), 2);
    let purged = store.purge(&resent).await.expect("the store purges");
    assert_eq!(purged, Purged { removed: 2, more: true });
    let again = store.purge(&resent).await.expect("the store answers");
    assert_eq!(again, Purged { removed: 0, more: true }, "nothing more under the same id");
    assert_eq!(remaining(&*store, &rows).await.len(), 3, "the others stay");
    let next = purge(&factory, Scope::All, later(rows[0].expires_at, 1), 5);
    let purged = store.purge(&next).await.expect("the store purges");
    assert_eq!(purged, Purged { removed: 3, more: false }, "another one goes on");
    for resent in [resent, next] {
        let again = store.purge(&resent).await.expect("the store answers");
        let expected = Purged { removed: 0, more: true };
        assert_eq!(again, expected, "recognised, although nothing is left");
    }
}
