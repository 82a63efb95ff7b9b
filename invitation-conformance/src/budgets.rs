//! Promises of [`SharedBudgets`], the counters by which processes share the budgets of failed
//! guesses.

use std::{num::NonZeroU32, sync::Arc};

use invitation_core::throttle::{BudgetCount, BudgetKey, BudgetWindow, SharedBudgets};

use crate::support::concurrent::run_concurrently;

type Budgets = Arc<dyn SharedBudgets>;

fn key(number: u8) -> BudgetKey {
    let mut bytes = [0xff; BudgetKey::BYTES];
    bytes[31] = number;
    BudgetKey::from_bytes(bytes)
}

fn tokens(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("not zero")
}

async fn take(budgets: &Budgets, number: u8, minute: i64, amount: u32) -> u64 {
    let window = BudgetWindow::from_minute(minute);
    budgets.take_tokens(&key(number), window, tokens(amount)).await.expect("the store answers")
}

/// Runs all promises on empty budgets. Call it in a multi-threaded runtime.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_conformance as testing; }
/// use std::sync::Arc;
///
/// use invitation::{MemoryStore, testing::budgets::run_budget_promises};
///
/// # let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
/// # runtime.block_on(
/// run_budget_promises(Arc::new(MemoryStore::new()))
/// # );
/// ```
///
/// # Panics
///
/// If the store breaks a promise.
pub async fn run_budget_promises(budgets: Arc<dyn SharedBudgets>) {
    counts_as_specified_in_each_minute(&budgets).await;
    clock_that_is_ahead_with_one_key_changes_no_other(&budgets).await;
    concurrent_calls_are_counted_once_each(&budgets).await;
    concurrent_calls_of_a_new_minute_all_succeed(&budgets).await;
}

/// A later minute begins at 0, an earlier one counts in the stored minute, and keys are apart.
async fn counts_as_specified_in_each_minute(budgets: &Budgets) {
    const FIRST: i64 = 30_000_000;
    let mut expected = BudgetCount::default();
    for (minute, amount) in [(0, 10), (0, 1), (0, u32::MAX), (1, 5), (0, 3), (1, 2), (2, 1)] {
        let window = BudgetWindow::from_minute(FIRST + minute);
        expected = expected.after_taking(window, tokens(amount));
        let taken = take(budgets, 1, FIRST + minute, amount).await;
        assert_eq!(taken, expected.taken, "{amount} tokens of minute {minute}");
    }
    assert_eq!(take(budgets, 2, FIRST + 2, 7).await, 7, "another key");
    assert_eq!(take(budgets, 1, FIRST + 2, 1).await, 2, "and the first one is kept");
    // Long after, when the counts of former minutes may have been removed.
    assert_eq!(take(budgets, 3, FIRST + 9, 4).await, 4);
    assert_eq!(take(budgets, 1, FIRST + 9, 6).await, 6);
    assert_eq!(take(budgets, 3, FIRST + 9, 1).await, 5);
}

/// Each key has a minute of its own: a process whose clock is ahead or behind changes the minute of
/// the keys that it takes tokens of, and of no other key. It may remove counts that are old by its
/// clock.
async fn clock_that_is_ahead_with_one_key_changes_no_other(budgets: &Budgets) {
    const FIRST: i64 = 35_000_000;
    assert_eq!(take(budgets, 5, FIRST + 50, 5).await, 5, "a clock that is ahead");
    assert_eq!(take(budgets, 6, FIRST, 3).await, 3);
    assert_eq!(take(budgets, 6, FIRST + 1, 3).await, 3, "a later minute of this key");
    assert_eq!(take(budgets, 5, FIRST + 1, 2).await, 7, "a clock behind begins no budget anew");

    assert_eq!(take(budgets, 7, FIRST, 5).await, 5);
    assert_eq!(take(budgets, 8, FIRST + 1, 1).await, 1, "a later minute of another key");
    assert_eq!(take(budgets, 7, FIRST, 5).await, 10, "the count of the minute before is kept");
}

async fn concurrent_calls_are_counted_once_each(budgets: &Budgets) {
    const MINUTE: i64 = 40_000_000;
    let calls = (0..64).map(|_| {
        let budgets = Arc::clone(budgets);
        async move { take(&budgets, 4, MINUTE, 3).await }
    });
    let mut answers = run_concurrently(calls.collect()).await;
    answers.sort_unstable();
    let expected: Vec<u64> = (1..=64).map(|n| 3 * n).collect();
    assert_eq!(answers, expected, "each call gets tokens of its own");
}

/// A store that removes the counts of former minutes makes no concurrent call fail.
async fn concurrent_calls_of_a_new_minute_all_succeed(budgets: &Budgets) {
    const FIRST: i64 = 50_000_000;
    for minute in (0..40).step_by(5) {
        let calls = (0..16).map(|number| {
            let budgets = Arc::clone(budgets);
            async move { take(&budgets, 16 + number, FIRST + minute, 3).await }
        });
        let answers = run_concurrently(calls.collect()).await;
        assert_eq!(answers, [3; 16], "minute {minute}");
    }
}
