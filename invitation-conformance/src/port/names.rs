//! Comparison of names and ids: byte for byte.

use std::num::NonZeroU32;

use invitation_core::{
    EventFilter, Filter, Inviter, Outcome, Record, Scope, Status, Store, Target,
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply},
        reads::{all_events, all_invitations},
        samples::{confusable_names, division, later, newcomer, role, start, user},
    },
};

/// Divisions, roles and users are compared byte for byte. Names differ if only their case, their
/// Unicode form, their ending or a pattern character (`_`, `%`, `*`) differs.
pub async fn names_are_compared_byte_for_byte(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let rows: Vec<_> = (0..)
        .zip(confusable_names())
        .map(|(n, word)| Record {
            division: division(word),
            role: role(word),
            inviter: Inviter::User { user: user(word), role: role("admin"), name: None },
            created_at: later(start(), n),
            ..factory.invitation()
        })
        .collect();
    factory.insert(&*store, &rows).await;
    let all = Filter::all(start());
    for row in &rows {
        let word = row.division.as_str();
        let only = std::slice::from_ref(row);
        let own = Scope::Division(row.division.clone());
        assert_eq!(all_invitations(&*store, &own, &all, 9).await, only, "the division {word:?}");
        let counts = store.count(&own, &all, 9).await.expect("the store counts");
        assert_eq!(counts.of(Status::Active), 1, "counted in the division {word:?}");
        let found = store.get(&Target::Id(row.id), &own).await.expect("the store answers");
        assert_eq!(found.as_ref(), Some(row), "found in the division {word:?}");
        let events = all_events(&*store, &own, &EventFilter::default(), 9).await;
        assert_eq!(events.len(), 1, "events of the division {word:?}");

        let role = Filter { role: Some(row.role.clone()), ..all.clone() };
        assert_eq!(
            all_invitations(&*store, &Scope::All, &role, 9).await,
            only,
            "the role {word:?}"
        );
        let inviter = Filter { inviter: Some(user(word)), ..all.clone() };
        let found = all_invitations(&*store, &Scope::All, &inviter, 9).await;
        assert_eq!(found, only, "the inviter {word:?}");
        for other in rows.iter().filter(|other| other.id != row.id) {
            let found = store.get(&Target::Id(other.id), &own).await.expect("the store answers");
            assert_eq!(found, None, "{:?} is not {word:?}", other.division);
        }
    }
}

/// The ids of redeemers are compared byte for byte, in redemptions and in the audit trail. Ids
/// belong to different users if only their case, their Unicode form, their ending or a pattern
/// character differs.
pub async fn redeemer_ids_are_compared_byte_for_byte(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let max_uses = NonZeroU32::new(100).expect("not zero");
    let row = Record { max_uses, ..factory.invitation() };
    factory.insert(&*store, std::slice::from_ref(&row)).await;
    for word in confusable_names() {
        let redeem = factory.default_redeem(&row, &newcomer(word));
        let outcome = apply(&*store, &redeem).await;
        let Outcome::Applied(facts) = outcome else { panic!("{word:?} is new: {outcome:?}") };
        let own = facts.mine.expect("the redemption is among the facts");
        assert_eq!(own.username.as_str(), word, "by this user");
    }
    for word in confusable_names() {
        let filter =
            EventFilter { user: Some(user(&format!("u-{word}"))), ..EventFilter::default() };
        let events = all_events(&*store, &Scope::All, &filter, 9).await;
        assert_eq!(events.len(), 1, "the events of {word:?}");
    }
}
