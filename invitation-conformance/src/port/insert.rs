//! Inserting: all rows or none, and each code digest at most once.

use invitation_core::{
    EventFilter, Filter, Insert, Inserted, NewInvitation, Outcome, Record, Scope, Store, Target,
    decide::Command,
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply},
        reads::{all_events, all_invitations, stored, trail},
        samples::{newcomer, start},
    },
};

/// Tries to insert rows with a taken code, and checks that none of them is stored.
async fn must_be_taken(store: &dyn Store, rows: &[NewInvitation], what: &str) {
    let filter = Filter::all(start());
    let everything = async || {
        let invitations = all_invitations(store, &Scope::All, &filter, 200).await;
        let events = all_events(store, &Scope::All, &EventFilter::default(), 200).await;
        (invitations, events)
    };
    let before = everything().await;
    let inserted = store.insert(&Insert::of(rows.to_vec())).await.expect("the store inserts");
    assert_eq!(inserted, Inserted::CodeTaken, "{what}");
    assert_eq!(everything().await, before, "{what}: nothing is stored");
    for row in rows {
        let target = Target::Id(row.invitation.id);
        let found = store.get(&target, &Scope::All).await.expect("the store answers");
        assert_eq!(found, None, "{what}: no invitation is stored");
    }
}

/// Inserted invitations are stored, each with its event, and are found by id and by code.
pub async fn inserted_invitations_are_found_by_id_and_code(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let rows: Vec<_> = (0..3).map(|_| factory.new_invitation(factory.invitation())).collect();
    assert_eq!(
        store.insert(&Insert::of(rows.clone())).await.expect("the store inserts"),
        Inserted::Stored
    );
    for NewInvitation { invitation, event } in rows {
        assert_eq!(stored(&*store, &invitation).await, invitation, "by its id");
        for digests in
            [vec![invitation.digest], vec![factory.invitation().digest, invitation.digest]]
        {
            let target = Target::Code(digests);
            let found = store.get(&target, &Scope::All).await.expect("the store answers");
            assert_eq!(found.as_ref(), Some(&invitation), "by one of the digests");
        }
        assert_eq!(trail(&*store, &invitation).await, [event], "its event is stored");
    }
    for target in [
        Target::Id(factory.invitation_id()),
        Target::Code(vec![factory.invitation().digest, factory.invitation().digest]),
        Target::Code(vec![]),
    ] {
        let found = store.get(&target, &Scope::All).await.expect("the store answers");
        assert_eq!(found, None, "not inserted: {target:?}");
    }
}

/// One call can insert a thousand invitations.
pub async fn insert_of_1000_invitations_stores_all(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let mut rows: Vec<_> = (0..1_000).map(|_| factory.invitation()).collect();
    factory.insert(&*store, &rows).await;
    rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id)));
    let found = all_invitations(&*store, &Scope::All, &Filter::all(start()), 200).await;
    assert_eq!(found.len(), rows.len(), "every one is stored");
    assert!(found == rows, "each as it was inserted, newest first");
    let events = all_events(&*store, &Scope::All, &EventFilter::default(), 200).await;
    assert_eq!(events.len(), rows.len(), "each has its event");
}

/// An insert stores all rows or none. It stores none if a digest belongs to another row
/// of the call or to a stored invitation in any state, tombstones included.
pub async fn insert_with_a_taken_code_stores_nothing(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (used, deleted, rotated) =
        (factory.invitation(), factory.invitation(), factory.invitation());
    factory.insert(&*store, &[used.clone(), deleted.clone(), rotated.clone()]).await;
    let (digest, tag, sealed) = factory.seal(rotated.id, &factory.code());
    for transition in [
        factory.default_redeem(&used, &newcomer("anna")),
        factory.transition(Command::Delete { id: deleted.id }),
        factory.transition(Command::Rotate { current: &rotated, digest, tag, sealed }),
    ] {
        let outcome = apply(&*store, &transition).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "preparing: {outcome:?}");
    }
    for (taken, what) in [
        (used.digest, "the code of a used one"),
        (deleted.digest, "the code of a tombstone"),
        (digest, "the code of a rotation"),
    ] {
        let row = Record { digest: taken, ..factory.invitation() };
        must_be_taken(&*store, &[factory.new_invitation(row.clone())], what).await;
        let fine = || factory.new_invitation(factory.invitation());
        let rows = [fine(), fine(), factory.new_invitation(row.clone()), fine()];
        must_be_taken(&*store, &rows, &format!("{what}, among others")).await;
    }
    let twin = factory.invitation();
    let other = Record { digest: twin.digest, ..factory.invitation() };
    let rows = [
        factory.new_invitation(twin),
        factory.new_invitation(factory.invitation()),
        factory.new_invitation(other),
    ];
    must_be_taken(&*store, &rows, "twice in one call").await;
}

/// A rotation to a digest that is already stored changes nothing. This includes digests
/// of tombstones and the invitation's own present digest.
pub async fn rotation_to_a_taken_code_changes_nothing(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (row, other, deleted) = (factory.invitation(), factory.invitation(), factory.invitation());
    factory.insert(&*store, &[row.clone(), other.clone(), deleted.clone()]).await;
    let delete = factory.transition(Command::Delete { id: deleted.id });
    assert!(matches!(apply(&*store, &delete).await, Outcome::Applied(_)), "preparing");

    for (taken, what) in [(&other, "another's"), (&deleted, "a tombstone's"), (&row, "its own")] {
        let rotate = factory.transition(Command::Rotate {
            current: &row,
            digest: taken.digest,
            tag: taken.tag,
            sealed: taken.sealed.clone(),
        });
        let events = trail(&*store, &row).await;
        assert_eq!(apply(&*store, &rotate).await, Outcome::CodeTaken, "rotation to {what} code");
        assert_eq!(stored(&*store, &row).await, row, "{what}: nothing changed");
        assert_eq!(trail(&*store, &row).await, events, "{what}: no event is written");
    }
    assert_eq!(stored(&*store, &other).await, other, "whose code it is has not changed");
}

/// After a rotation the invitation is found only by the new code.
pub async fn rotated_invitation_is_found_by_its_new_code_only(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let row = factory.invitation();
    factory.insert(&*store, std::slice::from_ref(&row)).await;
    let (digest, tag, sealed) = factory.seal(row.id, &factory.code());
    let rotate = factory.transition(Command::Rotate { current: &row, digest, tag, sealed });
    assert!(matches!(apply(&*store, &rotate).await, Outcome::Applied(_)), "the guard holds");

    let old = Target::Code(vec![row.digest]);
    assert_eq!(
        store.get(&old, &Scope::All).await.expect("the store answers"),
        None,
        "the old code"
    );
    assert_eq!(
        store.locate(&old).await.expect("the store answers"),
        None,
        "located by the old code"
    );
    let redeem = factory.default_redeem(&row, &newcomer("anna"));
    assert_eq!(apply(&*store, &redeem).await, Outcome::Missing, "redeemed by the old code");
    let new = store.get(&Target::Code(vec![digest]), &Scope::All).await.expect("the store answers");
    assert_eq!(new.map(|found| found.id), Some(row.id), "by the new code");
}
