//! Calls that come while another one asks for a block.

use std::{
    num::NonZeroU32,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore};

use super::{Attempt, BudgetKey, BudgetWindow, Decision, GuessThrottle, SharedBudgets, Throttle};
use crate::{code::CodeDigest, memory::MemoryStore, store_error::StoreError, time::Timestamp};

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
}

#[async_trait]
impl SharedBudgets for HeldBack {
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError> {
        self.begun.notify_one();
        self.answers.acquire().await.expect("it is never closed").forget();
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
    let mut asking = Box::pin(take(&throttle, 100));
    // It asks for a block of all sources, and then for one of its own.
    for answers in [0, 1] {
        budgets.answers.add_permits(answers);
        let polled = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending), "{polled:?}");
    }
    let mut waiting = pin!(take(&throttle, 101));
    let polled = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "another call asks: {polled:?}");
    drop(asking);
    budgets.answers.add_permits(10);
    let decision = waiting.await;
    assert!(matches!(decision, Ok(Decision::Allowed(_))), "{decision:?}");
}
