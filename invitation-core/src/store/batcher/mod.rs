//! Group commit for stores: requests that arrive at the same time are sent to the database
//! as one batch.

mod queue;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::{Future, poll_fn},
    iter,
    num::NonZeroUsize,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use self::queue::{Leader, Queue, Turn};
use crate::report;

/// The default time after which a running call gives up its slot.
const SLOT_TIMEOUT: Duration = Duration::from_millis(100);

/// Runs at most `slots` calls at a time, each for at most `max_batch_size` requests.
/// Requests that arrive while all slots are busy are queued, and the next caller with a slot
/// sends them together with its own.
///
/// - With no call in flight, a caller starts at once: a single caller never waits.
/// - While calls are in flight, a caller waits until a call returns, or until the queue
///   holds one slot's share of all requests in flight or queued. Without this wait, the
///   caller that returns first would always run alone, and all other requests would go
///   into the batch after it.
/// - A call that takes longer than the [slot timeout](Self::with_slot_timeout) gives up its
///   slot: it waits for a lock, for a connection or for an overloaded server, and queued
///   callers must not wait for the same.
///
/// There is no background task.
///
/// `R` is a request, `A` its answer. For a [`Store`](crate::Store) these are a transition
/// and its result from [`apply`](crate::Store::apply). A store that applies many
/// transitions in one statement at less cost than one each keeps a `Batcher`; clones of the
/// store share it. The caller that runs a batch acts for all others with its own executor, so
/// callers share a `Batcher` only if their executors act on the same data.
///
/// Cancel-safe: the future of a caller may be dropped at every await.
///
/// - A queued caller that is dropped is skipped.
/// - If a caller is dropped while it runs a batch, the other callers of the batch execute
///   their requests alone, and the first queued caller gets the slot.
///
/// ```
/// use std::{num::NonZeroUsize, time::Duration};
/// # use invitation_core as invitation;
/// use invitation::store::{Batcher, Execute};
///
/// /// A database that doubles numbers, any number of them in one call.
/// struct Doubling;
///
/// impl Execute<u32, u32> for Doubling {
///     type Resource = ();
///
///     async fn acquire(&self) -> Result<(), u32> {
///         Ok(()) // Here a store waits for its connection.
///     }
///
///     async fn execute(&self, _: (), batch: &[&u32]) -> Vec<Option<u32>> {
///         batch.iter().map(|number| Some(*number * 2)).collect()
///     }
///
///     async fn execute_alone(&self, number: &u32) -> u32 {
///         number * 2
///     }
///
///     async fn sleep(&self, time: Duration) {
///         tokio::time::sleep(time).await;
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let batcher: Batcher<u32, u32> = Batcher::new(NonZeroUsize::MIN, NonZeroUsize::MAX);
/// assert_eq!(batcher.submit(&21, &Doubling).await, 42);
/// # }
/// ```
pub struct Batcher<R, A> {
    queue: Arc<Queue<R, A>>,
    slot_timeout: Duration,
}

/// The calls to the database behind a [`Batcher`].
pub trait Execute<R, A>: Sync {
    /// What a batch needs before it is collected, such as a connection.
    type Resource: Send;

    /// Waits for what a batch needs. Requests that arrive meanwhile still join the batch.
    ///
    /// # Errors
    ///
    /// The answer of the caller that acquires. Queued callers are not affected.
    fn acquire(&self) -> impl Future<Output = Result<Self::Resource, A>> + Send;

    /// Executes a batch of at least one request, and returns the answers in the order of the
    /// requests. A request with the answer `None`, or without an answer, is then
    /// [executed alone](Self::execute_alone).
    fn execute(
        &self,
        resource: Self::Resource,
        batch: &[&R],
    ) -> impl Future<Output = Vec<Option<A>>> + Send;

    /// Executes a request that its batch did not answer. If the batch was interrupted, the
    /// request may have taken effect in it.
    fn execute_alone(&self, request: &R) -> impl Future<Output = A> + Send;

    /// Returns after `time`.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

impl<R, A> Batcher<R, A> {
    /// Creates a batcher of `slots` calls at a time, each for at most `max_batch_size`
    /// requests.
    #[must_use]
    pub fn new(slots: NonZeroUsize, max_batch_size: NonZeroUsize) -> Self {
        let queue = Arc::new(Queue::new(slots, max_batch_size));
        Self { queue, slot_timeout: SLOT_TIMEOUT }
    }

    /// Sets the time after which a running call gives up its slot to queued callers, 100 ms
    /// by default.
    #[must_use]
    pub fn with_slot_timeout(self, slot_timeout: Duration) -> Self {
        Self { slot_timeout, ..self }
    }

    /// Returns the answer to `request`, which may be executed in a batch of this caller or
    /// of another one.
    pub async fn submit(&self, request: &R, executor: &impl Execute<R, A>) -> A
    where
        R: Clone + Send + Sync,
        A: Send,
    {
        match self.queue.enter(request).await {
            Turn::Answered(answer) => answer,
            Turn::Unanswered => executor.execute_alone(request).await,
            Turn::Leader(leader) => {
                let too_long = executor.sleep(self.slot_timeout);
                release_when_slow(&leader, lead(&leader, request, executor), too_long).await
            }
        }
    }
}

/// Executes the request of a caller with a slot, together with the queued ones.
async fn lead<R, A, E>(leader: &Leader<R, A>, request: &R, executor: &E) -> A
where
    R: Send + Sync,
    A: Send,
    E: Execute<R, A>,
{
    let resource = match executor.acquire().await {
        Ok(resource) => resource,
        Err(answer) => return answer,
    };
    let followers = leader.collect();
    let batch: Vec<_> = iter::once(request).chain(followers.requests()).collect();
    report::batch(batch.len());
    let mut answers = executor.execute(resource, &batch).await.into_iter();
    let own = answers.next().flatten();
    drop(batch);
    followers.answer(answers);
    if let Some(answer) = own {
        return answer;
    }
    leader.release();
    executor.execute_alone(request).await
}

/// Awaits `call`, and releases the slot of `leader` when `too_long` is ready first.
async fn release_when_slow<R, A, T>(
    leader: &Leader<R, A>,
    call: impl Future<Output = T>,
    too_long: impl Future<Output = ()>,
) -> T {
    let (mut call, mut too_long) = (pin!(call), pin!(too_long));
    let mut is_slow = false;
    poll_fn(|cx| {
        let answer = call.as_mut().poll(cx);
        if answer.is_pending() && !is_slow && too_long.as_mut().poll(cx).is_ready() {
            is_slow = true;
            leader.release();
        }
        answer
    })
    .await
}

impl<R, A> Clone for Batcher<R, A> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), slot_timeout: self.slot_timeout }
    }
}

impl<R, A> fmt::Debug for Batcher<R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher")
            .field("slots", &self.queue.slots)
            .field("max_batch_size", &self.queue.max_batch_size)
            .field("slot_timeout", &self.slot_timeout)
            .finish_non_exhaustive()
    }
}
