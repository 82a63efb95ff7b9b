//! Limits on how many refusals and denials are recorded one by one, so that no caller can
//! flood the audit trail.

mod ledger;

use std::{
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use self::ledger::{Ledger, Window};
use crate::{
    limits::Limits,
    performer::Performer,
    text::{SystemName, UserId},
    time::Timestamp,
};

/// The limit of all redeemers together, as a multiple of the limit of one redeemer.
const ALL_REDEEMERS: u32 = 100;

/// The counters of refusals and denials by performer and minute, in this process.
///
/// Any caller can present a code, under a user id of its own choice. Redeemers are
/// therefore counted apart from signed-in actors: no number of redeemers, and no id that
/// a redeemer gives, changes what is recorded about an actor. All redeemers together have
/// a limit too, because each invented id has a limit of its own.
///
/// Within the limits each refusal is recorded. Refusals beyond them are counted. The
/// count is recorded when it reaches a power of two. The exact count is recorded once
/// more, with the next refusal in a later minute, unless its counter was dropped to make
/// room for other performers. A flood of n refusals therefore writes about log₂ n events, and
/// the recorded count is at least half.
#[derive(Debug, Default)]
pub(super) struct Denials {
    actors: Mutex<Ledger<UserId>>,
    /// The jobs of the system, by their names. Bootstrap code has none.
    jobs: Mutex<Ledger<Option<SystemName>>>,
    redeemers: Mutex<Redeemers>,
}

#[derive(Debug, Default)]
struct Redeemers {
    each: Ledger<UserId>,
    all: Window,
}

/// The events to record for one more refusal.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Admission {
    /// Whether to record the refusal itself.
    pub(super) write: bool,
    /// The counts of unrecorded refusals that are due.
    pub(super) summaries: Vec<Summary>,
}

/// The number of refusals in one minute that were not recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Summary {
    pub(super) suppressed: u64,
    pub(super) of: Counted,
}

/// The performers whose refusals a summary counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Counted {
    /// The performer of the call.
    Performer,
    /// Several performers of the same kind.
    Several,
}

impl Denials {
    /// Counts one more refusal or denial of `performer`.
    pub(super) fn admit(
        &self,
        performer: &Performer,
        now: Timestamp,
        limits: &Limits,
    ) -> Admission {
        let (minute, budget) = (ledger::minute(now), limits.denials_per_minute());
        match performer {
            Performer::System { name } => lock(&self.jobs).admit(name, minute, budget),
            Performer::Actor { user, .. } => lock(&self.actors).admit(user, minute, budget),
            Performer::Redeemer { user, .. } => lock(&self.redeemers).admit(user, minute, budget),
        }
    }
}

impl<K: Clone + Eq + Hash> Ledger<K> {
    fn admit(&mut self, id: &K, minute: i64, budget: u32) -> Admission {
        let (window, is_own) = self.window(id, minute);
        let counted = if is_own { Counted::Performer } else { Counted::Several };
        Admission::of(window.admit(minute, budget), counted)
    }
}

impl Redeemers {
    fn admit(&mut self, user: &UserId, minute: i64, budget: u32) -> Admission {
        let own = self.each.admit(user, minute, budget);
        if !own.write {
            return own;
        }
        let counted = self.all.admit(minute, budget.saturating_mul(ALL_REDEEMERS));
        let mut all = Admission::of(counted, Counted::Several);
        all.summaries.extend(own.summaries);
        all
    }
}

impl Admission {
    fn of((write, suppressed): (bool, Option<u64>), of: Counted) -> Self {
        let summaries = suppressed.into_iter().map(|suppressed| Summary { suppressed, of });
        Self { write, summaries: summaries.collect() }
    }
}

/// Locks the counters. They stay consistent even if a thread panicked while it held the
/// lock.
fn lock<T>(counters: &Mutex<T>) -> MutexGuard<'_, T> {
    counters.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
