//! Keeping the audit trail from being flooded with one person's refusals.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{text::UserId, time::Timestamp};

/// How many people are told apart within a minute; those beyond share a budget.
const MAX_PEOPLE: usize = 10_000;

const MINUTE: i64 = 60_000_000;

/// Counts refusals per person and minute, in this process.
///
/// Within the budget each is written. Beyond it they are counted, and the count
/// so far is written when it reaches a power of two, and once more, exactly, with
/// the same person's next refusal in a later minute (unless more people than are
/// told apart came in between). So a flood of n writes about log₂ n events, and
/// what is written never says less than half.
#[derive(Debug, Default)]
pub(super) struct DenialBudget(Mutex<Ledger>);

#[derive(Debug, Default)]
struct Ledger {
    people: HashMap<Option<UserId>, Window>,
    /// The minute in which those of earlier minutes were last forgotten.
    swept: Option<i64>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Window {
    minute: i64,
    written: u32,
    suppressed: u64,
    summarised: u64,
}

/// What to write about one more refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Admission {
    /// Whether to write it itself.
    pub(super) write: bool,
    /// How many were not written in one minute, if that is to be told now.
    pub(super) summary: Option<u64>,
}

impl DenialBudget {
    /// One more refusal of `user`.
    pub(super) fn admit(&self, user: Option<&UserId>, now: Timestamp, budget: u32) -> Admission {
        let minute = now.as_micros().div_euclid(MINUTE);
        // Counters are whole even when a thread panicked while holding them.
        let mut ledger = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Ledger { people, swept } = &mut *ledger;
        if people.len() >= MAX_PEOPLE && *swept != Some(minute) {
            people.retain(|_, window| window.covers(minute));
            *swept = Some(minute);
        }
        let key = user.cloned();
        let room = people.len() < MAX_PEOPLE || people.contains_key(&key);
        people.entry(if room { key } else { None }).or_default().admit(minute, budget)
    }
}

impl Window {
    /// Whether a refusal of that minute belongs here. One of the minute before
    /// does, if it was under way when the minute ended; an earlier one is of a
    /// clock that was set back.
    fn covers(&self, minute: i64) -> bool {
        self.minute == minute || self.minute == minute + 1
    }

    fn admit(&mut self, minute: i64, budget: u32) -> Admission {
        let mut summary = None;
        if !self.covers(minute) {
            if self.suppressed > self.summarised {
                summary = Some(self.suppressed);
            }
            *self = Self { minute, ..Self::default() };
        }
        if self.written < budget {
            self.written += 1;
            return Admission { write: true, summary };
        }
        self.suppressed += 1;
        if self.suppressed.is_power_of_two() {
            self.summarised = self.suppressed;
            summary = Some(self.suppressed);
        }
        Admission { write: false, summary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros(minute * MINUTE).unwrap()
    }

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    #[test]
    fn writes_the_budget_then_counts_by_powers_of_two() {
        let budget = DenialBudget::default();
        let anna = user("anna");
        let admitted: Vec<_> = (0..12).map(|_| budget.admit(Some(&anna), at(1), 3)).collect();
        assert!(admitted[..3].iter().all(|a| a.write && a.summary.is_none()));
        let told: Vec<_> = admitted[3..].iter().map(|a| (a.write, a.summary)).collect();
        let expected =
            [Some(1), Some(2), None, Some(4), None, None, None, Some(8), None].map(|n| (false, n));
        assert_eq!(told, expected);

        let next = budget.admit(Some(&anna), at(2), 3);
        assert_eq!(next, Admission { write: true, summary: Some(9) });
    }

    #[test]
    fn calls_under_way_when_a_minute_ends_open_no_new_budget() {
        let budget = DenialBudget::default();
        let anna = user("anna");
        let written = (0..20).filter(|n| budget.admit(Some(&anna), at(5 - n % 2), 3).write).count();
        assert!(written <= 2 * 3, "{written}");
        assert!(budget.admit(Some(&anna), at(-900), 3).write, "a clock that was set back");
    }

    #[test]
    fn does_not_let_one_persons_flood_hide_another() {
        let budget = DenialBudget::default();
        for _ in 0..100 {
            budget.admit(Some(&user("mallory")), at(1), 3);
        }
        assert!(budget.admit(Some(&user("anna")), at(1), 3).write);
    }

    #[test]
    fn stays_bounded_however_many_people_come() {
        let budget = DenialBudget::default();
        for n in 0..MAX_PEOPLE + 50 {
            budget.admit(Some(&user(&n.to_string())), at(1), 3);
        }
        assert!(budget.0.lock().unwrap().people.len() <= MAX_PEOPLE + 1);
        assert!(!budget.admit(Some(&user("late")), at(1), 3).write, "the shared budget is spent");
        assert!(budget.admit(Some(&user("late")), at(2), 3).write);
        assert!(budget.0.lock().unwrap().people.len() <= 2, "a new minute forgets the old one");
    }
}
