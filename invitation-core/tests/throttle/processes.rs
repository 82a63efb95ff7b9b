//! Budgets that processes share. Each throttle here is one process; the stores' own tests start
//! real ones.

use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use invitation_core::{
    Draft, Invitations, MemoryStore, StoreError, StoreErrorKind,
    throttle::{BudgetKey, BudgetWindow, GuessThrottle, SharedBudgets},
};
use time::Duration;

use crate::{GuessAnswer, MemoryService, PER_SOURCE, clock, code, exhaust, guess, overall, person};

const SOURCE: &str = "192.0.2.7";
/// The size of a block of the budget of one source.
const BLOCK: usize = 10;

fn process(store: &Arc<MemoryStore>, seconds: i64) -> MemoryService {
    Invitations::new(Arc::clone(store))
        .with_clock(clock(seconds))
        .with_throttle(GuessThrottle::shared(Arc::clone(store)))
}

#[tokio::test]
async fn budget_holds_across_two_processes_and_restarts() {
    let store = Arc::new(MemoryStore::new());
    let [first, second] = [(); 2].map(|()| process(&store, 0));
    let mut evaluated = 0;
    // In turn.
    for n in 0..200 {
        let invitations = if n % 2 == 0 { &first } else { &second };
        evaluated += usize::from(guess(invitations, Some(SOURCE)).await == GuessAnswer::Evaluated);
    }
    assert!((PER_SOURCE..=PER_SOURCE + 2).contains(&evaluated), "{evaluated}");
    // A process that was restarted learns with its first failure that the budget is spent.
    for _ in 0..5 {
        assert_eq!(exhaust(&process(&store, 30), Some(SOURCE)).await.0, 1);
    }
    let code = code(&first, Draft::new()).await;
    let holder = person("anna", SOURCE);
    first.redeem(&code, &holder).await.expect_err("in the same minute");
    process(&store, 60).redeem(&code, &holder).await.expect("in the next one");
}

/// Counts the calls to the shared budgets.
#[derive(Debug, Default)]
struct Counting {
    store: MemoryStore,
    calls: std::sync::atomic::AtomicUsize,
}

#[async_trait]
impl SharedBudgets for Counting {
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError> {
        self.calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.store.take_tokens(key, window, tokens).await
    }
}

#[tokio::test]
async fn calls_without_failures_never_ask_and_failures_ask_once_in_a_block() {
    let budgets = Arc::new(Counting::default());
    let calls = || budgets.calls.load(std::sync::atomic::Ordering::SeqCst);
    let invitations = Invitations::new(MemoryStore::new())
        .with_clock(clock(0))
        .with_throttle(GuessThrottle::shared(Arc::clone(&budgets)));
    for n in 0..100 {
        let code = code(&invitations, Draft::new()).await;
        invitations.redeem(&code, &person(&format!("p{n}"), SOURCE)).await.unwrap();
    }
    assert_eq!(calls(), 0);
    exhaust(&invitations, Some(SOURCE)).await;
    // Four blocks of the source, of which the last one is refused, and one of all sources.
    assert_eq!(calls(), PER_SOURCE / BLOCK + 1 + 1);
}

/// Shared budgets that fail.
#[derive(Debug)]
struct Unreachable;

#[async_trait]
impl SharedBudgets for Unreachable {
    async fn take_tokens(
        &self,
        _: &BudgetKey,
        _: BudgetWindow,
        _: NonZeroU32,
    ) -> Result<u64, StoreError> {
        Err(StoreError::new(StoreErrorKind::Unavailable, "take_tokens"))
    }
}

#[tokio::test]
async fn without_the_shared_budgets_no_further_guess_is_evaluated() {
    let invitations = Invitations::new(MemoryStore::new())
        .with_clock(clock(0))
        .with_throttle(GuessThrottle::shared(Unreachable));
    assert_eq!(guess(&invitations, Some(SOURCE)).await, GuessAnswer::Evaluated, "ahead of a block");
    let code = code(&invitations, Draft::new()).await;
    for _ in 0..3 {
        let error = invitations.redeem(&code, &person("anna", SOURCE)).await.unwrap_err();
        assert!(matches!(error, invitation_core::Error::Store(_)), "{error:?}");
    }
}

#[tokio::test]
async fn overall_budget_is_shared_too() {
    let store = Arc::new(MemoryStore::new());
    let short = invitation_core::CodeFormat::new(12).unwrap();
    let processes = [(); 2].map(|()| {
        let throttle = GuessThrottle::shared(Arc::clone(&store)).with_budgets(overall(60));
        Invitations::new(Arc::clone(&store))
            .with_clock(clock(0))
            .with_throttle(throttle)
            .with_code_format(short.clone())
            .unwrap()
    });
    let mut evaluated = 0;
    for n in 0..200 {
        let answer = guess(&processes[n % 2], Some(&format!("192.0.2.{n}"))).await;
        evaluated += usize::from(answer == GuessAnswer::Evaluated);
    }
    assert!((60..=62).contains(&evaluated), "{evaluated}");
    let GuessAnswer::Throttled(wait) = guess(&processes[0], None).await else { panic!("spent") };
    assert!(wait <= Duration::MINUTE);
}
