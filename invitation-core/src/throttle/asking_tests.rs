//! Calls that come while another one asks for a block.

use std::{
    num::NonZeroU32,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore};

use super::{Attempt, BudgetKey, BudgetWindow, Decision, GuessThrottle, SharedBudgets, Throttle};
use crate::{
    code::CodeDigest,
    memory::MemoryStore,
    store_error::{StoreError, StoreErrorKind},
    time::Timestamp,
};

/// The size of a block of one source.
const BLOCK: u8 = 10;

/// Shared budgets whose answers are held back.
#[derive(Debug)]
struct HeldBack {
    store: MemoryStore,
    /// Told by each call that begins.
    begun: Notify,
    /// A permit for each answer.
    answers: Semaphore,
    /// The number of calls.
    calls: AtomicU32,
    /// Whether the answers are failures.
    is_down: AtomicBool,
}

#[async_trait]
impl SharedBudgets for HeldBack {
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.begun.notify_one();
        self.answers.acquire().await.expect("it is never closed").forget();
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "take_tokens"));
        }
        self.store.take_tokens(key, window, tokens).await
    }
}

/// Takes a token for an attempt without a source, each with a code of its own.
async fn take(throttle: &GuessThrottle, code: u8) -> Result<Decision, StoreError> {
    let code = CodeDigest::from_bytes([code; 32]);
    let now = Timestamp::from_micros(1_800_000_000_000_000).expect("a time");
    let attempt = Attempt { source: None, code: &code, bits: 115, now, in_transaction: false };
    throttle.take(&attempt).await
}

/// Returns a throttle whose first block was spent by failures that ended at the same time.
async fn without_its_first_block() -> (Arc<HeldBack>, GuessThrottle) {
    let budgets = Arc::new(HeldBack {
        store: MemoryStore::new(),
        begun: Notify::new(),
        answers: Semaphore::new(0),
        calls: AtomicU32::new(0),
        is_down: AtomicBool::new(false),
    });
    let throttle = GuessThrottle::shared(Arc::clone(&budgets));
    let mut tokens = Vec::new();
    for code in 0..BLOCK {
        let Decision::Allowed(token) = take(&throttle, code).await.expect("an answer") else {
            panic!("{code}: within the first block")
        };
        tokens.push(token);
    }
    for token in tokens {
        token.spend();
    }
    (budgets, throttle)
}

#[tokio::test]
async fn call_waits_for_a_block_that_another_one_asks_for() {
    let (budgets, throttle) = without_its_first_block().await;
    let asking = tokio::spawn({
        let throttle = throttle.clone();
        async move { take(&throttle, 100).await }
    });
    // It asks for a block of all sources, and then for one of its own.
    budgets.begun.notified().await;
    budgets.answers.add_permits(1);
    budgets.begun.notified().await;
    let mut waiting = pin!(take(&throttle, 101));
    let polled = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "tokens may be left: {polled:?}");
    budgets.answers.add_permits(10);
    for decision in [asking.await.unwrap(), waiting.await] {
        assert!(matches!(decision, Ok(Decision::Allowed(_))), "{decision:?}");
    }
}

#[tokio::test]
async fn dropped_call_leaves_the_question_to_the_next_one() {
    let (budgets, throttle) = without_its_first_block().await;
    let asking = asking(&budgets, &throttle);
    let mut waiting = pin!(take(&throttle, 101));
    let polled = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "another call asks: {polled:?}");
    drop(asking);
    budgets.answers.add_permits(10);
    let decision = waiting.await;
    assert!(matches!(decision, Ok(Decision::Allowed(_))), "{decision:?}");
}

/// Whether a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

type TakeFuture<'a> = Pin<Box<dyn Future<Output = Result<Decision, StoreError>> + 'a>>;

/// Polls a call that is not answered yet.
fn poll_pending(call: &mut TakeFuture<'_>, waker: &Waker) {
    let polled = call.as_mut().poll(&mut Context::from_waker(waker));
    assert!(polled.is_pending(), "{polled:?}");
}

/// Returns a call that has asked for a block of all sources, and now asks for one of its own.
fn asking<'a>(budgets: &HeldBack, throttle: &'a GuessThrottle) -> TakeFuture<'a> {
    let mut asking: TakeFuture<'a> = Box::pin(take(throttle, 100));
    for answers in [0, 1] {
        budgets.answers.add_permits(answers);
        poll_pending(&mut asking, Waker::noop());
    }
    asking
}

#[tokio::test]
async fn call_that_waits_is_answered_although_the_asking_one_is_never_polled_again() {
    let (budgets, throttle) = without_its_first_block().await;
    let mut asking = asking(&budgets, &throttle);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut waiting: TakeFuture<'_> = Box::pin(take(&throttle, 101));
    poll_pending(&mut waiting, &waker);
    // The call that asked was polled last, so the store knows its waker.
    poll_pending(&mut asking, Waker::noop());
    budgets.answers.add_permits(10);
    assert!(woken.0.load(Ordering::SeqCst), "the answer wakes each call that waits for it");
    let polled = waiting.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(matches!(polled, Poll::Ready(Ok(Decision::Allowed(_)))), "{polled:?}");
    assert_eq!(budgets.calls.load(Ordering::SeqCst), 2, "it asked nothing itself");
    let decision = asking.await;
    assert!(matches!(decision, Ok(Decision::Allowed(_))), "{decision:?}");
}

#[tokio::test]
async fn failed_question_fails_every_call_that_waits_for_it() {
    let (budgets, throttle) = without_its_first_block().await;
    let asking = asking(&budgets, &throttle);
    let mut waiting: TakeFuture<'_> = Box::pin(take(&throttle, 101));
    poll_pending(&mut waiting, Waker::noop());
    budgets.is_down.store(true, Ordering::SeqCst);
    budgets.answers.add_permits(1);
    for call in [waiting, asking] {
        let failed = call.await.expect_err("the store is down");
        assert_eq!(failed.kind(), StoreErrorKind::Unavailable);
    }
    assert_eq!(budgets.calls.load(Ordering::SeqCst), 2, "one call for all of them");
    budgets.is_down.store(false, Ordering::SeqCst);
    budgets.answers.add_permits(10);
    let decision = take(&throttle, 102).await;
    assert!(matches!(decision, Ok(Decision::Allowed(_))), "{decision:?}");
}

#[tokio::test]
async fn question_ends_with_the_last_call_that_waits_for_it() {
    let (budgets, throttle) = without_its_first_block().await;
    let first = asking(&budgets, &throttle);
    let mut waiting: TakeFuture<'_> = Box::pin(take(&throttle, 101));
    poll_pending(&mut waiting, Waker::noop());
    drop((first, waiting));
    let mut next: TakeFuture<'_> = Box::pin(take(&throttle, 102));
    poll_pending(&mut next, Waker::noop());
    assert_eq!(budgets.calls.load(Ordering::SeqCst), 3, "it asks anew");
    budgets.answers.add_permits(10);
    let decision = next.await;
    assert!(matches!(decision, Ok(Decision::Allowed(_))), "{decision:?}");
}

/// Shared budgets that panic.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl SharedBudgets for Broken {
    async fn take_tokens(
        &self,
        _: &BudgetKey,
        _: BudgetWindow,
        _: NonZeroU32,
    ) -> Result<u64, StoreError> {
        panic!("a store with a fault");
    }
}

#[tokio::test]
async fn panic_of_the_shared_budget_is_an_error_of_its_calls() {
    let throttle = GuessThrottle::shared(Broken);
    for code in 0..BLOCK {
        // The first tokens need no question.
        if let Ok(Decision::Allowed(token)) = take(&throttle, code).await {
            token.spend();
        }
    }
    for code in [100, 101] {
        let error = take(&throttle, code).await.expect_err("the budget is not known");
        assert_eq!(error.kind(), StoreErrorKind::Other);
    }
}
