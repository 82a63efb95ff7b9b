//! Which invitations a store finds: those within the scope.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::{
    Division, EventFilter, Filter, Insert, Inserted, Located, Outcome, PageRequest, Record, Scope,
    Status, StatusCounts, Store, Target, Timestamp,
    decide::{RedeemCommand, UseSource, decide_redemption},
};

use super::apply::every_change;
use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        lease_oracle::LeaseOracle,
        reads::{all_events, stored, trail},
        samples::{division, later, newcomer, start, user},
    },
};

/// A call with a scope treats an invitation outside the scope as missing. It does not find, list,
/// count or change the invitation.
pub async fn invitation_out_of_scope_is_missing(fixture: Fixture) {
    let elsewhere = Scope::Division(division("hr"));
    // The rows are in sales; the transitions have the scope hr.
    let (store, factory) = (fixture.store(), Factory::new().with_scope(elsewhere.clone()));
    for (row, transition) in every_change(&factory) {
        let what = transition.event().action;
        factory.insert(&*store, std::slice::from_ref(&row)).await;
        let events = trail(&*store, &row).await;
        assert_eq!(transition.scope(), &elsewhere);
        assert_eq!(apply(&*store, &transition).await, Outcome::Missing, "{what}: from elsewhere");
        assert_eq!(stored(&*store, &row).await, row, "{what}: nothing changed");
        assert_eq!(trail(&*store, &row).await, events, "{what}: no event is written");
        for target in [Target::Id(row.id), Target::Code(vec![row.digest])] {
            let found = store.get(&target, &elsewhere).await.expect("the store answers");
            assert_eq!(found, None, "not found from elsewhere");
            let anna = user("u-anna");
            let facts = store.facts(&target, &elsewhere, &anna).await.expect("the store answers");
            assert_eq!(facts, None, "no facts from elsewhere");
        }
    }
    let page = PageRequest { after: None, limit: 200 };
    let listing = store.list(&elsewhere, &Filter::all(start()), &page).await.expect("it lists");
    assert!(listing.items.is_empty(), "not listed elsewhere");
    let counted = store.count(&elsewhere, &Filter::all(start()), 100).await.expect("it counts");
    assert_eq!(counted, StatusCounts::up_to(100), "not counted elsewhere");
    let seen = all_events(&*store, &elsewhere, &EventFilter::default(), 50).await;
    assert_eq!(seen, [], "no events elsewhere");
}

/// A transition on an invitation that was never inserted returns [`Outcome::Missing`] and writes
/// no event. So does a redemption without any digest. The invitation has no facts.
pub async fn invitation_never_inserted_is_missing(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    factory.insert(&*store, &[factory.invitation()]).await;
    for (absent, transition) in every_change(&factory) {
        let what = transition.event().action;
        assert_eq!(apply(&*store, &transition).await, Outcome::Missing, "{what}");
        assert_eq!(trail(&*store, &absent).await, [], "{what}: no event is written");
        for target in [Target::Id(absent.id), Target::Code(vec![absent.digest])] {
            let anna = user("u-anna");
            let facts = store.facts(&target, &Scope::All, &anna).await.expect("the store answers");
            assert_eq!(facts, None, "{what}: no facts");
        }
    }
    let anna = newcomer("anna");
    let command = RedeemCommand::Redeem {
        code: Vec::new(),
        redeemer: &anna,
        ceiling: &Arc::from(Vec::new()),
        vouched: None,
        source: UseSource::Free,
    };
    let call = factory.call(start());
    let nothing = decide_redemption(command, Scope::All, &call);
    assert_eq!(apply(&*store, &nothing).await, Outcome::Missing, "no digest");
}

/// `facts` returns an invitation by id in every state, and by code unless it is a tombstone that the
/// user has not redeemed. It has the redemption and the lease of the named user and the first of all leases.
pub async fn facts_are_about_the_named_user(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let used = factory.redemption("bob", start());
    let of = |max, uses: u32| Record {
        max_uses: NonZeroU32::new(max).expect("not zero"),
        uses,
        last_use: (uses > 0).then(|| used.clone()),
        expires_at: Timestamp::MAX,
        ..factory.invitation()
    };
    let deleted = Record { deleted_at: Some(start()), ..of(1, 1) };
    for row in [of(1, 0), of(1, 1), of(3, 0), of(3, 1), deleted] {
        let what = format!("{} of {}", row.uses, row.max_uses);
        factory.insert(&*store, std::slice::from_ref(&row)).await;
        let mut oracle = LeaseOracle::of(&row);
        let alive = row.deleted_at.is_none();
        let free = if alive { row.max_uses.get() - row.uses } else { 0 };
        let holders = ["carl", "dora", "eve"].into_iter().take(usize::try_from(free).expect("few"));
        // The later a lease begins, the earlier it expires.
        for (n, name) in (0..).zip(holders) {
            let until = later(one_day_later(), 3_600_000_000 - n);
            let span = (later(one_day_later(), n), until);
            let reserve = factory.reserve(&row, &newcomer(name), span, UseSource::Free);
            assert!(oracle.apply(&*store, &reserve, name).await, "{name} gets a free use");
        }
        for name in ["bob", "carl", "dora", "eve", "Bob", "frank"] {
            let redeemer = newcomer(name);
            let expected = Some(oracle.facts(Some(redeemer.user())));
            for target in [Target::Id(row.id), Target::Code(vec![row.digest])] {
                for scope in [Scope::All, Scope::Division(row.division.clone())] {
                    let facts = store.facts(&target, &scope, redeemer.user()).await;
                    let facts = facts.expect("the store answers");
                    let expected =
                        expected.as_ref().filter(|facts| target.finds(&row, facts.mine.as_ref()));
                    assert_eq!(facts.as_ref(), expected, "{what}, about {name}");
                }
            }
        }
    }
}

/// `locate` finds an invitation in any division, tombstones included.
pub async fn locate_finds_every_division_and_state(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for (name, deleted_at) in [("sales", None), ("hr", None), ("hr", Some(start()))] {
        let row = Record { division: division(name), deleted_at, ..factory.invitation() };
        factory.insert(&*store, std::slice::from_ref(&row)).await;
        let there = Some(Located { id: row.id, division: division(name) });
        for target in [Target::Id(row.id), Target::Code(vec![row.digest])] {
            let located = store.locate(&target).await.expect("the store answers");
            assert_eq!(located, there, "{name}, deleted: {}", deleted_at.is_some());
        }
    }
    let absent = Target::Id(factory.invitation_id());
    assert_eq!(store.locate(&absent).await.expect("the store answers"), None, "nowhere");
}

/// A store behind `&`, `Box`, `Arc` or `dyn` behaves like the store itself.
pub async fn store_behind_a_pointer_behaves_like_the_store(fixture: Fixture) {
    /// Calls most methods of the store, and checks their results.
    async fn exercise<S: Store>(store: S, factory: &Factory) {
        let row = factory.invitation();
        let target = Target::Id(row.id);
        let inserted = store
            .insert(&Insert::of(vec![factory.new_invitation(row.clone())]))
            .await
            .expect("it inserts");
        assert_eq!(inserted, Inserted::Stored);
        let redeem = factory.default_redeem(&row, &newcomer("anna"));
        let answers = store.apply(&[redeem.clone(), redeem]).await;
        assert!(matches!(answers.as_slice(), [Ok(Outcome::Applied(_)), Ok(Outcome::Replayed(_))]));
        let found = store.get(&target, &Scope::All).await.expect("it finds");
        assert_eq!(found.map(|found| found.uses), Some(1));
        let sales = Division::new("sales").expect("a division");
        let anna = newcomer("anna").user().clone();
        let facts = store.facts(&target, &Scope::All, &anna).await.expect("it finds");
        assert!(facts.is_some_and(|facts| facts.mine.is_some()));
        let located = store.locate(&target).await.expect("it locates");
        assert_eq!(located, Some(Located { id: row.id, division: sales }));
        let event = factory.event(invitation_core::Action::Copy, start()).about(&row);
        store.record(&[event]).await.expect("it records");
        let filter = Filter { status: Some(Status::Used), ..Filter::all(start()) };
        let page = PageRequest { after: None, limit: 1 };
        let listing = store.list(&Scope::All, &filter, &page).await.expect("it lists");
        assert_eq!(listing.items.len(), 1);
        let counts = store.count(&Scope::All, &filter, 100).await.expect("it counts");
        assert!(counts.of(Status::Used) > 0);
        let filter = EventFilter { invitation: Some(row.id), ..EventFilter::default() };
        assert_eq!(all_events(&store, &Scope::All, &filter, 2).await.len(), 3);
    }
    let (store, factory) = (fixture.store(), Factory::new());
    let committed_by = store.committed_by();
    exercise(&*store, &factory).await;
    exercise(&store, &factory).await;
    exercise(Box::new(Arc::clone(&store)), &factory).await;
    exercise(Box::new(Arc::clone(&store)) as Box<dyn Store>, &factory).await;
    exercise(Arc::new(Box::new(Arc::clone(&store))), &factory).await;
    assert_eq!(Box::new(&store).committed_by(), committed_by, "`committed_by` is forwarded");
}
