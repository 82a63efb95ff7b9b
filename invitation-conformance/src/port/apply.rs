//! Each change leaves exactly the facts that the specification leaves.

use std::num::NonZeroU32;

use invitation_core::{
    Binding, Event, Facts, Outcome, Record, Revocation, Store, Transition,
    decide::{Command, NewTerms},
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        reads::{stored, trail},
        samples::{domain, email, later, newcomer, role, start},
    },
};

/// Returns every kind of change, each with a row whose facts allow it.
pub(super) fn every_change(factory: &Factory) -> Vec<(Record, Transition)> {
    let mut all = Vec::new();
    for max in [1, 3] {
        let row =
            Record { max_uses: NonZeroU32::new(max).expect("not zero"), ..factory.invitation() };
        let redeem = factory.default_redeem(&row, &newcomer("anna"));
        all.push((row, redeem));
    }
    let nothing = NewTerms { binding: None, role: None, expires_at: None };
    let soon = later(one_day_later(), 3_600_000_001);
    let terms = [
        NewTerms { binding: Some(Binding::Address(email("A.b@Exämple.org"))), ..nothing.clone() },
        NewTerms { binding: Some(Binding::Domain(domain("example.org"))), ..nothing.clone() },
        NewTerms { binding: Some(Binding::Anyone), ..nothing.clone() },
        NewTerms { role: Some(role("manager")), ..nothing.clone() },
        NewTerms { expires_at: Some(soon), ..nothing },
        NewTerms {
            binding: Some(Binding::Address(email("c@example.org"))),
            role: Some(role("admin")),
            expires_at: Some(soon),
        },
    ];
    for bound in
        [Binding::Anyone, Binding::Address(email("x@y.org")), Binding::Domain(domain("z.org"))]
    {
        for terms in terms.clone() {
            let row = Record { binding: bound.clone(), ..factory.invitation() };
            let amend = factory.transition(Command::Amend { current: &row, terms });
            all.push((row, amend));
        }
    }
    let row = factory.invitation();
    let (digest, tag, sealed) = factory.seal(row.id, &factory.code());
    let rotate = factory.transition(Command::Rotate { current: &row, digest, tag, sealed });
    all.push((row, rotate));
    for reason in [None, Some("left\n\"early\" 'n \\ all".to_owned())] {
        let row = factory.invitation();
        let revoke = factory.transition(Command::Revoke { id: row.id, reason: reason.clone() });
        all.push((row, revoke));
        let revocation = Some(Revocation { at: start(), reason });
        let row = Record { revocation, version: 2, ..factory.invitation() };
        let reinstate = factory.transition(Command::Reinstate { current: &row });
        all.push((row, reinstate));
    }
    let row = factory.invitation();
    let delete = factory.transition(Command::Delete { id: row.id });
    all.push((row, delete));
    all
}

/// Every change returns and stores exactly the facts that
/// [`Change::apply_to`](invitation_core::Change::apply_to) produces. It writes its one event and
/// touches no other invitation.
pub async fn every_change_matches_the_specification(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let all = every_change(&factory);
    let rows: Vec<_> = all.iter().map(|(row, _)| row.clone()).collect();
    let bystander = factory.invitation();
    factory.insert(&*store, &rows).await;
    factory.insert(&*store, std::slice::from_ref(&bystander)).await;
    for (row, transition) in all {
        let what = transition.event().action;
        let before = trail(&*store, &row).await;
        let mut facts = Facts::of(row.clone());
        transition.change().apply_to(&mut facts);

        let outcome = apply(&*store, &transition).await;
        assert_eq!(outcome, Outcome::Applied(Box::new(facts.clone())), "{what}: the answer");
        assert_eq!(stored(&*store, &row).await, facts.invitation, "{what}: what is stored");

        let mut after = trail(&*store, &row).await;
        let written = transition.event().clone().about(&row);
        assert!(after.contains(&written), "{what}: the event is stored as it is: {after:?}");
        after.retain(|event| *event != written);
        assert_eq!(after, before, "{what}: there is one event, and the others stay");
    }
    assert_eq!(stored(&*store, &bystander).await, bystander, "another invitation");
    assert_eq!(trail(&*store, &bystander).await.len(), 1, "another invitation's events");
}

/// A refused transition changes no byte and writes no event. Its operation id stays
/// usable: the same transition succeeds once the guard holds.
pub async fn refused_change_has_no_effect(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for (row, transition) in every_change(&factory) {
        let what = transition.event().action;
        // Blocks the transition with a later change of terms, or with no uses left.
        let blocked = match transition.redeemer() {
            Some(_) => {
                Record { revocation: Some(Revocation { at: start(), reason: None }), ..row.clone() }
            }
            None => Record { deleted_at: Some(start()), ..row.clone() },
        };
        factory.insert(&*store, std::slice::from_ref(&blocked)).await;
        let before = trail(&*store, &row).await;

        let outcome = apply(&*store, &transition).await;
        let facts = Facts::of(blocked.clone());
        assert_eq!(outcome, Outcome::Refused(Box::new(facts)), "{what}: the answer");
        assert_eq!(stored(&*store, &row).await, blocked, "{what}: what is stored");
        assert_eq!(trail(&*store, &row).await, before, "{what}: no event is written");

        if transition.redeemer().is_some() {
            let reinstate = factory.transition(Command::Reinstate { current: &blocked });
            assert!(matches!(apply(&*store, &reinstate).await, Outcome::Applied(_)), "reinstate");
            let outcome = apply(&*store, &transition).await;
            assert!(
                matches!(outcome, Outcome::Applied(_)),
                "a refusal does not use up the operation: {outcome:?}"
            );
        }
    }
}

/// The store recognises a resent transition that was applied before, even after later
/// transitions. The resend changes nothing, writes nothing and returns the current facts.
pub async fn resent_change_is_replayed_without_effect(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for (row, transition) in every_change(&factory) {
        let what = transition.event().action;
        factory.insert(&*store, std::slice::from_ref(&row)).await;
        let Outcome::Applied(made) = apply(&*store, &transition).await else {
            panic!("{what}: the guard holds");
        };
        let events = trail(&*store, &row).await;
        let outcome = apply(&*store, &transition).await;
        assert_eq!(outcome, Outcome::Replayed(made.clone()), "{what}: resent");
        assert_eq!(stored(&*store, &row).await, made.invitation, "{what}: nothing changed");
        assert_eq!(trail(&*store, &row).await, events, "{what}: nothing was written");

        let delete = factory.transition(Command::Delete { id: row.id });
        let now = match apply(&*store, &delete).await {
            Outcome::Applied(now) | Outcome::Refused(now) => now.invitation,
            other => panic!("{what}: then deleted: {other:?}"),
        };
        let events = trail(&*store, &row).await;
        let outcome = apply(&*store, &transition).await;
        let expected = Facts { mine: made.mine.clone(), ..Facts::of(now.clone()) };
        assert_eq!(outcome, Outcome::Replayed(Box::new(expected)), "{what}: resent later");
        assert_eq!(stored(&*store, &row).await, now, "{what}: the tombstone stays");
        assert_eq!(trail(&*store, &row).await, events, "{what}: still nothing was written");
    }
}

/// A transition is never applied when an event under its operation id is already stored
/// for the invitation. This holds even if that event records a refusal.
pub async fn recorded_operation_id_is_never_applied(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let row = factory.invitation();
    factory.insert(&*store, std::slice::from_ref(&row)).await;
    let redeem = factory.default_redeem(&row, &newcomer("anna"));
    let refused = Event {
        outcome: invitation_core::EventOutcome::Refused,
        reason: Some(invitation_core::Reason::Revoked),
        ..redeem.event().clone().about(&row)
    };
    store.record(std::slice::from_ref(&refused)).await.expect("the store records");
    let events = trail(&*store, &row).await;

    let outcome = apply(&*store, &redeem).await;
    let facts = Facts::of(row.clone());
    assert_eq!(outcome, Outcome::Replayed(Box::new(facts)), "the operation was refused before");
    assert_eq!(stored(&*store, &row).await, row, "nothing is consumed");
    assert_eq!(trail(&*store, &row).await, events, "the evidence of the refusal stays");
}

/// `apply` returns one outcome per transition, in order. Each transition succeeds or
/// fails independently, even if several are about the same invitation.
pub async fn transitions_of_one_call_succeed_or_fail_independently(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    assert!(store.apply(&[]).await.is_empty(), "nothing in, nothing out");

    let rows: Vec<_> = (0..40).map(|_| factory.invitation()).collect();
    factory.insert(&*store, &rows).await;
    let absent = factory.invitation();
    let (mut batch, mut expected) = (Vec::new(), Vec::new());
    for (n, row) in rows.iter().enumerate() {
        let redeem = factory.default_redeem(row, &newcomer(&format!("a{n}")));
        batch.extend([
            redeem.clone(),
            factory.default_redeem(&absent, &newcomer(&format!("a{n}"))),
            factory.default_redeem(row, &newcomer(&format!("b{n}"))),
            redeem,
        ]);
        expected.extend(["applied", "missing", "refused", "replayed"]);
    }
    let answers = store.apply(&batch).await;
    let answers: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer.expect("the store applies") {
            Outcome::Applied(facts) => {
                assert_eq!(facts.invitation.uses, 1, "the facts are those after the change");
                "applied"
            }
            Outcome::Missing => "missing",
            Outcome::Refused(facts) => {
                assert_eq!(facts.invitation.uses, 1, "refused by the one before");
                "refused"
            }
            Outcome::Replayed(facts) => {
                assert!(facts.mine.is_some(), "the redemption is shown again");
                "replayed"
            }
            Outcome::CodeTaken => "taken",
            Outcome::QuotaFull(_) => "full",
        })
        .collect();
    assert_eq!(answers, expected, "in the order of the transitions");
    for (n, row) in rows.iter().enumerate() {
        let now = stored(&*store, row).await;
        let by = now.last_use.expect("it is used").username;
        assert_eq!((now.uses, by.as_str()), (1, format!("a{n}").as_str()), "row {n}");
        assert_eq!(trail(&*store, row).await.len(), 2, "row {n}: created and redeemed");
    }
}
