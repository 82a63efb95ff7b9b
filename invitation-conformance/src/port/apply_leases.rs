//! Changes of leases, and changes of invitations that have leases, leave exactly the
//! facts that the specification leaves.

use std::num::NonZeroU32;

use invitation_core::{
    Binding, Record, Store, Timestamp, Transition,
    decide::{Command, NewTerms, UseSource},
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, one_day_later},
        lease_oracle::LeaseOracle,
        samples::{domain, email, later, newcomer, role, start},
    },
};

/// Returns the instant `n` minutes after the calls begin.
fn minute(n: i64) -> Timestamp {
    later(one_day_later(), n * 60_000_000)
}

async fn insert(store: &dyn Store, factory: &Factory, max: u32) -> (Record, LeaseOracle) {
    let max_uses = NonZeroU32::new(max).expect("not zero");
    let row = Record { max_uses, ..factory.invitation() };
    factory.insert(store, std::slice::from_ref(&row)).await;
    let oracle = LeaseOracle::of(&row);
    (row, oracle)
}

fn own(oracle: &LeaseOracle, name: &str) -> invitation_core::Lease {
    oracle.lease_of(newcomer(name).user()).expect("there is a lease").clone()
}

/// Applies one transition of each kind that concerns leases, in sequence, to one
/// invitation. Passes each transition to `check` after it was applied.
async fn for_each_lease_change<C>(store: &dyn Store, factory: &Factory, mut check: C)
where
    C: AsyncFnMut(&LeaseOracle, &Transition, &str),
{
    let (row, mut oracle) = insert(store, factory, 4).await;
    let reserve = |name: &str, span, source| factory.reserve(&row, &newcomer(name), span, source);
    let redeem =
        |name: &str, now, source| factory.redeem_with_source(&row, &newcomer(name), now, source);
    let mut step = async |oracle: &mut LeaseOracle, what: &str, transition: Transition| {
        assert!(oracle.apply(store, &transition, what).await, "{what}: is made");
        check(oracle, &transition, what).await;
    };
    // The leases end in another order than they begin, and two end at the same instant.
    for (name, from, until) in [("anna", 0, 10), ("bob", 1, 5), ("carl", 2, 5), ("dora", 2, 30)] {
        let hold = reserve(name, (minute(from), minute(until)), UseSource::Free);
        step(&mut oracle, "hold a free use", hold).await;
    }
    // The leases of bob and carl have expired. Bob's sorts first, by its id.
    let hold = reserve("eve", (minute(6), minute(16)), UseSource::Expired);
    step(&mut oracle, "hold an expired use", hold).await;
    assert!(oracle.lease_of(newcomer("bob").user()).is_none(), "bob's was the first");
    let renewed = UseSource::Own(own(&oracle, "carl"));
    let hold = reserve("carl", (minute(7), minute(17)), renewed);
    step(&mut oracle, "hold one's own again", hold).await;
    let lease = own(&oracle, "carl");
    assert_eq!((lease.since, lease.until), (minute(2), minute(17)), "since then, until later");
    let take = redeem("fred", minute(11), UseSource::Expired);
    step(&mut oracle, "redeem an expired use", take).await;
    let source = UseSource::Own(own(&oracle, "dora"));
    step(&mut oracle, "redeem one's own use", redeem("dora", minute(12), source)).await;
    let lease = own(&oracle, "carl").id;
    let commit = factory.commit(&row, lease, &newcomer("carl"), minute(60));
    step(&mut oracle, "commit a expired one", commit).await;
    let lease = own(&oracle, "eve").id;
    let release = factory.release(&row, lease, &newcomer("eve"), minute(61));
    step(&mut oracle, "release a expired one", release).await;
    step(&mut oracle, "redeem what is free", redeem("gina", minute(62), UseSource::Free)).await;
    assert_eq!((oracle.invitation.uses, oracle.invitation.held), (4, 0), "all are used");
}

/// Every lease change returns and stores exactly the facts that
/// [`Change::apply_to`](invitation_core::Change::apply_to) produces, with the next lease as the
/// first one. It writes its [`evidence`](invitation_core::Transition::evidence).
pub async fn every_lease_change_matches_the_specification(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (other, mut bystander) = insert(&*store, &factory, 4).await;
    let hold = factory.reserve(&other, &newcomer("anna"), (minute(0), minute(1)), UseSource::Free);
    assert!(bystander.apply(&*store, &hold, "elsewhere").await, "on another invitation");
    for_each_lease_change(&*store, &factory, async |_, _, what| {
        bystander.check(&*store, &format!("another invitation: {what}")).await;
    })
    .await;
}

/// The store recognises a resent lease change, both right after the change and at the
/// end.
pub async fn resent_lease_change_is_replayed_without_effect(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (mut all, mut last) = (Vec::new(), None);
    for_each_lease_change(&*store, &factory, async |oracle, transition, what| {
        oracle.resend(&*store, transition, what).await;
        all.push((transition.clone(), what.to_owned()));
        last = Some(oracle.clone());
    })
    .await;
    let oracle = last.expect("there were steps");
    for (transition, what) in all {
        oracle.resend(&*store, &transition, &format!("at the end: {what}")).await;
    }
}

/// A lease that would outlive the invitation ends with the invitation, to the
/// microsecond.
pub async fn lease_ends_no_later_than_the_invitation(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for (by, cut) in [(-1, false), (0, false), (1, true), (86_400_000_000, true)] {
        for renewed in [false, true] {
            let (row, mut oracle) = insert(&*store, &factory, 1).await;
            let (anna, until) = (newcomer("anna"), later(row.expires_at, by));
            let mut source = UseSource::Free;
            if renewed {
                let hold = factory.reserve(&row, &anna, (minute(0), minute(1)), source);
                assert!(oracle.apply(&*store, &hold, "hold").await, "it is free");
                source = UseSource::Own(own(&oracle, "anna"));
            }
            let hold = factory.reserve(&row, &anna, (minute(1), until), source);
            assert!(oracle.apply(&*store, &hold, "hold").await, "it is free, or one's own");
            let expected = if cut { row.expires_at } else { until };
            let what = format!("{by} µs after the expiry, renewed: {renewed}");
            assert_eq!(own(&oracle, "anna").until, expected, "{what}");
        }
    }
}

/// Returns the terms of each amendment, and whether it ends all leases.
fn amendments() -> Vec<(NewTerms, bool)> {
    let nothing = NewTerms { binding: None, role: None, expires_at: None };
    let soon = Some(later(one_day_later(), 3_600_000_001));
    vec![
        (NewTerms { binding: Some(Binding::Address(email("a@b.org"))), ..nothing.clone() }, true),
        (NewTerms { binding: Some(Binding::Domain(domain("b.org"))), ..nothing.clone() }, true),
        (NewTerms { binding: Some(Binding::Anyone), ..nothing.clone() }, true),
        (NewTerms { role: Some(role("manager")), ..nothing.clone() }, true),
        (NewTerms { role: Some(role("staff")), expires_at: soon, ..nothing.clone() }, true),
        (NewTerms { expires_at: soon, ..nothing }, false),
    ]
}

/// Revoking, deleting, rotating, and amending the binding or the role end all leases.
/// Amending only the expiry leaves them as they were.
pub async fn change_of_terms_ends_all_leases(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for leases in [1, 3] {
        for n in 0..9 {
            let (row, mut oracle) = insert(&*store, &factory, 4).await;
            let names = ["anna", "bob", "carl"];
            for name in names.into_iter().take(leases) {
                // One of the leases has expired by the time of the change.
                let until = if name == "bob" { one_day_later() } else { minute(10) };
                let hold =
                    factory.reserve(&row, &newcomer(name), (start(), until), UseSource::Free);
                assert!(oracle.apply(&*store, &hold, name).await, "{name} gets a free use");
            }
            let current = &oracle.invitation.clone();
            let mut all = amendments();
            let (command, ends) = match n {
                0 => (Command::Revoke { id: row.id, reason: None }, true),
                1 => (Command::Delete { id: row.id }, true),
                2 => {
                    let (digest, tag, sealed) = factory.seal(row.id, &factory.code());
                    (Command::Rotate { current, digest, tag, sealed }, true)
                }
                n => {
                    let (terms, ends) = all.remove(n - 3);
                    (Command::Amend { current, terms }, ends)
                }
            };
            let what = format!("{command:?}");
            let lease = own(&oracle, "anna");
            let change = factory.transition(command);
            assert!(oracle.apply(&*store, &change, &what).await, "{what}: is made");
            assert_eq!(oracle.leases.is_empty(), ends, "{what}: leases");
            oracle.resend(&*store, &change, &what).await;
            let commit = factory.commit(&row, lease.id, &newcomer("anna"), minute(1));
            assert_eq!(oracle.apply(&*store, &commit, &what).await, !ends, "{what}: the commit");
        }
    }
}

/// A refused lease change leaves everything as it was. Several lease changes in one call
/// succeed or fail independently.
pub async fn refused_lease_change_has_no_effect(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (row, mut oracle) = insert(&*store, &factory, 1).await;
    let hold = factory.reserve(&row, &newcomer("anna"), (minute(0), minute(10)), UseSource::Free);
    assert!(oracle.apply(&*store, &hold, "hold").await, "it is free");
    let lease = own(&oracle, "anna");
    let (bob, span) = (newcomer("bob"), (minute(1), minute(20)));
    for source in [UseSource::Free, UseSource::Expired, UseSource::Own(lease.clone())] {
        let what = format!("{source:?}");
        let redeem = factory.redeem_with_source(&row, &bob, minute(9), source.clone());
        assert!(!oracle.apply(&*store, &redeem, &what).await, "{what}: it is held");
        let reserve = factory.reserve(&row, &bob, span, source);
        assert!(!oracle.apply(&*store, &reserve, &what).await, "{what}: it is held");
        // A refusal does not consume the operation id.
        assert!(!oracle.apply(&*store, &reserve, &what).await, "{what}: still");
    }
    let call = [
        factory.commit(&row, lease.id, &bob, minute(11)),
        factory.redeem_with_source(&row, &bob, minute(11), UseSource::Expired),
        factory.commit(&row, lease.id, &newcomer("anna"), minute(11)),
        factory.release(&row, lease.id, &newcomer("anna"), minute(11)),
    ];
    let answers = store.apply(&call).await;
    let made: Vec<_> = answers
        .iter()
        .map(|answer| matches!(answer, Ok(invitation_core::Outcome::Applied(_))))
        .collect();
    assert_eq!(made, [false, true, false, false], "in the order of the call: {answers:?}");
}
