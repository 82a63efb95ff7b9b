//! Concurrent callers share calls to a store, and every caller gets an answer.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    future::pending,
    num::NonZeroUsize,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use invitation_core::{Batcher, Boarding, Lead};
use tokio::{sync::Semaphore, task::yield_now};

type Doubling = Batcher<u32, u32>;

fn slots(number: usize) -> Doubling {
    seated(number, 8)
}

fn seated(number: usize, max_batch_size: usize) -> Doubling {
    Batcher::new(NonZeroUsize::new(number).unwrap(), NonZeroUsize::new(max_batch_size).unwrap())
}

async fn lead(slots: &Doubling, job: u32) -> Lead<u32, u32> {
    match slots.board(&job).await {
        Boarding::Lead(lead) => lead,
        other => panic!("{other:?}"),
    }
}

/// Polls a new caller once, asserts that it waits, and returns it.
macro_rules! waits {
    ($slots:expr, $job:expr) => {{
        let mut waiting = Box::pin($slots.board(&$job));
        assert!(is_pending(&mut waiting).await);
        waiting
    }};
}

async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

#[tokio::test]
async fn nobody_waits_while_a_lane_is_free() {
    let slots = slots(2);
    let first = lead(&slots, 1).await;
    let second = lead(&slots, 2).await;
    let mut third = waits!(slots, 3);
    drop(first);
    assert!(matches!(third.as_mut().await, Boarding::Lead(_)));
    drop(second);
    lead(&slots, 4).await;
}

#[tokio::test]
async fn those_who_wait_are_taken_along_in_their_order_and_get_their_own_answers() {
    let slots = seated(1, 3);
    let first = lead(&slots, 1).await;
    let (second, third, fourth) = (waits!(slots, 2), waits!(slots, 3), waits!(slots, 4));
    let others = first.take_along();
    assert_eq!(others.jobs().copied().collect::<Vec<_>>(), [2, 3]);
    others.answer([Some(20), None]);
    drop(first);
    assert!(matches!(second.await, Boarding::Answered(20)));
    assert!(matches!(third.await, Boarding::Alone), "it got no answer");
    assert!(matches!(fourth.await, Boarding::Lead(_)), "it was not taken along");
}

#[tokio::test]
async fn who_goes_away_while_waiting_is_left_out() {
    let slots = slots(1);
    let first = lead(&slots, 1).await;
    let second = waits!(slots, 2);
    let third = waits!(slots, 3);
    drop(second);
    let others = first.take_along();
    assert_eq!(others.jobs().copied().collect::<Vec<_>>(), [3]);
    drop(others);
    assert!(matches!(third.await, Boarding::Alone));
}

#[tokio::test]
async fn a_lane_passes_by_those_who_have_gone() {
    let slots = slots(1);
    let first = lead(&slots, 1).await;
    let (second, third) = (waits!(slots, 2), waits!(slots, 3));
    drop(second);
    drop(first);
    assert!(matches!(third.await, Boarding::Lead(_)));
    lead(&slots, 4).await;
}

#[tokio::test]
async fn a_lane_given_to_somebody_who_goes_before_looking_is_given_on() {
    let slots = slots(1);
    let first = lead(&slots, 1).await;
    let (second, third) = (waits!(slots, 2), waits!(slots, 3));
    drop(first);
    // The second caller owns the slot now, but has not been polled since.
    drop(second);
    assert!(matches!(third.await, Boarding::Lead(_)));
    lead(&slots, 4).await;
}

#[tokio::test]
async fn one_who_leaves_on_the_way_leaves_the_others_to_themselves() {
    let slots = seated(1, 2);
    let first = lead(&slots, 1).await;
    let (second, third) = (waits!(slots, 2), waits!(slots, 3));
    let others = first.take_along();
    drop((first, others));
    assert!(matches!(second.await, Boarding::Alone));
    assert!(matches!(third.await, Boarding::Lead(_)));
}

#[tokio::test]
async fn who_is_out_for_long_lets_the_next_go_and_still_answers() {
    let slots = seated(1, 2);
    let first = lead(&slots, 1).await;
    let (second, third) = (waits!(slots, 2), waits!(slots, 3));
    let others = first.take_along();
    first.pass_on();
    let Boarding::Lead(third) = third.await else { panic!("it has the slot") };
    let mut fourth = waits!(slots, 4);
    // A second call changes nothing, also from the leader that has passed the slot on.
    first.pass_on();
    drop(first);
    assert!(is_pending(&mut fourth).await);
    others.answer([Some(20)]);
    assert!(matches!(second.await, Boarding::Answered(20)));
    drop(third);
    assert!(matches!(fourth.await, Boarding::Lead(_)));
}

#[tokio::test]
async fn a_call_that_takes_long_passes_its_lane_on() {
    let slots = slots(1);
    let first = lead(&slots, 1).await;
    let mut next = waits!(slots, 2);
    first.while_out(yield_now(), |_| pending()).await;
    assert!(is_pending(&mut next).await, "it was back in time");
    let slow = async { matches!(next.await, Boarding::Lead(_)) };
    let later = |long| {
        assert_eq!(long, Duration::from_millis(100));
        yield_now()
    };
    assert!(first.while_out(slow, later).await, "it is still out, and the next may go");
}

#[tokio::test]
async fn while_others_are_out_a_lane_waits_for_its_share() {
    let slots = slots(2);
    let alone = lead(&slots, 0).await;
    let also = lead(&slots, 1).await;
    let mut first: Vec<_> = Vec::new();
    for job in &[2, 3, 4, 5] {
        first.push(waits!(slots, *job));
    }
    // From here on five entries are in flight: four in the next batch, and one in the
    // other slot. No caller waits.
    drop(alone);
    let Boarding::Lead(of_four) = first.remove(0).await else { panic!("it has the slot") };
    let three = of_four.take_along();
    drop(also);
    // The next two callers wait, because one or two entries are fewer than the share of a
    // slot. The third completes the share and leads the batch.
    let (mut sixth, mut seventh) = (waits!(slots, 6), waits!(slots, 7));
    let eighth = lead(&slots, 8).await;
    assert_eq!(eighth.take_along().jobs().copied().collect::<Vec<_>>(), [6, 7]);
    assert!(matches!(sixth.as_mut().await, Boarding::Alone), "left to itself");
    assert!(matches!(seventh.as_mut().await, Boarding::Alone), "left to itself");
    drop((three, of_four, eighth));
}

#[tokio::test]
async fn when_somebody_comes_back_those_go_who_are_there() {
    let slots = slots(2);
    let (alone, also) = (lead(&slots, 0).await, lead(&slots, 1).await);
    let mut many: Vec<_> = Vec::new();
    for job in &[2, 3, 4, 5, 6, 7] {
        many.push(waits!(slots, *job));
    }
    drop(alone);
    let Boarding::Lead(of_six) = many.remove(0).await else { panic!("it has the slot") };
    let others = of_six.take_along();
    drop(also);
    let mut late = waits!(slots, 9);
    assert!(is_pending(&mut late).await, "six are out");
    others.answer([Some(0), Some(0), Some(0), Some(0), Some(0)]);
    drop(of_six);
    assert!(matches!(late.await, Boarding::Lead(_)));
}

#[tokio::test]
async fn whoever_comes_until_a_lead_is_ready_rides_along() {
    let slots = slots(1);
    let first = lead(&slots, 1).await;
    let mut second = waits!(slots, 2);
    drop(first);
    let Boarding::Lead(second) = second.as_mut().await else { panic!("it has the slot") };
    let _third = waits!(slots, 3);
    assert_eq!(second.take_along().jobs().copied().collect::<Vec<_>>(), [3]);
}

/// Counts the running calls, and asserts that there are at most two, one for each slot.
struct Out<'a>(&'a AtomicUsize);

impl<'a> Out<'a> {
    fn new(out: &'a AtomicUsize) -> Self {
        assert!(out.fetch_add(1, Ordering::SeqCst) < 2, "one for each slot");
        Self(out)
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_gets_through_whoever_goes_away() {
    const CALLERS: u32 = 5_000;
    let slots = slots(2);
    let out = Arc::new(AtomicUsize::new(0));
    let rush = Arc::new(Semaphore::new(0));
    let callers = (0..CALLERS).map(|job| {
        let (slots, out, rush) = (slots.clone(), Arc::clone(&out), Arc::clone(&rush));
        tokio::spawn(async move {
            let _go = rush.acquire().await.unwrap();
            let call = async {
                match slots.board(&job).await {
                    Boarding::Lead(lead) => {
                        let out = Out::new(&out);
                        let others = lead.take_along();
                        let answers: Vec<_> = others.jobs().map(|job| Some(job * 2)).collect();
                        if job % 3 == 0 {
                            yield_now().await;
                        }
                        drop(out);
                        others.answer(answers);
                        drop(lead);
                        job * 2
                    }
                    Boarding::Answered(answer) => answer,
                    Boarding::Alone => job * 2,
                }
            };
            if job % 5 == 1 {
                // This caller is dropped after its first poll.
                let mut call = Box::pin(call);
                is_pending(&mut call).await;
                return None;
            }
            Some(call.await == job * 2)
        })
    });
    let callers: Vec<_> = callers.collect();
    rush.add_permits(Semaphore::MAX_PERMITS);
    for caller in callers {
        assert_ne!(caller.await.unwrap(), Some(false), "everybody gets its own answer");
    }
    let (one, two) = (lead(&slots, 1).await, lead(&slots, 2).await);
    assert!(is_pending(&mut Box::pin(slots.board(&3))).await);
    drop((one, two));
}
