//! Each guard condition about leases has the same verdict on every store.

use std::num::NonZeroU32;

use invitation_core::{
    Condition, EventId, Lease, Record, Store, Timestamp, Transition, decide::UseSource,
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, one_day_later},
        lease_oracle::LeaseOracle,
        samples::{later, newcomer, start},
    },
};

/// Stores an invitation with `max` uses, with `uses` of them redeemed.
async fn insert(
    store: &dyn Store,
    factory: &Factory,
    max: u32,
    uses: u32,
) -> (Record, LeaseOracle) {
    let row = Record {
        max_uses: NonZeroU32::new(max).expect("not zero"),
        uses,
        last_use: (uses > 0).then(|| factory.redemption("bob", start())),
        expires_at: Timestamp::MAX,
        ..factory.invitation()
    };
    factory.insert(store, std::slice::from_ref(&row)).await;
    let oracle = LeaseOracle::of(&row);
    (row, oracle)
}

/// Reserves a use for each name, until one hour after the request.
async fn hold(
    store: &dyn Store,
    factory: &Factory,
    row: &Record,
    oracle: &mut LeaseOracle,
    names: &[&str],
) {
    for name in names {
        let span = (one_day_later(), later(one_day_later(), 3_600_000_000));
        let reserve = factory.reserve(row, &newcomer(name), span, UseSource::Free);
        assert!(oracle.apply(store, &reserve, name).await, "{name} gets a free use");
    }
}

fn failed<'t>(oracle: &LeaseOracle, transition: &'t Transition) -> Option<&'t Condition> {
    transition.guard().first_refusal(&oracle.facts_for(transition))
}

/// `FirstHoldBy` refuses a user who already has a lease. User ids are compared byte for
/// byte.
pub async fn first_hold_by_compares_user_ids_byte_for_byte(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let names = ["anna", "Anna", "anna2", "a%", "a_na", "ann\u{e4}", "anna\u{308}"];
    let (row, mut oracle) = insert(&*store, &factory, 50, 0).await;
    hold(&*store, &factory, &row, &mut oracle, &names).await;
    for name in names {
        let anna = newcomer(name);
        let span = (one_day_later(), later(one_day_later(), 7_200_000_000));
        let again = factory.reserve(&row, &anna, span, UseSource::Free);
        let redeem = factory.redeem_with_source(&row, &anna, one_day_later(), UseSource::Free);
        for transition in [again, redeem] {
            let condition = failed(&oracle, &transition);
            assert!(matches!(condition, Some(Condition::FirstHoldBy(_))), "{name}: {condition:?}");
            let made = oracle.apply(&*store, &transition, name).await;
            assert!(!made, "{name} has a lease already");
        }
    }
    hold(&*store, &factory, &row, &mut oracle, &["ANNA", "anna.", "ann"]).await;
}

/// `UseFree` holds while redeemed uses and leases together are fewer than `max_uses`.
pub async fn use_free_counts_uses_and_leases(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for max in [1, 2, 3] {
        for uses in 0..=max {
            for held in 0..=max - uses {
                let what = format!("{uses} used and {held} held of {max}");
                for redeems in [true, false] {
                    let (row, mut oracle) = insert(&*store, &factory, max, uses).await;
                    let others = &["carl", "dora", "eve"][..usize::try_from(held).expect("few")];
                    hold(&*store, &factory, &row, &mut oracle, others).await;
                    let (anna, now) = (newcomer("anna"), one_day_later());
                    let transition = if redeems {
                        factory.redeem_with_source(&row, &anna, now, UseSource::Free)
                    } else {
                        factory.reserve(&row, &anna, (now, later(now, 1)), UseSource::Free)
                    };
                    let holds = uses + held < max;
                    if !holds && uses < max {
                        let condition = failed(&oracle, &transition);
                        assert_eq!(condition, Some(&Condition::UseFree), "{what}: why");
                    }
                    assert_eq!(oracle.apply(&*store, &transition, &what).await, holds, "{what}");
                }
            }
        }
    }
}

/// `LeaseExpired` holds if at least one lease has expired, to the microsecond, no matter
/// whose it is. Without leases it does not hold.
pub async fn lease_expired_holds_from_the_microsecond_of_expiry(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let begin = later(start(), 10);
    for ends in [vec![], vec![1], vec![999_999], vec![1_000_000], vec![5_000_000, 1_000_001, 7]] {
        let first = later(begin, ends.iter().min().copied().unwrap_or(3));
        for (by, reached) in [(-1, false), (0, true), (1, true), (86_400_000_000, true)] {
            let what = format!("leases until {ends:?}, {by} µs after the first end");
            let (row, mut oracle) = insert(&*store, &factory, 3, 0).await;
            for (end, name) in ends.iter().zip(["bob", "carl", "dora"]) {
                let span = (begin, later(begin, *end));
                let reserve = factory.reserve(&row, &newcomer(name), span, UseSource::Free);
                assert!(oracle.apply(&*store, &reserve, &what).await, "{what}: {name}");
            }
            let now = later(first, by);
            let take = factory.redeem_with_source(&row, &newcomer("anna"), now, UseSource::Expired);
            let holds = reached && !ends.is_empty();
            if !holds {
                let condition = failed(&oracle, &take);
                assert_eq!(condition, Some(&Condition::LeaseExpired { now }), "{what}: why");
            }
            assert_eq!(oracle.apply(&*store, &take, &what).await, holds, "{what}");
        }
    }
}

/// `HoldsLease` holds if this user has this lease, expired or not.
pub async fn holds_lease_compares_lease_and_user(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let near = |lease: &Lease| {
        let mut bytes = *lease.id.as_bytes();
        bytes[15] ^= 1;
        EventId::from_bytes(bytes)
    };
    for late in [0, 1, 3_599_999_999, 3_600_000_000, 86_400_000_000] {
        let now = later(one_day_later(), late);
        let (row, mut oracle) = insert(&*store, &factory, 4, 0).await;
        hold(&*store, &factory, &row, &mut oracle, &["anna", "bob"]).await;
        let of = |name: &str| oracle.lease_of(newcomer(name).user()).expect("a lease").clone();
        let (anna, bob) = (of("anna"), of("bob"));
        let wrong = [
            (bob.id, "anna"),
            (anna.id, "bob"),
            (anna.id, "Anna"),
            (anna.id, "ANNA"),
            (anna.id, "ann%"),
            (anna.id, "carl"),
            (near(&anna), "anna"),
            (factory.event_id(), "anna"),
        ];
        for (lease, name) in wrong {
            let commit = factory.commit(&row, lease, &newcomer(name), now);
            let release = factory.release(&row, lease, &newcomer(name), now);
            for transition in [commit, release] {
                let condition = failed(&oracle, &transition);
                assert!(
                    matches!(condition, Some(Condition::HoldsLease { .. })),
                    "{name}: {condition:?}"
                );
                assert!(!oracle.apply(&*store, &transition, name).await, "{name} does not hold it");
            }
        }
        let release = factory.release(&row, bob.id, &newcomer("bob"), now);
        assert!(oracle.apply(&*store, &release, "release").await, "{late} µs later: released");
        let commit = factory.commit(&row, anna.id, &newcomer("anna"), now);
        assert!(oracle.apply(&*store, &commit, "commit").await, "{late} µs later: committed");
    }
}

/// `OwnLeaseExpired` holds if the redeemer's own lease has expired, to the microsecond.
/// Leases of other users do not matter. After a renewal it does not hold.
pub async fn own_lease_expired_holds_from_the_microsecond_of_expiry(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for (by, holds) in [(-1, false), (0, true), (1, true), (86_400_000_000, true)] {
        let (row, mut oracle) = insert(&*store, &factory, 4, 0).await;
        hold(&*store, &factory, &row, &mut oracle, &["bob"]).await;
        let (anna, begin) = (newcomer("anna"), later(one_day_later(), 1_000_000));
        let span = (begin, later(begin, 3_600_000_000));
        let reserve = factory.reserve(&row, &anna, span, UseSource::Free);
        assert!(oracle.apply(&*store, &reserve, "a free use").await);
        let own = oracle.lease_of(anna.user()).expect("a lease").clone();

        let now = later(own.until, by);
        let span = (now, later(now, 3_600_000_000));
        for attempt in ["first", "again"] {
            let what = format!("{by} µs after the end, {attempt}");
            let renew = factory.reserve(&row, &anna, span, UseSource::Own(own.clone()));
            let holds = holds && attempt == "first";
            if !holds {
                let condition = failed(&oracle, &renew);
                assert!(
                    matches!(condition, Some(Condition::OwnLeaseExpired { .. })),
                    "{what}: {condition:?}"
                );
            }
            assert_eq!(oracle.apply(&*store, &renew, &what).await, holds, "{what}");
        }
    }
}
