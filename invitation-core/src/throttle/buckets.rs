//! The tokens of one process, within one minute.
//!
//! A rate limiter such as a leaky bucket keeps only a time of arrival. Here a token has to come
//! back after a success, and tokens have to come from a counter that processes share. So a bucket
//! keeps numbers.

use std::{collections::HashMap, num::NonZeroU32};

use super::{BudgetKey, BudgetWindow};

/// The maximum number of buckets of each kind. Further keys share one bucket, so that a flood of
/// sources cannot take more memory, and gets no more tokens either.
pub(super) const MAX_BUCKETS: usize = 100_000;

/// The rules for the buckets of one budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct BucketRules {
    /// The tokens of a new bucket that no other process counts.
    own: u32,
    /// The tokens that a process may use before its first block has arrived, and the size of a
    /// block. 0 without a shared budget.
    block: u32,
    /// The budget that all processes share.
    budget: u32,
}

impl BucketRules {
    /// Returns the rules for a process that counts alone.
    pub(super) fn alone(budget: NonZeroU32) -> Self {
        Self { own: budget.get(), block: 0, budget: budget.get() }
    }

    /// Returns the rules for processes that share a budget.
    pub(super) fn shared(budget: NonZeroU32) -> Self {
        Self { own: 0, block: budget.get().div_ceil(3), budget: budget.get() }
    }

    /// Returns the size of a block, if there are blocks.
    pub(super) fn block(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.block)
    }

    /// Returns how many tokens of a block are within the budget, by the number that all processes
    /// have taken by then.
    pub(super) fn granted_of_block(&self, taken: u64) -> u32 {
        let before = taken.saturating_sub(u64::from(self.block));
        let left = u64::from(self.budget).saturating_sub(before);
        u32::try_from(left).unwrap_or(u32::MAX).min(self.block)
    }
}

/// The tokens of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bucket {
    /// The tokens that this process owns: its own ones, and those of its blocks.
    granted: u32,
    /// The tokens in use, and those of failures.
    taken: u32,
    /// The failures.
    failed: u32,
    /// Whether a call is asking for a block.
    is_asking: bool,
    /// Whether the shared budget had no further block.
    is_exhausted: bool,
}

impl Bucket {
    pub(super) fn new(rules: &BucketRules) -> Self {
        let granted = rules.own;
        Self { granted, taken: 0, failed: 0, is_asking: false, is_exhausted: false }
    }

    fn limit(&self, rules: &BucketRules) -> u32 {
        let ahead = if self.is_exhausted { 0 } else { rules.block };
        self.granted.saturating_add(ahead)
    }

    pub(super) fn take(&mut self, rules: &BucketRules) -> Result<(), NoToken> {
        let limit = self.limit(rules);
        if self.taken < limit {
            self.taken += 1;
            Ok(())
        } else if self.failed < limit || self.is_asking {
            Err(NoToken::InUse)
        } else {
            Err(if self.is_block_due(rules) { NoToken::BlockDue } else { NoToken::Spent })
        }
    }

    /// Takes a token beyond the limit, of a budget that only gives an alarm.
    pub(super) fn take_beyond(&mut self) {
        self.taken = self.taken.saturating_add(1);
    }

    pub(super) fn give_back(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    pub(super) fn spend(&mut self) {
        self.failed = self.failed.saturating_add(1);
    }

    fn is_block_due(&self, rules: &BucketRules) -> bool {
        rules.block > 0 && self.failed > self.granted && !self.is_asking && !self.is_exhausted
    }

    /// Returns whether a call should ask for a block now. If so, other calls do not ask before
    /// this one got its answer or was dropped.
    pub(super) fn should_ask(&mut self, rules: &BucketRules) -> bool {
        let is_due = self.is_block_due(rules);
        self.is_asking |= is_due;
        is_due
    }

    /// Takes the answer of the shared budget; none if there is none.
    pub(super) fn answered(&mut self, rules: &BucketRules, granted: Option<u32>) {
        self.is_asking = false;
        if let Some(granted) = granted {
            self.granted = self.granted.saturating_add(granted);
            self.is_exhausted = granted < rules.block;
        }
    }
}

/// Why a bucket has no token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoToken {
    /// Calls under way hold the last tokens, and may give them back, or one of them asks for a
    /// block.
    InUse,
    /// Failures have taken all, and nobody has asked for a block yet.
    BlockDue,
    /// Failures have taken all.
    Spent,
}

/// Where a bucket is: under its key, or shared with other keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum BucketPlace {
    Own(BudgetKey),
    Overflow,
}

/// The buckets of one budget, in one window.
#[derive(Debug)]
pub(super) struct Buckets {
    rules: BucketRules,
    known: HashMap<BudgetKey, Bucket>,
    overflow: Bucket,
}

impl Buckets {
    pub(super) fn new(rules: BucketRules) -> Self {
        Self { rules, known: HashMap::new(), overflow: Bucket::new(&rules) }
    }

    pub(super) fn rules(&self) -> &BucketRules {
        &self.rules
    }

    /// Begins a new window.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.rules);
    }

    /// Returns the place of a key's bucket.
    pub(super) fn place(&self, key: BudgetKey) -> BucketPlace {
        if self.known.len() < MAX_BUCKETS || self.known.contains_key(&key) {
            BucketPlace::Own(key)
        } else {
            BucketPlace::Overflow
        }
    }

    /// Returns the bucket in a place. A bucket that is missing is new.
    pub(super) fn at(&mut self, place: BucketPlace) -> &mut Bucket {
        match place {
            BucketPlace::Own(key) => {
                let rules = self.rules;
                self.known.entry(key).or_insert_with(|| Bucket::new(&rules))
            }
            BucketPlace::Overflow => &mut self.overflow,
        }
    }

    pub(super) fn take(&mut self, place: BucketPlace) -> Result<(), NoToken> {
        let rules = self.rules;
        let taken = self.at(place).take(&rules);
        match (place, taken) {
            // Nobody asks for blocks of the overflow.
            (BucketPlace::Overflow, Err(NoToken::BlockDue)) => Err(NoToken::Spent),
            _ => taken,
        }
    }

    /// Returns whether a call should ask for a block of a key. A key without a bucket has no
    /// failure yet, and the overflow keeps its first block.
    pub(super) fn should_ask(&mut self, key: &BudgetKey) -> bool {
        let rules = self.rules;
        self.known.get_mut(key).is_some_and(|bucket| bucket.should_ask(&rules))
    }

    pub(super) fn answered(&mut self, key: &BudgetKey, granted: Option<u32>) {
        let rules = self.rules;
        if let Some(bucket) = self.known.get_mut(key) {
            bucket.answered(&rules, granted);
        }
    }

    /// Gives a token back, and forgets a bucket that is as new: calls without failures leave
    /// nothing behind.
    pub(super) fn give_back(&mut self, place: BucketPlace) {
        match place {
            BucketPlace::Own(key) => {
                if let Some(bucket) = self.known.get_mut(&key) {
                    bucket.give_back();
                    if *bucket == Bucket::new(&self.rules) {
                        self.known.remove(&key);
                    }
                }
            }
            BucketPlace::Overflow => self.overflow.give_back(),
        }
    }

    pub(super) fn spend(&mut self, place: BucketPlace) {
        self.at(place).spend();
    }
}

/// Returns the window to count in: the given one, or the current one, if a call began just before
/// it. A jump of the clock to an earlier time begins anew.
pub(super) fn window_to_count_in(current: BudgetWindow, given: BudgetWindow) -> BudgetWindow {
    let is_just_before = given.minute().saturating_add(1) == current.minute();
    if is_just_before { current } else { given }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn key(number: usize) -> BudgetKey {
        let mut bytes = [0; BudgetKey::BYTES];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        BudgetKey::from_bytes(bytes)
    }

    #[test]
    fn keys_beyond_the_maximum_share_one_bucket_and_known_ones_keep_theirs() {
        let mut buckets = Buckets::new(BucketRules::alone(number(2)));
        for n in 0..MAX_BUCKETS {
            let place = buckets.place(key(n));
            assert_eq!(buckets.take(place), Ok(()));
        }
        for n in 0..4 {
            let place = buckets.place(key(MAX_BUCKETS + n));
            assert_eq!(place, BucketPlace::Overflow);
            let expected = if n < 2 { Ok(()) } else { Err(NoToken::InUse) };
            assert_eq!(buckets.take(place), expected, "{n}");
        }
        assert_eq!(buckets.place(key(0)), BucketPlace::Own(key(0)));
        assert_eq!(buckets.known.len(), MAX_BUCKETS);
        for n in 0..MAX_BUCKETS {
            buckets.give_back(BucketPlace::Own(key(n)));
        }
        assert_eq!(buckets.known.len(), 0, "calls without failures leave nothing behind");
    }

    #[test]
    fn blocks_are_granted_up_to_the_shared_budget() {
        let rules = BucketRules::shared(number(25));
        assert_eq!(rules.block().map(NonZeroU32::get), Some(9));
        let granted = [9, 18, 27, 36, u64::MAX].map(|taken| rules.granted_of_block(taken));
        assert_eq!(granted, [9, 9, 7, 0, 0]);
    }

    #[test]
    fn process_evaluates_its_grants_and_one_block_ahead() {
        let rules = BucketRules::shared(number(30));
        let mut bucket = Bucket::new(&rules);
        for _ in 0..10 {
            assert_eq!(bucket.take(&rules), Ok(()));
            assert!(!bucket.should_ask(&rules), "no failure yet");
        }
        assert_eq!(bucket.take(&rules), Err(NoToken::InUse));
        for _ in 0..10 {
            bucket.spend();
        }
        assert_eq!(bucket.take(&rules), Err(NoToken::BlockDue), "nobody has asked");
        assert!(bucket.should_ask(&rules));
        assert!(!bucket.should_ask(&rules), "one call asks");
        assert_eq!(bucket.take(&rules), Err(NoToken::InUse), "before the answer");
        bucket.answered(&rules, Some(10));
        assert_eq!(bucket.take(&rules), Ok(()));
        bucket.spend();
        assert!(bucket.should_ask(&rules));
        bucket.answered(&rules, Some(3));
        assert!(!bucket.should_ask(&rules), "the budget is spent");
        for _ in 0..2 {
            assert_eq!(bucket.take(&rules), Ok(()));
            bucket.spend();
        }
        assert_eq!(bucket.take(&rules), Err(NoToken::Spent), "13 granted, and none ahead");
    }
}
