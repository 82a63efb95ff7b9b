//! Re-sealing rewrites the stored forms of a code, and nothing else.

use std::num::NonZeroU32;

use invitation_core::{
    Action, Change, CodeDigest, CodeTag, Event, EventFilter, Facts, IfVersion, Limits, Outcome,
    Policy, Record, Revocation, Scope, SealedCode, Store, Target, Transition,
    decide::{Call, Command, UseSource, decide},
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        reads::{all_events, stored, trail},
        samples::{division, later, newcomer, start},
    },
};

/// Returns one step of a page of two rows, which the call re-seals.
fn reseal(row: &Record, new: u8, scope: &Scope, call: &Call) -> Transition {
    let command = Command::Reseal {
        current: row,
        digest: CodeDigest::from_bytes([new; 32]),
        tag: CodeTag::from_bytes([new; 8]),
        sealed: SealedCode::from_bytes([0, new, new]),
        of: 2,
    };
    let (policy, limits) = (Policy::default(), Limits::default());
    decide(command, scope.clone(), IfVersion::Any, call, &policy, &limits).expect("no rule")
}

async fn reseal_events(store: &dyn Store, scope: &Scope) -> Vec<Event> {
    let filter = EventFilter { action: Some(Action::Reseal), ..EventFilter::default() };
    all_events(store, scope, &filter, 50).await
}

async fn found_by(store: &dyn Store, digest: CodeDigest) -> Option<Record> {
    store.get(&Target::Code(vec![digest]), &Scope::All).await.expect("the store answers")
}

/// A re-seal changes digest, tag and sealed bytes in every state of an invitation. The version,
/// the uses and the leases stay. The code is found by its new digest only.
pub async fn reseal_matches_the_specification(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let three = NonZeroU32::new(3).expect("not zero");
    let revocation = Some(Revocation { at: start(), reason: None });
    let mut rows = vec![
        factory.invitation(),
        Record { revocation, version: 2, ..factory.invitation() },
        Record { max_uses: three, ..factory.invitation() },
    ];
    factory.insert(&*store, &rows).await;
    let used = factory.invitation();
    factory.insert(&*store, std::slice::from_ref(&used)).await;
    let redeem = factory.default_redeem(&used, &newcomer("anna"));
    assert!(matches!(apply(&*store, &redeem).await, Outcome::Applied(_)));
    let times = (one_day_later(), later(one_day_later(), 900_000_000));
    let reserve = factory.reserve(&rows[2], &newcomer("ben"), times, UseSource::Free);
    let Outcome::Applied(held) = apply(&*store, &reserve).await else { panic!("a use is free") };
    rows.push(used);

    for (n, row) in (1..).zip(&rows) {
        let before = stored(&*store, row).await;
        let first_lease = held.first_lease.clone().filter(|_| before.held > 0);
        let mut expected = Facts { first_lease, ..Facts::of(before.clone()) };
        let step = reseal(&before, n, &Scope::All, &factory.call(one_day_later()));
        step.change().apply_to(&mut expected);
        assert!(matches!(step.change(), Change::Reseal { .. }));

        let outcome = apply(&*store, &step).await;
        assert_eq!(outcome, Outcome::Applied(Box::new(expected.clone())), "row {n}");
        assert_eq!(stored(&*store, row).await, expected.invitation, "row {n}: what is stored");
        assert_eq!(found_by(&*store, before.digest).await, None, "row {n}: the old digest");
        let found = found_by(&*store, expected.invitation.digest).await;
        assert_eq!(found, Some(expected.invitation), "row {n}: the new digest");
    }
    let commit = factory.commit(
        &rows[2],
        held.lease.expect("it was held").id,
        &newcomer("ben"),
        one_day_later(),
    );
    assert!(matches!(apply(&*store, &commit).await, Outcome::Applied(_)), "the lease stays");
}

/// The re-seals of one call write one event, about no invitation, in the division of the
/// scope.
pub async fn reseals_of_one_page_share_one_event(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for (n, scope) in [(1, Scope::All), (3, Scope::Division(division("sales")))] {
        let rows = [factory.invitation(), factory.invitation()];
        factory.insert(&*store, &rows).await;
        let call = factory.call(one_day_later());
        let steps = [reseal(&rows[0], n, &scope, &call), reseal(&rows[1], n + 1, &scope, &call)];
        for outcome in store.apply(&steps).await {
            assert!(matches!(outcome, Ok(Outcome::Applied(_))), "{outcome:?}");
        }
        let expected = steps[0].event().clone();
        assert_eq!((expected.invitation, expected.detail.get("rows")), (None, Some("2")));
        let mut events = reseal_events(&*store, &scope).await;
        events.retain(|event| event.id == expected.id);
        assert_eq!(events, [expected], "{scope:?}");
        for row in &rows {
            assert_eq!(trail(&*store, row).await.len(), 1, "only its creation");
        }
    }
    assert_eq!(reseal_events(&*store, &Scope::All).await.len(), 2);
    let elsewhere = Scope::Division(division("operations"));
    assert_eq!(reseal_events(&*store, &elsewhere).await, []);
}

/// A re-seal that was decided before a rotation or a deletion finds nothing, and leaves no event.
pub async fn reseal_of_a_rotated_or_deleted_invitation_changes_nothing(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let rows = [factory.invitation(), factory.invitation(), factory.invitation()];
    let [rotated, deleted, foreign] = &rows;
    factory.insert(&*store, &rows).await;
    let (digest, tag, sealed) = factory.seal(rotated.id, &factory.code());
    let rotate = factory.transition(Command::Rotate { current: rotated, digest, tag, sealed });
    let delete = factory.transition(Command::Delete { id: deleted.id });
    for step in [rotate, delete] {
        assert!(matches!(apply(&*store, &step).await, Outcome::Applied(_)));
    }
    let call = factory.call(one_day_later());
    let before = stored(&*store, rotated).await;
    let outcome = apply(&*store, &reseal(rotated, 1, &Scope::All, &call)).await;
    assert_eq!(outcome, Outcome::Missing, "the code was replaced");
    assert_eq!(stored(&*store, rotated).await, before);

    let tombstone = stored(&*store, deleted).await;
    let outcome = apply(&*store, &reseal(deleted, 2, &Scope::All, &call)).await;
    assert_eq!(outcome, Outcome::Missing, "a code does not find a tombstone");
    assert_eq!(stored(&*store, deleted).await, tombstone);

    let elsewhere = Scope::Division(division("operations"));
    let outcome = apply(&*store, &reseal(foreign, 3, &elsewhere, &call)).await;
    assert_eq!(outcome, Outcome::Missing, "out of scope");
    assert_eq!(stored(&*store, foreign).await, *foreign);
    assert_eq!(reseal_events(&*store, &Scope::All).await, []);
}

/// The digest of another invitation, tombstones included, is taken.
pub async fn reseal_to_a_taken_digest_changes_nothing(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let digest = CodeDigest::from_bytes([7; 32]);
    for deleted_at in [None, Some(start())] {
        let (row, other) = (factory.invitation(), factory.invitation());
        let other = Record { digest, deleted_at, ..other };
        factory.insert(&*store, &[row.clone(), other.clone()]).await;
        let step = reseal(&row, 7, &Scope::All, &factory.call(one_day_later()));
        assert_eq!(apply(&*store, &step).await, Outcome::CodeTaken, "{deleted_at:?}");
        assert_eq!(stored(&*store, &row).await, row);
        // Makes the digest free for the next round.
        let call = factory.call(one_day_later());
        let other = Record { deleted_at: None, ..other };
        let step = reseal(&other, 8, &Scope::All, &call);
        if deleted_at.is_none() {
            assert!(matches!(apply(&*store, &step).await, Outcome::Applied(_)));
        }
    }
    assert_eq!(reseal_events(&*store, &Scope::All).await.len(), 1);
}

/// A re-seal may write new bytes under the same digest. A resend then has the same effect, and
/// no second event.
pub async fn reseal_may_keep_the_digest(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let row = Record { digest: CodeDigest::from_bytes([9; 32]), ..factory.invitation() };
    factory.insert(&*store, std::slice::from_ref(&row)).await;
    let step = reseal(&row, 9, &Scope::All, &factory.call(one_day_later()));
    let mut expected = Facts::of(row.clone());
    step.change().apply_to(&mut expected);
    for _ in 0..2 {
        let outcome = apply(&*store, &step).await;
        assert_eq!(outcome, Outcome::Applied(Box::new(expected.clone())));
    }
    assert_eq!(found_by(&*store, row.digest).await, Some(expected.invitation));
    assert_eq!(reseal_events(&*store, &Scope::All).await.len(), 1);
}
