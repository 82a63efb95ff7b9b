//! The counts of all budgets of one process, within one minute.

use std::{collections::HashMap, future::poll_fn, num::NonZeroU32, pin::Pin, task::Poll};

use futures_channel::oneshot;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::{
    BudgetKey, BudgetWindow, GuessBudgets,
    buckets::{BucketPlace, BucketRules, Buckets, NoToken, window_to_count_in},
};
use crate::{report::GuessBudget, store_error::StoreError, time::Timestamp};

/// The maximum number of calls that wait for a token of another call. Further ones are refused.
const MAX_WAITING: usize = 1_000;

/// A question for a block. Every call that waits for its answer drives it, because a host may keep
/// the call that asked and not poll it.
pub(super) type Question = Shared<BoxFuture<'static, Result<(), StoreError>>>;

type WeakQuestion = WeakShared<BoxFuture<'static, Result<(), StoreError>>>;

/// The keys of the budgets that an attempt takes tokens of.
#[derive(Clone, Copy, Debug)]
pub(super) struct GuessKeys {
    pub(super) source: BudgetKey,
    pub(super) code: BudgetKey,
}

impl GuessKeys {
    pub(super) fn of(&self, budget: GuessBudget) -> BudgetKey {
        match budget {
            GuessBudget::Overall => BudgetKey::OVERALL,
            GuessBudget::Source => self.source,
            GuessBudget::SourceAndCode => self.code,
        }
    }
}

/// The counts of the current window.
#[derive(Debug)]
pub(super) struct GuessCounts {
    pub(super) window: BudgetWindow,
    overall: Buckets,
    sources: Buckets,
    codes: Buckets,
    /// Whether the overall budget has given its alarm.
    has_alarmed: bool,
    /// The calls that wait for a token of a bucket. All of them wake up when a call gives its
    /// token back or spends it, so that none depends on another one that was dropped.
    waiting: HashMap<(GuessBudget, BucketPlace), Vec<oneshot::Sender<()>>>,
    /// The calls that ask for a block. They are dropped with the tasks that wait for them.
    asking: HashMap<(GuessBudget, BudgetKey), WeakQuestion>,
    /// The number of waiting calls.
    waiters: usize,
}

/// The places of the tokens that an attempt took: overall, of the source, of source and code.
pub(super) type Places = [BucketPlace; 3];

/// The answer to an attempt.
pub(super) enum TokenAnswer {
    /// A token of each budget.
    Tokens {
        window: BudgetWindow,
        places: Places,
        /// Whether the overall budget gives an alarm.
        alarms: bool,
    },
    /// Other calls hold the last tokens, or one of them asks for a block.
    Later(Wait),
    /// This budget has no token.
    Nothing(GuessBudget, NoToken),
}

/// The wait for a token of another call.
pub(super) struct Wait {
    /// Answered when a token comes back or is spent, or when a block has come.
    ended: oneshot::Receiver<()>,
    /// The question for a block, which this call drives too.
    asking: Option<Question>,
}

impl Wait {
    /// Waits until it is worth trying again.
    ///
    /// # Errors
    ///
    /// The failure of the store that was asked for a block.
    pub(super) async fn until_answered(mut self) -> Result<(), StoreError> {
        poll_fn(|context| {
            let asking = self.asking.as_mut().map(|call| Pin::new(call).poll(context));
            if let Some(Poll::Ready(answer)) = asking {
                return Poll::Ready(answer);
            }
            // The sender is only ever dropped.
            Pin::new(&mut self.ended).poll(context).map(|_| Ok(()))
        })
        .await
    }
}

impl GuessCounts {
    pub(super) fn new(budgets: &GuessBudgets, rules: fn(NonZeroU32) -> BucketRules) -> Self {
        Self {
            window: BudgetWindow::at(Timestamp::MIN),
            overall: Buckets::new(rules(budgets.overall())),
            sources: Buckets::new(rules(budgets.per_source())),
            codes: Buckets::new(rules(budgets.per_source_and_code())),
            has_alarmed: false,
            waiting: HashMap::new(),
            asking: HashMap::new(),
            waiters: 0,
        }
    }

    pub(super) fn of(&mut self, budget: GuessBudget) -> &mut Buckets {
        match budget {
            GuessBudget::Overall => &mut self.overall,
            GuessBudget::Source => &mut self.sources,
            GuessBudget::SourceAndCode => &mut self.codes,
        }
    }

    /// Begins the window of this call, if it is another one. Its buckets are all new, so memory
    /// is bounded by what happens within a minute.
    fn enter(&mut self, window: BudgetWindow) {
        let window = window_to_count_in(self.window, window);
        if window != self.window {
            self.window = window;
            self.has_alarmed = false;
            self.waiting.clear();
            self.asking.clear();
            self.waiters = 0;
            for budget in GuessBudget::ALL {
                self.of(budget).clear();
            }
        }
    }

    /// Returns the block of a budget for which the caller should ask now, and its window.
    pub(super) fn block_due(
        &mut self,
        budget: GuessBudget,
        keys: &GuessKeys,
        window: BudgetWindow,
    ) -> Option<(BudgetWindow, NonZeroU32)> {
        self.enter(window);
        let window = self.window;
        let buckets = self.of(budget);
        let block = buckets.rules().block()?;
        buckets.should_ask(&keys.of(budget)).then_some((window, block))
    }

    /// Keeps the question for a block that [`block_due`](Self::block_due) has returned, so that
    /// calls which wait for the block can drive it.
    pub(super) fn asks(&mut self, budget: GuessBudget, key: BudgetKey, question: &Question) {
        // A question that was answered cannot be shared any more, and no call waits for it.
        if let Some(question) = question.downgrade() {
            self.asking.insert((budget, key), question);
        }
    }

    /// Takes the answer to the question for a block; none if there is none. Calls that wait go on:
    /// they use the block, or ask themselves.
    pub(super) fn answered(&mut self, budget: GuessBudget, key: BudgetKey, taken: Option<u64>) {
        self.asking.remove(&(budget, key));
        let buckets = self.of(budget);
        let rules = *buckets.rules();
        buckets.answered(&key, taken.map(|taken| rules.granted_of_block(taken)));
        self.wake(budget, BucketPlace::Own(key));
    }

    /// Takes a token of each budget, or none.
    pub(super) fn take(
        &mut self,
        keys: &GuessKeys,
        window: BudgetWindow,
        only_alarms: bool,
        may_wait: bool,
    ) -> TokenAnswer {
        self.enter(window);
        let places = GuessBudget::ALL.map(|budget| self.of(budget).place(keys.of(budget)));
        let mut alarms = false;
        for (n, budget) in GuessBudget::ALL.into_iter().enumerate() {
            let Err(empty) = self.of(budget).take(places[n]) else { continue };
            if budget == GuessBudget::Overall && only_alarms {
                self.overall.at(places[n]).take_beyond();
                // Calls under way are no reason for an alarm.
                alarms = empty == NoToken::Spent && !self.has_alarmed;
                continue;
            }
            for (place, taken) in places.into_iter().zip(GuessBudget::ALL).take(n) {
                self.of(taken).give_back(place);
            }
            return if empty == NoToken::InUse && may_wait && self.waiters < MAX_WAITING {
                TokenAnswer::Later(self.wait_at(budget, places[n]))
            } else {
                TokenAnswer::Nothing(budget, empty)
            };
        }
        self.has_alarmed |= alarms;
        TokenAnswer::Tokens { window: self.window, places, alarms }
    }

    fn wait_at(&mut self, budget: GuessBudget, place: BucketPlace) -> Wait {
        let (sender, ended) = oneshot::channel();
        self.waiting.entry((budget, place)).or_default().push(sender);
        self.waiters += 1;
        let asking = match place {
            BucketPlace::Own(key) => {
                self.asking.get(&(budget, key)).and_then(WeakQuestion::upgrade)
            }
            // No call asks for a block of the bucket that the further keys share.
            BucketPlace::Overflow => None,
        };
        Wait { ended, asking }
    }

    /// Wakes the calls that wait for a token of a bucket.
    pub(super) fn wake(&mut self, budget: GuessBudget, place: BucketPlace) {
        if let Some(woken) = self.waiting.remove(&(budget, place)) {
            self.waiters = self.waiters.saturating_sub(woken.len());
        }
    }
}
