//! The order in which queued callers get slots, join batches and get answers.

use std::{future::pending, num::NonZeroUsize, pin::pin, sync::Arc, time::Duration};

use tokio::task::yield_now;

use super::{
    Batcher, Execute,
    queue::{Leader, Queue, Turn},
    release_when_slow,
};

type Numbers = Arc<Queue<u32, u32>>;

fn queue(slots: usize) -> Numbers {
    queue_of(slots, 8)
}

fn queue_of(slots: usize, max_batch_size: usize) -> Numbers {
    let [slots, max_batch_size] = [slots, max_batch_size].map(|n| NonZeroUsize::new(n).unwrap());
    Arc::new(Queue::new(slots, max_batch_size))
}

async fn leader(queue: &Numbers, request: u32) -> Leader<u32, u32> {
    match queue.enter(&request).await {
        Turn::Leader(leader) => leader,
        Turn::Answered(_) | Turn::Unanswered => panic!("{request} does not lead"),
    }
}

/// Polls a new caller once, asserts that it waits, and returns it.
macro_rules! waits {
    ($queue:expr, $job:expr) => {{
        let mut waiting = Box::pin($queue.enter(&$job));
        assert!(is_pending(&mut waiting).await);
        waiting
    }};
}

async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

#[tokio::test]
async fn caller_waits_only_while_all_slots_are_taken() {
    let queue = queue(2);
    let first = leader(&queue, 1).await;
    let second = leader(&queue, 2).await;
    let mut third = waits!(queue, 3);
    drop(first);
    assert!(matches!(third.as_mut().await, Turn::Leader(_)));
    drop(second);
    leader(&queue, 4).await;
}

#[tokio::test]
async fn queued_requests_are_collected_in_order_and_get_their_own_answers() {
    let queue = queue_of(1, 3);
    let first = leader(&queue, 1).await;
    let (second, third, fourth) = (waits!(queue, 2), waits!(queue, 3), waits!(queue, 4));
    let others = first.collect();
    assert_eq!(others.requests().copied().collect::<Vec<_>>(), [2, 3]);
    others.answer([Some(20), None]);
    drop(first);
    assert!(matches!(second.await, Turn::Answered(20)));
    assert!(matches!(third.await, Turn::Unanswered), "it got no answer");
    assert!(matches!(fourth.await, Turn::Leader(_)), "it was not taken along");
}

#[tokio::test]
async fn queued_caller_that_was_dropped_is_not_collected() {
    let queue = queue(1);
    let first = leader(&queue, 1).await;
    let second = waits!(queue, 2);
    let third = waits!(queue, 3);
    drop(second);
    let others = first.collect();
    assert_eq!(others.requests().copied().collect::<Vec<_>>(), [3]);
    drop(others);
    assert!(matches!(third.await, Turn::Unanswered));
}

#[tokio::test]
async fn freed_slot_skips_dropped_callers() {
    let queue = queue(1);
    let first = leader(&queue, 1).await;
    let (second, third) = (waits!(queue, 2), waits!(queue, 3));
    drop(second);
    drop(first);
    assert!(matches!(third.await, Turn::Leader(_)));
    leader(&queue, 4).await;
}

#[tokio::test]
async fn slot_of_a_caller_dropped_before_its_next_poll_is_passed_on() {
    let queue = queue(1);
    let first = leader(&queue, 1).await;
    let (second, third) = (waits!(queue, 2), waits!(queue, 3));
    drop(first);
    // The second caller owns the slot now, but has not been polled since.
    drop(second);
    assert!(matches!(third.await, Turn::Leader(_)));
    leader(&queue, 4).await;
}

#[tokio::test]
async fn followers_of_a_dropped_leader_are_unanswered() {
    let queue = queue_of(1, 2);
    let first = leader(&queue, 1).await;
    let (second, third) = (waits!(queue, 2), waits!(queue, 3));
    let others = first.collect();
    drop((first, others));
    assert!(matches!(second.await, Turn::Unanswered));
    assert!(matches!(third.await, Turn::Leader(_)));
}

#[tokio::test]
async fn leader_without_its_slot_still_answers() {
    let queue = queue_of(1, 2);
    let first = leader(&queue, 1).await;
    let (second, third) = (waits!(queue, 2), waits!(queue, 3));
    let others = first.collect();
    first.release();
    let Turn::Leader(third) = third.await else { panic!("it has the slot") };
    let mut fourth = waits!(queue, 4);
    // A second call changes nothing, also from the leader that has passed the slot on.
    first.release();
    drop(first);
    assert!(is_pending(&mut fourth).await);
    others.answer([Some(20)]);
    assert!(matches!(second.await, Turn::Answered(20)));
    drop(third);
    assert!(matches!(fourth.await, Turn::Leader(_)));
}

#[tokio::test]
async fn slow_call_releases_its_slot() {
    let queue = queue(1);
    let first = leader(&queue, 1).await;
    let mut next = waits!(queue, 2);
    release_when_slow(&first, yield_now(), pending()).await;
    assert!(is_pending(&mut next).await, "it was back in time");
    let slow = async { matches!(next.await, Turn::Leader(_)) };
    assert!(release_when_slow(&first, slow, yield_now()).await, "the next caller starts");
}

#[tokio::test]
async fn second_slot_waits_for_its_share_of_the_requests() {
    let queue = queue(2);
    let alone = leader(&queue, 0).await;
    let also = leader(&queue, 1).await;
    let mut first: Vec<_> = Vec::new();
    for job in &[2, 3, 4, 5] {
        first.push(waits!(queue, *job));
    }
    // From here on five entries are in flight: four in the next batch, and one in the
    // other slot. No caller waits.
    drop(alone);
    let Turn::Leader(of_four) = first.remove(0).await else { panic!("it has the slot") };
    let three = of_four.collect();
    drop(also);
    // The next two callers wait, because one or two entries are fewer than the share of a
    // slot. The third completes the share and leads the batch.
    let (mut sixth, mut seventh) = (waits!(queue, 6), waits!(queue, 7));
    let eighth = leader(&queue, 8).await;
    assert_eq!(eighth.collect().requests().copied().collect::<Vec<_>>(), [6, 7]);
    assert!(matches!(sixth.as_mut().await, Turn::Unanswered), "left to itself");
    assert!(matches!(seventh.as_mut().await, Turn::Unanswered), "left to itself");
    drop((three, of_four, eighth));
}

#[tokio::test]
async fn returning_call_starts_the_queued_requests() {
    let queue = queue(2);
    let (alone, also) = (leader(&queue, 0).await, leader(&queue, 1).await);
    let mut many: Vec<_> = Vec::new();
    for job in &[2, 3, 4, 5, 6, 7] {
        many.push(waits!(queue, *job));
    }
    drop(alone);
    let Turn::Leader(of_six) = many.remove(0).await else { panic!("it has the slot") };
    let others = of_six.collect();
    drop(also);
    let mut late = waits!(queue, 9);
    assert!(is_pending(&mut late).await, "six are out");
    others.answer([Some(0), Some(0), Some(0), Some(0), Some(0)]);
    drop(of_six);
    assert!(matches!(late.await, Turn::Leader(_)));
}

#[tokio::test]
async fn requests_that_arrive_before_the_collection_join_the_batch() {
    let queue = queue(1);
    let first = leader(&queue, 1).await;
    let mut second = waits!(queue, 2);
    drop(first);
    let Turn::Leader(second) = second.as_mut().await else { panic!("it has the slot") };
    let _third = waits!(queue, 3);
    assert_eq!(second.collect().requests().copied().collect::<Vec<_>>(), [3]);
}

/// A database whose first call never returns, on a clock that has passed `elapsed`.
struct Stuck {
    elapsed: Duration,
}

impl Execute<u32, u32> for Stuck {
    type Resource = ();

    async fn acquire(&self) -> Result<(), u32> {
        Ok(())
    }

    async fn execute(&self, (): (), batch: &[&u32]) -> Vec<Option<u32>> {
        if batch == [&1] {
            pending::<()>().await;
        }
        batch.iter().map(|number| Some(**number)).collect()
    }

    async fn execute_alone(&self, number: &u32) -> u32 {
        *number
    }

    async fn sleep(&self, time: Duration) {
        if time > self.elapsed {
            pending::<()>().await;
        }
    }
}

#[tokio::test]
async fn next_caller_starts_after_the_slot_timeout() {
    let [one, eight] = [1, 8].map(|n| NonZeroUsize::new(n).unwrap());
    let (ms_99, ms_100) = (Duration::from_millis(99), Duration::from_millis(100));
    for (set, elapsed, starts) in [
        (None, ms_99, false),
        (None, ms_100, true),
        (Some(ms_99), ms_99, true),
        (Some(Duration::from_secs(1)), ms_100, false),
    ] {
        let batcher = Batcher::<u32, u32>::new(one, eight);
        let batcher = set.map_or(batcher.clone(), |set| batcher.with_slot_timeout(set));
        let database = Stuck { elapsed };
        let mut stuck = Box::pin(batcher.submit(&1, &database));
        assert!(is_pending(&mut stuck).await);
        let mut next = Box::pin(batcher.submit(&2, &database));
        assert_eq!(is_pending(&mut next).await, !starts, "{set:?} after {elapsed:?}");
    }
}
