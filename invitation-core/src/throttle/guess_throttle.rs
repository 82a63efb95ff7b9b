//! The throttle of this library.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use time::Duration;

use super::{
    Attempt, BudgetKey, BudgetWindow, Decision, GuessBudgets, MIN_BITS_WITHOUT_THROTTLE,
    SharedBudgets, Throttle, Token,
    buckets::{BucketPlace, BucketRules, Buckets, NoToken},
    counts::{GuessCounts, GuessKeys, Places, TokenAnswer},
    driven::DrivenCall,
    source::GuessSource,
};
use crate::{
    report::{self, GuessBudget},
    store_error::StoreError,
    time::Timestamp,
};

/// The time after which a caller may try again while other calls hold the last tokens.
const SOON: Duration = Duration::SECOND;

/// A throttle that counts failed guesses per minute. [The module](super) describes its budgets.
///
/// Memory: up to 100,000 sources with failures within one minute, and as many sources with a
/// code, about 10 MB each. Further ones share one budget. Calls without failures keep nothing.
///
/// Clones share their counts.
#[derive(Clone)]
pub struct GuessThrottle {
    budgets: GuessBudgets,
    shared: Option<Arc<dyn SharedBudgets>>,
    counts: Arc<Mutex<GuessCounts>>,
}

impl GuessThrottle {
    /// Creates a throttle that counts within this process, with the default budgets.
    #[must_use]
    pub fn in_process() -> Self {
        Self::new(GuessBudgets::default(), None)
    }

    /// Creates a throttle that shares its counts with other processes, with the default budgets.
    /// All of them must have the same budgets.
    ///
    /// A call of a source with failures may take up to three calls to `shared`, one in a block of
    /// failures for each budget. Other calls take none.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use std::sync::Arc;
    ///
    /// use invitation::code::throttle::GuessThrottle;
    /// use invitation::{Invitations, MemoryStore};
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let throttle = GuessThrottle::shared(Arc::clone(&store));
    /// let invitations = Invitations::new(store).with_throttle(throttle);
    /// assert_eq!(invitations.code_format().bits(), 115);
    /// ```
    #[must_use]
    pub fn shared(shared: impl SharedBudgets + 'static) -> Self {
        Self::new(GuessBudgets::default(), Some(Arc::new(shared)))
    }

    /// Sets the budgets. Set them before the throttle is used: it forgets its counts.
    #[must_use]
    pub fn with_budgets(self, budgets: GuessBudgets) -> Self {
        Self::new(budgets, self.shared)
    }

    fn new(budgets: GuessBudgets, shared: Option<Arc<dyn SharedBudgets>>) -> Self {
        let rules = if shared.is_some() { BucketRules::shared } else { BucketRules::alone };
        let counts = GuessCounts::new(&budgets, rules);
        Self { budgets, shared, counts: Arc::new(Mutex::new(counts)) }
    }

    fn counts(&self) -> MutexGuard<'_, GuessCounts> {
        lock(&self.counts)
    }

    /// Asks the shared budgets for the blocks that are due.
    async fn ask_for_blocks(
        &self,
        shared: &Arc<dyn SharedBudgets>,
        keys: &GuessKeys,
        window: BudgetWindow,
    ) -> Result<(), StoreError> {
        for budget in GuessBudget::ALL {
            if let Some(call) = self.question(shared, budget, keys, window) {
                call.await?;
            }
        }
        Ok(())
    }

    /// Returns the question for a block of a budget, if it is due.
    fn question(
        &self,
        shared: &Arc<dyn SharedBudgets>,
        budget: GuessBudget,
        keys: &GuessKeys,
        window: BudgetWindow,
    ) -> Option<DrivenCall> {
        let mut counts = self.counts();
        let (window, block) = counts.block_due(budget, keys, window)?;
        let (key, shared) = (keys.of(budget), Arc::clone(shared));
        let asking = Asking { counts: Arc::clone(&self.counts), window, budget, key, taken: None };
        let call = DrivenCall::new(async move {
            // All of it, not only the field: it has to end with the question.
            let mut asking = asking;
            asking.taken = Some(shared.take_tokens(&key, window, block).await?);
            Ok(())
        });
        // Under the same lock: no call finds out that one asks, and not which one.
        counts.asks(budget, key, &call);
        Some(call)
    }
}

/// A question for a block. When it has ended, other calls go on: they use the block, or ask
/// themselves if this question was dropped.
struct Asking {
    counts: Arc<Mutex<GuessCounts>>,
    window: BudgetWindow,
    budget: GuessBudget,
    key: BudgetKey,
    /// The tokens that all processes have taken, if the shared budget has answered.
    taken: Option<u64>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        if counts.window == self.window {
            counts.answered(self.budget, self.key, self.taken);
        }
    }
}

impl fmt::Debug for GuessThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuessThrottle")
            .field("budgets", &self.budgets)
            .field("is_shared", &self.shared.is_some())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Throttle for GuessThrottle {
    async fn take(&self, attempt: &Attempt<'_>) -> Result<Decision, StoreError> {
        let source = GuessSource::of(attempt.source);
        let keys = GuessKeys { source: source.key(), code: source.key_with(attempt.code) };
        let window = BudgetWindow::at(attempt.now);
        let only_alarms = attempt.bits >= MIN_BITS_WITHOUT_THROTTLE;
        // Each round waits for the end of another call, which takes or returns a token, or for a
        // block.
        loop {
            if let Some(shared) = &self.shared
                && !attempt.in_transaction
            {
                self.ask_for_blocks(shared, &keys, window).await?;
            }
            let answer = self.counts().take(&keys, window, only_alarms, !attempt.in_transaction);
            let (budget, retry_after) = match answer {
                TokenAnswer::Tokens { window, places, alarms } => {
                    if alarms {
                        report::guess_alarm();
                    }
                    let counts = Arc::clone(&self.counts);
                    let token = GuessToken { counts, window, places, has_ended: false };
                    return Ok(Decision::Allowed(Box::new(token)));
                }
                TokenAnswer::Later(wait) => {
                    wait.until_answered().await?;
                    continue;
                }
                // Failures of other calls ended meanwhile: the next round asks for a block.
                TokenAnswer::Nothing(_, NoToken::BlockDue) if !attempt.in_transaction => continue,
                TokenAnswer::Nothing(budget, NoToken::InUse | NoToken::BlockDue) => (budget, SOON),
                TokenAnswer::Nothing(budget, NoToken::Spent) => {
                    (budget, until_next_window(attempt.now))
                }
            };
            report::throttled(budget);
            return Ok(Decision::Refused { retry_after });
        }
    }
}

/// Returns the time until the next minute.
fn until_next_window(now: Timestamp) -> Duration {
    let minute = BudgetWindow::MICROS;
    Duration::microseconds(minute - now.as_micros().rem_euclid(minute))
}

fn lock(counts: &Mutex<GuessCounts>) -> MutexGuard<'_, GuessCounts> {
    // No code that could panic runs between two changes that belong together.
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tokens of one attempt.
struct GuessToken {
    counts: Arc<Mutex<GuessCounts>>,
    window: BudgetWindow,
    places: Places,
    has_ended: bool,
}

impl GuessToken {
    /// Changes the buckets of the token, unless their window is over.
    fn end(&mut self, change: impl Fn(&mut Buckets, BucketPlace)) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let mut counts = lock(&self.counts);
        if counts.window == self.window {
            for (place, budget) in self.places.into_iter().zip(GuessBudget::ALL) {
                change(counts.of(budget), place);
                counts.wake(budget, place);
            }
        }
    }
}

impl Token for GuessToken {
    fn give_back(mut self: Box<Self>) {
        self.end(Buckets::give_back);
    }

    fn spend(mut self: Box<Self>) {
        self.end(Buckets::spend);
    }
}

impl Drop for GuessToken {
    fn drop(&mut self) {
        self.end(Buckets::spend);
    }
}

impl fmt::Debug for GuessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuessToken").field("window", &self.window).finish_non_exhaustive()
    }
}
