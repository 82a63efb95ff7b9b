//! The conditions about mailboxes have the same verdict on every store, and a mailbox is stored
//! with the redemption and the lease that it belongs to.

use std::num::NonZeroU32;

use invitation_core::{
    Binding, Condition, Insert, Inserted, Lease, Outcome, Purge, Record, Redeemer, Redemption,
    Scope, Store, Timestamp, Transition,
    decide::{Command, NewTerms, UseSource},
};

use crate::{
    Fixture,
    support::{
        factory::{Factory, apply, one_day_later},
        lease_oracle::LeaseOracle,
        reads::all_redemptions,
        samples::{domain, email, later, newcomer, newcomer_with_email, start},
    },
};

const ANNA: &str = "anna@example.com";
const BEN: &str = "ben@example.com";
const CARL: &str = "carl@example.com";

/// Returns the instant `n` minutes after the calls begin.
fn minute(n: i64) -> Timestamp {
    later(one_day_later(), n * 60_000_000)
}

/// Returns an invitation that is bound to `example.com`.
fn for_domain(factory: &Factory, max: u32) -> Record {
    Record {
        binding: Binding::Domain(domain("example.com")),
        max_uses: NonZeroU32::new(max).expect("not zero"),
        ..factory.invitation()
    }
}

async fn insert(store: &dyn Store, factory: &Factory, row: Record) -> (Record, LeaseOracle) {
    factory.insert(store, std::slice::from_ref(&row)).await;
    let oracle = LeaseOracle::of(&row);
    (row, oracle)
}

/// Returns a redemption and a reservation of a free use.
fn both(factory: &Factory, row: &Record, who: &Redeemer, now: Timestamp) -> [Transition; 2] {
    let span = (now, later(now, 3_600_000_000));
    [
        factory.redeem_with_source(row, who, now, UseSource::Free),
        factory.reserve(row, who, span, UseSource::Free),
    ]
}

fn failed<'t>(oracle: &LeaseOracle, transition: &'t Transition) -> Option<&'t Condition> {
    transition.guard().first_refusal(&oracle.facts_for(transition))
}

fn own(oracle: &LeaseOracle, name: &str) -> Lease {
    oracle.lease_of(newcomer(name).user()).expect("there is a lease").clone()
}

/// `MailboxUnused` refuses an address that another user has redeemed a domain's code with, or
/// holds a use with. Addresses are compared in their comparison form, byte for byte.
pub async fn mailbox_unused_compares_comparison_forms(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (row, mut oracle) = insert(&*store, &factory, for_domain(&factory, 90)).await;
    // An earlier redemption is not in the invitation's own row any more.
    for (name, address) in [("anna", ANNA), ("zoe", "zoe@example.com")] {
        let [redeem, _] = both(&factory, &row, &newcomer_with_email(name, address), minute(0));
        assert!(oracle.apply(&*store, &redeem, name).await, "{name} is the first");
    }
    for (name, address) in [("ben", BEN), ("carl", CARL)] {
        let [_, reserve] = both(&factory, &row, &newcomer_with_email(name, address), minute(0));
        assert!(oracle.apply(&*store, &reserve, name).await, "{name} is the first");
    }
    let taken = [ANNA, "ANNA@Example.COM", "zoe@example.com", BEN, "Carl@EXAMPLE.com"];
    for (n, address) in taken.into_iter().enumerate() {
        let who = newcomer_with_email(&format!("late{n}"), address);
        for transition in both(&factory, &row, &who, minute(1)) {
            let condition = failed(&oracle, &transition);
            assert!(matches!(condition, Some(Condition::MailboxUnused(_))), "{condition:?}");
            let made = oracle.apply(&*store, &transition, address).await;
            assert!(!made, "{address} is taken");
        }
    }
    let free = ["anna+1@example.com", "ann_@example.com", "%@example.com", "nna@example.com"];
    for (n, address) in free.into_iter().enumerate() {
        let who = newcomer_with_email(&format!("other{n}"), address);
        let [redeem, reserve] = both(&factory, &row, &who, minute(1));
        let transition = if n % 2 == 0 { redeem } else { reserve };
        assert!(oracle.apply(&*store, &transition, address).await, "{address} is another");
    }
}

/// A redemption that was inserted with its invitation takes its mailbox, too.
pub async fn mailbox_of_an_inserted_redemption_is_used(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let last_use = Some(Redemption {
        mailbox: Some(email(ANNA).key().clone()),
        ..factory.redemption("anna", start())
    });
    let row = Record { uses: 1, last_use, ..for_domain(&factory, 3) };
    let (row, mut oracle) = insert(&*store, &factory, row).await;
    for transition in both(&factory, &row, &newcomer_with_email("late", ANNA), minute(0)) {
        assert!(!oracle.apply(&*store, &transition, "late").await, "anna's mailbox is used");
    }
    let [redeem, _] = both(&factory, &row, &newcomer_with_email("ben", BEN), minute(0));
    assert!(oracle.apply(&*store, &redeem, "ben").await, "another mailbox");
}

/// `MailboxLeaseExpired` holds if the lease with the mailbox has expired, to the microsecond.
/// Leases with other mailboxes do not matter.
pub async fn mailbox_lease_expired_holds_from_the_microsecond_of_expiry(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let until = minute(10);
    for (by, reached) in [(-1, false), (0, true), (1, true), (86_400_000_000, true)] {
        for redeems in [true, false] {
            let what = format!("{by} µs after the end, redeems: {redeems}");
            let (row, mut oracle) = insert(&*store, &factory, for_domain(&factory, 5)).await;
            for (name, address, end) in [("anna", ANNA, until), ("ben", BEN, minute(1))] {
                let (who, span) = (newcomer_with_email(name, address), (minute(0), end));
                let hold = factory.reserve(&row, &who, span, UseSource::Free);
                assert!(oracle.apply(&*store, &hold, &what).await, "{what}: {name}");
            }
            let now = later(until, by);
            let take = |name: &str, address: &str| {
                let source = UseSource::Mailbox(email(address).key().clone());
                let (who, span) = (newcomer_with_email(name, address), (now, later(now, 60)));
                if redeems {
                    factory.redeem_with_source(&row, &who, now, source)
                } else {
                    factory.reserve(&row, &who, span, source)
                }
            };
            let none = take("carl", CARL);
            let condition = failed(&oracle, &none);
            assert!(matches!(condition, Some(Condition::MailboxLeaseExpired { .. })), "{what}");
            assert!(!oracle.apply(&*store, &none, &what).await, "{what}: no lease has it");
            let it = take("other", ANNA);
            assert_eq!(oracle.apply(&*store, &it, &what).await, reached, "{what}");
            assert!(oracle.lease_of(newcomer("ben").user()).is_some(), "{what}: ben's stays");
        }
    }
}

/// Every change of a domain's code returns and stores exactly the facts that
/// [`Change::apply_to`](invitation_core::Change::apply_to) produces. A mailbox is decided when a
/// lease begins, and stays through renewal, commit and redemption.
pub async fn every_mailbox_change_matches_the_specification(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (row, mut oracle) = insert(&*store, &factory, for_domain(&factory, 5)).await;
    let mut all = Vec::new();
    let mut step = async |oracle: &mut LeaseOracle, what: &'static str, one: Transition| {
        assert!(oracle.apply(&*store, &one, what).await, "{what}: is made");
        oracle.resend(&*store, &one, what).await;
        all.push((one, what));
    };
    let (anna, ben) = (newcomer_with_email("anna", ANNA), newcomer_with_email("ben", BEN));
    let key = |address: &str| email(address).key().clone();
    for (who, until) in [(&anna, 5), (&ben, 9)] {
        let hold = factory.reserve(&row, who, (minute(0), minute(until)), UseSource::Free);
        step(&mut oracle, "hold", hold).await;
    }
    let twin = newcomer_with_email("twin", ANNA);
    let source = UseSource::Mailbox(key(ANNA));
    let hold = factory.reserve(&row, &twin, (minute(6), minute(8)), source);
    step(&mut oracle, "hold the use of the mailbox", hold).await;
    assert!(oracle.lease_of(anna.user()).is_none(), "anna's lease was taken over");
    // The address proved now is another one, and plays no part.
    let renewed = newcomer_with_email("ben", CARL);
    let source = UseSource::Own(own(&oracle, "ben"));
    let hold = factory.reserve(&row, &renewed, (minute(10), minute(12)), source);
    step(&mut oracle, "renew", hold).await;
    assert_eq!(own(&oracle, "ben").mailbox, Some(key(BEN)), "a renewal keeps the mailbox");
    let source = UseSource::Mailbox(key(ANNA));
    let take = factory.redeem_with_source(&row, &anna, minute(11), source);
    step(&mut oracle, "redeem the use of the mailbox", take).await;
    let commit = factory.commit(&row, own(&oracle, "ben").id, &newcomer("ben"), minute(30));
    step(&mut oracle, "commit", commit).await;
    let carl = newcomer_with_email("carl", CARL);
    let hold = factory.reserve(&row, &carl, (minute(31), minute(40)), UseSource::Free);
    step(&mut oracle, "hold", hold).await;
    let other = newcomer_with_email("carl", "dora@example.com");
    let source = UseSource::Own(own(&oracle, "carl"));
    let redeem = factory.redeem_with_source(&row, &other, minute(32), source);
    step(&mut oracle, "redeem one's own use with another proof", redeem).await;
    let dora = newcomer_with_email("dora", "dora@example.com");
    let hold = factory.reserve(&row, &dora, (minute(33), minute(40)), UseSource::Free);
    step(&mut oracle, "hold", hold).await;
    let release = factory.release(&row, own(&oracle, "dora").id, &dora, minute(34));
    step(&mut oracle, "release", release).await;
    let redeem = factory.redeem_with_source(&row, &dora, minute(35), UseSource::Free);
    step(&mut oracle, "redeem a free use", redeem).await;
    for (transition, what) in all {
        oracle.resend(&*store, &transition, what).await;
    }
    let stored = all_redemptions(&*store, &Scope::All, row.id, 50).await;
    let mut mailboxes: Vec<_> = stored.into_iter().filter_map(|made| made.mailbox).collect();
    mailboxes.sort();
    assert_eq!(mailboxes, [ANNA, BEN, CARL, "dora@example.com"].map(key), "each once");
}

/// The mailbox of a code for one use is stored as well.
pub async fn mailbox_of_a_single_use_code_is_stored(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let anna = newcomer_with_email("anna", ANNA);
    for reserves in [false, true] {
        let (row, mut oracle) = insert(&*store, &factory, for_domain(&factory, 1)).await;
        let mut redeem = factory.redeem_with_source(&row, &anna, minute(1), UseSource::Free);
        if reserves {
            let hold = factory.reserve(&row, &anna, (minute(0), minute(5)), UseSource::Free);
            assert!(oracle.apply(&*store, &hold, "hold").await, "it is free");
            redeem = factory.commit(&row, own(&oracle, "anna").id, &newcomer("anna"), minute(1));
        }
        assert!(oracle.apply(&*store, &redeem, "redeem").await, "it is free");
        let stored = all_redemptions(&*store, &Scope::All, row.id, 5).await;
        let stored: Vec<_> = stored.into_iter().map(|made| made.mailbox).collect();
        assert_eq!(stored, [Some(email(ANNA).key().clone())], "reserves: {reserves}");
    }
}

/// An address that is proved for a code without a domain is not stored, and other users may
/// redeem with it.
pub async fn address_for_a_code_without_a_domain_is_not_stored(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    for binding in [Binding::Anyone, Binding::Address(email(ANNA))] {
        let what = format!("{binding:?}");
        let row = Record { binding, ..for_domain(&factory, 4) };
        let (row, mut oracle) = insert(&*store, &factory, row).await;
        for name in ["anna", "twin"] {
            let who = newcomer_with_email(name, ANNA);
            let hold = factory.reserve(&row, &who, (minute(0), minute(5)), UseSource::Free);
            assert!(oracle.apply(&*store, &hold, &what).await, "{what}: {name}");
            let lease = own(&oracle, name);
            assert_eq!(lease.mailbox, None, "{what}: {name}");
            let commit = factory.commit(&row, lease.id, &who, minute(1));
            assert!(oracle.apply(&*store, &commit, &what).await, "{what}: {name}");
        }
        for name in ["third", "fourth"] {
            let who = newcomer_with_email(name, ANNA);
            let redeem = factory.redeem_with_source(&row, &who, minute(1), UseSource::Free);
            assert!(oracle.apply(&*store, &redeem, &what).await, "{what}: {name}");
        }
        let stored = all_redemptions(&*store, &Scope::All, row.id, 5).await;
        assert!(stored.iter().all(|made| made.mailbox.is_none()), "{what}: {stored:?}");
    }
}

/// An amended binding decides whether the mailbox counts: only while the code is bound to a
/// domain. A change of the binding ends the leases, with their mailboxes.
pub async fn mailbox_counts_while_the_code_is_bound_to_a_domain(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let (row, mut oracle) = insert(&*store, &factory, for_domain(&factory, 9)).await;
    let redeem = |name: &str| {
        let who = newcomer_with_email(name, ANNA);
        factory.redeem_with_source(&row, &who, minute(1), UseSource::Free)
    };
    let amend = |oracle: &LeaseOracle, binding: Binding| {
        let terms = NewTerms { binding: Some(binding), role: None, expires_at: None };
        factory.transition(Command::Amend { current: &oracle.invitation, terms })
    };
    let ben = newcomer_with_email("ben", BEN);
    let hold = factory.reserve(&row, &ben, (minute(0), minute(60)), UseSource::Free);
    assert!(oracle.apply(&*store, &hold, "hold").await, "it is free");
    assert!(oracle.apply(&*store, &redeem("anna"), "anna").await, "the first with it");
    let change = amend(&oracle, Binding::Anyone);
    assert!(oracle.apply(&*store, &change, "for anyone").await, "may be amended");
    assert!(oracle.apply(&*store, &redeem("second"), "for anyone").await, "no domain");
    let change = amend(&oracle, row.binding.clone());
    assert!(oracle.apply(&*store, &change, "for the domain").await, "may be amended");
    assert!(!oracle.apply(&*store, &redeem("third"), "for the domain").await, "anna used it");
    let twin = newcomer_with_email("twin", BEN);
    let take = factory.redeem_with_source(&row, &twin, minute(2), UseSource::Free);
    assert!(oracle.apply(&*store, &take, "twin").await, "ben's lease has ended");
}

/// A purge removes the mailboxes of an invitation. A new one under the same id and code inherits
/// none.
pub async fn purge_removes_the_mailboxes(fixture: Fixture) {
    let (store, factory) = (fixture.store(), Factory::new());
    let code = factory.code();
    let row = Record {
        binding: Binding::Domain(domain("example.com")),
        max_uses: NonZeroU32::MIN.saturating_add(3),
        ..factory.invitation_with_code(&code)
    };
    let (row, mut oracle) = insert(&*store, &factory, row).await;
    let [redeem, _] = both(&factory, &row, &newcomer_with_email("anna", ANNA), minute(0));
    let [_, reserve] = both(&factory, &row, &newcomer_with_email("ben", BEN), minute(0));
    for transition in [redeem, reserve] {
        assert!(oracle.apply(&*store, &transition, "preparing").await, "it is free");
    }
    let purge = Purge {
        scope: Scope::All,
        before: later(row.expires_at, 1),
        max: NonZeroU32::MIN,
        event: factory.event(invitation_core::Action::Purge, later(row.expires_at, 2)),
    };
    let purged = store.purge(&purge).await.expect("the store purges");
    assert_eq!(purged.removed, 1, "it has expired");
    let insert = Insert::of(vec![factory.new_invitation(row.clone())]);
    let answer = store.insert(&insert).await.expect("the store inserts");
    assert_eq!(answer, Inserted::Stored, "the id and the code are free again");
    // The same user comes with another mailbox. The former one leads to no redemption.
    let mut oracle = LeaseOracle::of(&row);
    let anna = newcomer_with_email("anna", "other@example.com");
    let [redeem, _] = both(&factory, &row, &anna, minute(1));
    assert!(oracle.apply(&*store, &redeem, "anna").await, "it is free");
    let late = newcomer_with_email("late", ANNA);
    let source = UseSource::Mailbox(email(ANNA).key().clone());
    let take = factory.redeem_with_source(&row, &late, minute(1), source);
    assert!(!oracle.apply(&*store, &take, "late").await, "no lease has the mailbox");
    for (name, address) in [("late", ANNA), ("later", BEN)] {
        let [redeem, _] = both(&factory, &row, &newcomer_with_email(name, address), minute(1));
        let outcome = apply(&*store, &redeem).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "{address} is unused: {outcome:?}");
    }
}
