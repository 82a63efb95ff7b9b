//! Counters of refusals for each performer and minute.

use std::{collections::HashMap, hash::Hash};

use crate::time::Timestamp;

/// The number of performers of one kind counted separately within a minute; all further ones
/// share one window.
pub(super) const MAX_COUNTED: usize = 10_000;

const MINUTE: i64 = 60_000_000;

/// Returns the minute of an instant, counted from the epoch.
pub(super) fn minute(now: Timestamp) -> i64 {
    now.as_micros().div_euclid(MINUTE)
}

/// The windows of many performers, by an id `K`, with a bound on memory.
#[derive(Debug)]
pub(super) struct Ledger<K> {
    known: HashMap<K, Window>,
    /// The shared window of the performers beyond the maximum.
    overflow: Window,
    /// The minute in which the windows of earlier minutes were last removed.
    swept: Option<i64>,
}

impl<K> Default for Ledger<K> {
    fn default() -> Self {
        Self { known: HashMap::new(), overflow: Window::default(), swept: None }
    }
}

/// The counter of one minute.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Window {
    minute: i64,
    written: u32,
    suppressed: u64,
    summarised: u64,
}

impl<K: Clone + Eq + Hash> Ledger<K> {
    /// Returns the window that counts for this performer, and whether it is the performer's own.
    pub(super) fn window(&mut self, id: &K, minute: i64) -> (&mut Window, bool) {
        if self.known.len() >= MAX_COUNTED && self.swept != Some(minute) {
            self.known.retain(|_, window| window.covers(minute));
            self.swept = Some(minute);
        }
        if self.known.len() < MAX_COUNTED || self.known.contains_key(id) {
            (self.known.entry(id.clone()).or_default(), true)
        } else {
            (&mut self.overflow, false)
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

impl Window {
    /// Whether this window counts a refusal of that minute. A refusal of the minute
    /// before counts here too, because its call may have begun before the minute ended.
    /// An earlier minute means that the clock was set back.
    fn covers(&self, minute: i64) -> bool {
        self.minute == minute || self.minute == minute.saturating_add(1)
    }

    /// Counts one refusal. Returns whether it is within the budget, and the number of
    /// refusals beyond it if that number is due.
    pub(super) fn admit(&mut self, minute: i64, budget: u32) -> (bool, Option<u64>) {
        let mut due = None;
        if !self.covers(minute) {
            due = Some(self.suppressed).filter(|suppressed| *suppressed > self.summarised);
            *self = Self { minute, ..Self::default() };
        }
        if self.written < budget {
            self.written += 1;
            return (true, due);
        }
        self.suppressed += 1;
        if self.suppressed.is_power_of_two() {
            self.summarised = self.suppressed;
            due = Some(self.suppressed);
        }
        (false, due)
    }
}
