//! Concurrent callers share calls to a store, and every caller gets its own answer.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    future::pending,
    num::NonZeroUsize,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use invitation_core::store::{Batcher, Execute};
use tokio::{sync::Semaphore, task::yield_now};

type Answer = Result<u32, Down>;
type Numbers = Batcher<u32, Answer>;

fn batcher(slots: usize, max_batch_size: usize) -> Numbers {
    let [slots, max_batch_size] = [slots, max_batch_size].map(|n| NonZeroUsize::new(n).unwrap());
    Batcher::new(slots, max_batch_size)
}

async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// The database has no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Down;

/// A database that doubles numbers, one step for each permit.
struct Doubling {
    connections: Semaphore,
    answers: Semaphore,
    /// One permit for each call that has become slow.
    slow: Semaphore,
    /// The requests of each call; `alone` or in a `batch`.
    calls: Mutex<Vec<(&'static str, Vec<u32>)>>,
    /// The requests that a batch leaves without an answer.
    unanswered: &'static [u32],
    is_down: bool,
}

impl Doubling {
    fn new() -> Self {
        let [connections, answers, slow] = [0; 3].map(Semaphore::new);
        let calls = Mutex::default();
        Self { connections, answers, slow, calls, unanswered: &[], is_down: false }
    }

    fn calls(&self) -> Vec<(&'static str, Vec<u32>)> {
        self.calls.lock().unwrap().clone()
    }
}

impl Execute<u32, Answer> for Doubling {
    type Resource = ();

    async fn acquire(&self) -> Result<(), Answer> {
        self.connections.acquire().await.unwrap().forget();
        if self.is_down { Err(Err(Down)) } else { Ok(()) }
    }

    async fn execute(&self, (): (), batch: &[&u32]) -> Vec<Option<Answer>> {
        let requests = batch.iter().map(|number| **number).collect();
        self.calls.lock().unwrap().push(("batch", requests));
        self.answers.acquire().await.unwrap().forget();
        let answer = |number: u32| (!self.unanswered.contains(&number)).then_some(Ok(number * 2));
        batch.iter().map(|number| answer(**number)).collect()
    }

    async fn execute_alone(&self, number: &u32) -> Answer {
        self.calls.lock().unwrap().push(("alone", vec![*number]));
        Ok(number * 2)
    }

    async fn sleep(&self, time: Duration) {
        assert_eq!(time, Duration::from_millis(100));
        self.slow.acquire().await.unwrap().forget();
    }
}

/// Submits a request and polls it once.
async fn submitted<'a>(
    batcher: &'a Numbers,
    number: &'a u32,
    database: &'a Doubling,
) -> Pin<Box<impl Future<Output = Answer> + 'a>> {
    let mut caller = Box::pin(batcher.submit(number, database));
    assert!(is_pending(&mut caller).await);
    caller
}

#[tokio::test]
async fn requests_that_arrive_until_the_connection_is_there_share_a_batch() {
    let (batcher, database) = (batcher(1, 3), Doubling::new());
    let mut first = submitted(&batcher, &1, &database).await;
    let second = submitted(&batcher, &2, &database).await;
    let third = submitted(&batcher, &3, &database).await;
    let mut fourth = submitted(&batcher, &4, &database).await;
    database.connections.add_permits(1);
    assert!(is_pending(&mut first).await);
    assert_eq!(database.calls(), [("batch", vec![1, 2, 3])], "as many as a batch holds");
    database.answers.add_permits(1);
    assert_eq!((first.await, second.await, third.await), (Ok(2), Ok(4), Ok(6)));
    assert!(is_pending(&mut fourth).await, "it has the slot, and waits for a connection");
    database.connections.add_permits(1);
    database.answers.add_permits(1);
    assert_eq!(fourth.await, Ok(8));
}

#[tokio::test]
async fn request_that_its_batch_does_not_answer_is_executed_alone() {
    let database = Doubling { unanswered: &[1, 3], ..Doubling::new() };
    let batcher = batcher(1, 8);
    let mut first = submitted(&batcher, &1, &database).await;
    let second = submitted(&batcher, &2, &database).await;
    let third = submitted(&batcher, &3, &database).await;
    database.connections.add_permits(1);
    assert!(is_pending(&mut first).await);
    database.answers.add_permits(1);
    assert_eq!((first.await, second.await, third.await), (Ok(2), Ok(4), Ok(6)));
    let alone = [("alone", vec![1]), ("alone", vec![3])];
    assert_eq!(database.calls(), [&[("batch", vec![1, 2, 3])][..], &alone].concat());
}

#[tokio::test]
async fn followers_of_a_dropped_leader_are_executed_alone() {
    let (batcher, database) = (batcher(1, 8), Doubling::new());
    let mut first = submitted(&batcher, &1, &database).await;
    let second = submitted(&batcher, &2, &database).await;
    database.connections.add_permits(1);
    assert!(is_pending(&mut first).await);
    drop(first);
    assert_eq!(second.await, Ok(4));
    assert_eq!(database.calls(), [("batch", vec![1, 2]), ("alone", vec![2])]);
}

#[tokio::test]
async fn caller_without_a_connection_fails_by_itself() {
    let (down, up) = (Doubling { is_down: true, ..Doubling::new() }, Doubling::new());
    let batcher = batcher(1, 8);
    let first = submitted(&batcher, &1, &down).await;
    let second = submitted(&batcher, &2, &up).await;
    down.connections.add_permits(1);
    assert_eq!(first.await, Err(Down));
    up.connections.add_permits(1);
    up.answers.add_permits(1);
    assert_eq!(second.await, Ok(4), "the queued caller is not affected");
}

#[tokio::test]
async fn slow_call_gives_its_slot_to_the_queued_callers() {
    let (batcher, database) = (batcher(1, 8), Doubling::new());
    let mut first = submitted(&batcher, &1, &database).await;
    database.connections.add_permits(1);
    assert!(is_pending(&mut first).await);
    let mut second = submitted(&batcher, &2, &database).await;
    database.connections.add_permits(1);
    assert!(is_pending(&mut second).await);
    assert_eq!(database.calls(), [("batch", vec![1])], "the slot is taken");
    database.slow.add_permits(1);
    assert!(is_pending(&mut first).await);
    assert!(is_pending(&mut second).await);
    assert_eq!(database.calls(), [("batch", vec![1]), ("batch", vec![2])]);
    database.answers.add_permits(2);
    assert_eq!((first.await, second.await), (Ok(2), Ok(4)));
}

/// A database that serves each call at once, and asserts that at most two run at a time.
#[derive(Default)]
struct Counting(AtomicUsize);

/// A running call.
struct Running<'a>(&'a AtomicUsize);

impl<'a> Running<'a> {
    fn new(running: &'a AtomicUsize) -> Self {
        assert!(running.fetch_add(1, Ordering::SeqCst) < 2, "one for each slot");
        Self(running)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Execute<u32, Answer> for Counting {
    type Resource = ();

    async fn acquire(&self) -> Result<(), Answer> {
        Ok(())
    }

    async fn execute(&self, (): (), batch: &[&u32]) -> Vec<Option<Answer>> {
        let _running = Running::new(&self.0);
        if batch[0].is_multiple_of(3) {
            yield_now().await;
        }
        batch.iter().map(|number| Some(Ok(*number * 2))).collect()
    }

    async fn execute_alone(&self, number: &u32) -> Answer {
        Ok(number * 2)
    }

    async fn sleep(&self, _: Duration) {
        pending::<()>().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_remaining_caller_gets_its_answer_although_others_are_dropped() {
    const CALLERS: u32 = 5_000;
    let (batcher, database) = (batcher(2, 8), Arc::new(Counting::default()));
    let rush = Arc::new(Semaphore::new(0));
    let callers = (0..CALLERS).map(|number| {
        let (batcher, database, rush) = (batcher.clone(), Arc::clone(&database), Arc::clone(&rush));
        tokio::spawn(async move {
            let _go = rush.acquire().await.unwrap();
            let call = batcher.submit(&number, &*database);
            if number % 5 == 1 {
                // This caller is dropped after its first poll.
                is_pending(&mut Box::pin(call)).await;
                return None;
            }
            Some(call.await == Ok(number * 2))
        })
    });
    let callers: Vec<_> = callers.collect();
    rush.add_permits(Semaphore::MAX_PERMITS);
    for caller in callers {
        assert_ne!(caller.await.unwrap(), Some(false), "each caller gets its own answer");
    }
    // Both slots are free again.
    let waiting = Doubling::new();
    waiting.connections.add_permits(3);
    let _one = submitted(&batcher, &1, &waiting).await;
    let _two = submitted(&batcher, &2, &waiting).await;
    let _three = submitted(&batcher, &3, &waiting).await;
    assert_eq!(waiting.calls(), [("batch", vec![1]), ("batch", vec![2])]);
}
