//! Tests of the number of events that floods of refusals record.

use std::num::NonZeroU32;

use super::{ledger::MAX_COUNTED, *};
use crate::text::{Role, Username};

const BUDGET: u32 = 3;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * 60_000_000).unwrap()
}

fn actor(name: &str) -> Performer {
    Performer::Actor {
        user: UserId::new(name).unwrap(),
        role: Role::new("manager").unwrap(),
        name: None,
    }
}

fn job(name: &str) -> Performer {
    Performer::System { name: Some(SystemName::new(name).unwrap()) }
}

fn redeemer(name: &str) -> Performer {
    let username = Username::new("anna").unwrap();
    Performer::Redeemer { user: UserId::new(name).unwrap(), username }
}

/// Counts one refusal, under a budget of [`BUDGET`].
fn admit(denials: &Denials, performer: &Performer, minute: i64) -> Admission {
    let limits = Limits::default().with_denials_per_minute(NonZeroU32::new(BUDGET).unwrap());
    denials.admit(performer, at(minute), &limits)
}

/// Returns how many of `calls` refusals are recorded one by one.
fn written(denials: &Denials, performer: &Performer, minute: i64, calls: u32) -> usize {
    (0..calls).filter(|_| admit(denials, performer, minute).write).count()
}

/// Returns how many refusals are recorded of redeemers who each come once, under an id of
/// their own.
fn written_of_invented(denials: &Denials, minute: i64, ids: usize) -> usize {
    (0..ids).filter(|n| admit(denials, &redeemer(&format!("{n}")), minute).write).count()
}

#[test]
fn a_flood_is_recorded_up_to_the_budget_then_counted_by_powers_of_two() {
    for performer in [actor("anna"), redeemer("anna"), Performer::System { name: None }] {
        let denials = Denials::default();
        let admitted: Vec<_> = (0..12).map(|_| admit(&denials, &performer, 1)).collect();
        let own = |suppressed| Summary { suppressed, of: Counted::Performer };
        assert!(admitted[..3].iter().all(|one| one.write && one.summaries.is_empty()));
        let counts = [Some(1), Some(2), None, Some(4), None, None, None, Some(8), None];
        for (one, count) in admitted[3..].iter().zip(counts) {
            let summaries = count.map(own).into_iter().collect();
            assert_eq!(*one, Admission { write: false, summaries }, "{performer:?}");
        }
        let next = admit(&denials, &performer, 2);
        assert_eq!(next, Admission { write: true, summaries: vec![own(9)] }, "{performer:?}");
    }
}

#[test]
fn calls_under_way_when_a_minute_ends_open_no_new_budget() {
    for performer in [actor("anna"), redeemer("anna"), Performer::System { name: None }] {
        let denials = Denials::default();
        let written = (0..20).filter(|n| admit(&denials, &performer, 5 - n % 2).write).count();
        assert!(written <= 2 * 3, "{written}");
        assert!(admit(&denials, &performer, -900).write, "after a clock was set back");
        assert!(admit(&denials, &performer, 90_000_000).write, "and far ahead");
    }
}

#[test]
fn one_performers_flood_hides_no_other_performer() {
    let denials = Denials::default();
    let all = [
        actor("anna"),
        redeemer("anna"),
        actor("ben"),
        redeemer("ben"),
        Performer::System { name: None },
        job("anna"),
        job("purge"),
    ];
    for performer in all {
        assert_eq!(written(&denials, &performer, 1, 100), 3, "{performer:?}");
    }
}

#[test]
fn count_of_a_jobs_denials_is_recorded_with_its_own_next_one() {
    let denials = Denials::default();
    written(&denials, &job("sync"), 1, BUDGET + 3);
    let other = admit(&denials, &job("purge"), 2);
    assert_eq!(other, Admission { write: true, summaries: Vec::new() });
    let own = Summary { suppressed: 3, of: Counted::Performer };
    let next = admit(&denials, &job("sync"), 2);
    assert_eq!(next, Admission { write: true, summaries: vec![own] });
}

/// The flood of the field report: 10,080 anonymous requests, under one id or many,
/// followed by a manager's attempts.
#[test]
fn no_flood_of_redeemers_hides_a_denial_of_an_actor() {
    type Flood = fn(&Denials);
    let floods: [(&str, Flood); 4] = [
        ("many ids", |denials| {
            written_of_invented(denials, 1, 10_080);
        }),
        ("more ids than are counted apart, then one", |denials| {
            written_of_invented(denials, 1, MAX_COUNTED + 500);
            written(denials, &redeemer("one"), 1, 500);
        }),
        ("the actor's own id", |denials| {
            written(denials, &redeemer("mia"), 1, 10_080);
        }),
        ("over two minutes", |denials| {
            written_of_invented(denials, 0, 10_080);
            written_of_invented(denials, 1, 10_080);
        }),
    ];
    for (name, flood) in floods {
        let denials = Denials::default();
        flood(&denials);
        assert_eq!(written(&denials, &actor("mia"), 1, 7), BUDGET as usize, "{name}");
        assert_eq!(
            written(&denials, &Performer::System { name: None }, 1, 7),
            BUDGET as usize,
            "{name}"
        );
    }
}

#[test]
fn no_flood_of_actors_hides_a_redeemers_refusal() {
    let denials = Denials::default();
    for n in 0..MAX_COUNTED + 50 {
        admit(&denials, &actor(&n.to_string()), 1);
    }
    assert_eq!(written(&denials, &redeemer("0"), 1, 7), BUDGET as usize);
    assert_eq!(written(&denials, &redeemer("late"), 1, 7), BUDGET as usize);
}

#[test]
fn redeemers_with_invented_ids_are_bounded_together_and_counted() {
    let denials = Denials::default();
    let bound = (BUDGET * ALL_REDEEMERS) as usize;
    assert_eq!(written_of_invented(&denials, 1, 5 * bound), bound);
    let next = admit(&denials, &redeemer("next"), 2);
    let suppressed = 4 * bound as u64;
    let summary = Summary { suppressed, of: Counted::Several };
    assert_eq!(next, Admission { write: true, summaries: vec![summary] });
}

#[test]
fn a_ledger_is_bounded_however_many_users_come() {
    let denials = Denials::default();
    let known = |denials: &Denials| {
        let redeemers = lock(&denials.redeemers).each.len();
        (lock(&denials.actors).len(), redeemers)
    };
    for n in 0..MAX_COUNTED + 50 {
        admit(&denials, &actor(&n.to_string()), 1);
        admit(&denials, &redeemer(&n.to_string()), 1);
    }
    assert_eq!(known(&denials), (MAX_COUNTED, MAX_COUNTED));
    let late = admit(&denials, &actor("late"), 1);
    assert!(!late.write, "those beyond share a budget, which is spent");
    for minute in [2, 40] {
        assert!(admit(&denials, &actor("late"), minute).write);
        assert!(admit(&denials, &redeemer("late"), minute).write);
        assert!(known(&denials) <= (1, 1), "a new minute drops the windows of the old one");
    }
}

#[test]
fn the_count_of_the_users_beyond_is_said_to_be_of_several() {
    let denials = Denials::default();
    for n in 0..MAX_COUNTED {
        admit(&denials, &actor(&n.to_string()), 1);
    }
    let beyond: Vec<_> = (0..5).map(|n| admit(&denials, &actor(&format!("x{n}")), 1)).collect();
    let counts: Vec<_> = beyond.iter().flat_map(|one| &one.summaries).copied().collect();
    let of = Counted::Several;
    assert_eq!(counts, [Summary { suppressed: 1, of }, Summary { suppressed: 2, of }]);
    assert_eq!(beyond.iter().filter(|one| one.write).count(), BUDGET as usize);
}
