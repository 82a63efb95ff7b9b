//! Group commit for stores: calls that arrive at the same time are sent to the database
//! as one batch.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    num::NonZeroUsize,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_channel::oneshot;

/// The time after which a caller gives up its slot ([`Lead::while_out`]).
const LONG: Duration = Duration::from_millis(100);

/// Runs at most `slots` calls at a time, each for at most `max_batch_size` requests. Requests that
/// arrive while all slots are busy are queued, and the next caller with a slot sends them
/// together with its own.
///
/// - With no call in flight, a caller starts at once: a single caller never waits.
/// - While calls are in flight, a caller waits until a call returns, or until the queue
///   holds one slot's share of all requests in flight or queued. Without this wait, the
///   caller that returns first would always run alone, and all other requests would go
///   into the batch after it.
///
/// There is no background task.
///
/// `J` is a request, `A` its answer. For a [`Store`](crate::Store) these are a transition
/// and its result from [`apply`](crate::Store::apply). A store that applies many
/// transitions in one statement at less cost than one each keeps `Batcher`; clones of the
/// store share them.
///
/// Cancel-safe: the future of a caller may be dropped at every await.
///
/// - A queued caller that is dropped is skipped.
/// - If a caller with a slot is dropped, the requests in its batch become
///   [`Boarding::Alone`], and the first queued caller gets the slot.
///
/// A slow call must pass its slot on, which [`while_out`](Lead::while_out) does.
/// Otherwise queued callers would wait for whatever the slow call waits for.
///
/// ```
/// use std::num::NonZeroUsize;
/// use invitation_core::{Boarding, Batcher};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let slots: Batcher<u32, u32> = Batcher::new(NonZeroUsize::MIN, NonZeroUsize::MAX);
/// let double = async |number: u32| match slots.board(&number).await {
///     Boarding::Lead(lead) => {
///         let others = lead.take_along();
///         // Here the store makes its one call, for all of them.
///         let answers: Vec<_> = others.jobs().map(|other| Some(other * 2)).collect();
///         others.answer(answers);
///         number * 2
///     }
///     Boarding::Answered(answer) => answer,
///     Boarding::Alone => number * 2,
/// };
/// assert_eq!(double(21).await, 42);
/// # }
/// ```
pub struct Batcher<J, A> {
    shared: Arc<Shared<J, A>>,
}

struct Shared<J, A> {
    slots: NonZeroUsize,
    max_batch_size: NonZeroUsize,
    state: Mutex<State<J, A>>,
}

struct State<J, A> {
    /// The number of slots in use.
    out: usize,
    /// The number of requests in the running batches, including queued ones that these
    /// batches will still collect.
    aboard: usize,
    /// The number of queued requests that a caller with a slot will still collect.
    expected: usize,
    /// The queued requests, in order of arrival.
    waiting: VecDeque<Waiting<J, A>>,
}

struct Waiting<J, A> {
    job: J,
    /// Wakes the queued caller. Dropping the sender without a message makes the caller
    /// [`Boarding::Alone`].
    told: oneshot::Sender<Told<J, A>>,
}

enum Told<J, A> {
    Go(Lead<J, A>),
    Answer(A),
}

/// The result of [`Batcher::board`]: how the caller's request is to be handled.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Boarding<J, A> {
    /// The caller has a slot: it runs its own request and those it collects with
    /// [`Lead::take_along`].
    Lead(Lead<J, A>),
    /// Another caller ran the request; this is its answer.
    Answered(A),
    /// Another caller collected the request and did not answer it. The caller runs it
    /// alone, without a slot. The other caller may have started the request, so it may
    /// still take effect.
    Alone,
}

impl<J, A> Batcher<J, A> {
    /// Creates `slots` slots for batches of at most `max_batch_size` requests each.
    #[must_use]
    pub fn new(slots: NonZeroUsize, max_batch_size: NonZeroUsize) -> Self {
        let state = Mutex::new(State { out: 0, aboard: 0, expected: 0, waiting: VecDeque::new() });
        Self { shared: Arc::new(Shared { slots, max_batch_size, state }) }
    }

    /// Waits for a slot, or for the answer of another caller that collected this request.
    pub async fn board(&self, job: &J) -> Boarding<J, A>
    where
        J: Clone + Send + Sync,
        A: Send,
    {
        let told = {
            let mut state = self.shared.state();
            if self.shared.may_go(&state, 1) {
                return Boarding::Lead(Lead::of(&self.shared, &mut state));
            }
            let (sender, told) = oneshot::channel();
            state.waiting.push_back(Waiting { job: job.clone(), told: sender });
            told
        };
        match told.await {
            Ok(Told::Go(lead)) => Boarding::Lead(lead),
            Ok(Told::Answer(answer)) => Boarding::Answered(answer),
            Err(oneshot::Canceled) => Boarding::Alone,
        }
    }
}

impl<J, A> Clone for Batcher<J, A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<J, A> fmt::Debug for Batcher<J, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { slots, max_batch_size, .. } = &*self.shared;
        f.debug_struct("Batcher")
            .field("slots", slots)
            .field("max_batch_size", max_batch_size)
            .finish_non_exhaustive()
    }
}

impl<J, A> Shared<J, A> {
    fn state(&self) -> MutexGuard<'_, State<J, A>> {
        // Nothing panics while the lock is held, so the state is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the queued callers may start a call, counting `more` requests that
    /// are not in the queue yet.
    fn may_go(&self, state: &State<J, A>, more: usize) -> bool {
        let slots = self.slots.get();
        let ready = state.unclaimed() + more;
        let share = (state.aboard + ready) / slots;
        state.out < slots && (state.out == 0 || ready >= share)
    }
}

impl<J, A> State<J, A> {
    /// The number of queued requests that no running caller is going to collect.
    fn unclaimed(&self) -> usize {
        self.waiting.len().saturating_sub(self.expected)
    }

    /// Removes and returns the first queued request whose caller has not been dropped.
    fn next(&mut self) -> Option<Waiting<J, A>> {
        loop {
            let next = self.waiting.pop_front()?;
            if !next.told.is_canceled() {
                return Some(next);
            }
        }
    }
}

/// A caller's slot. Dropping it frees the slot for the queued callers.
pub struct Lead<J, A> {
    shared: Arc<Shared<J, A>>,
    /// The number of requests in this batch, including those still to be collected.
    aboard: AtomicUsize,
    /// The number of queued requests that this batch will still collect.
    expected: AtomicUsize,
    has_slot: AtomicBool,
}

impl<J, A> Lead<J, A> {
    fn of(shared: &Arc<Shared<J, A>>, state: &mut State<J, A>) -> Self {
        let expected = state.unclaimed().min(shared.max_batch_size.get() - 1);
        state.out += 1;
        state.aboard += 1 + expected;
        state.expected += expected;
        Self {
            shared: Arc::clone(shared),
            aboard: AtomicUsize::new(1 + expected),
            expected: AtomicUsize::new(expected),
            has_slot: AtomicBool::new(true),
        }
    }

    /// Removes the queued requests, in order of arrival, for the caller to run with its
    /// own. Call it once, when everything else is ready (such as the connection), so that
    /// the batch is as large as possible.
    #[must_use]
    pub fn take_along(&self) -> Others<J, A> {
        let mut state = self.shared.state();
        let mut others = Vec::new();
        while others.len() < self.shared.max_batch_size.get() - 1 {
            let Some(next) = state.next() else { break };
            others.push(next);
        }
        if self.has_slot.load(Ordering::Relaxed) {
            state.expected -= self.expected.swap(0, Ordering::Relaxed);
            state.aboard += 1 + others.len();
            state.aboard -= self.aboard.swap(1 + others.len(), Ordering::Relaxed);
        }
        Others { others }
    }

    /// Awaits `call`. After 100 ms by `sleep`, it passes the slot on: such a call waits
    /// for a lock, for a connection or for an overloaded server, and queued callers must
    /// not wait for the same.
    pub async fn while_out<T, S>(
        &self,
        call: impl Future<Output = T>,
        sleep: impl FnOnce(Duration) -> S,
    ) -> T
    where
        S: Future<Output = ()>,
    {
        let (mut call, mut too_long) = (pin!(call), pin!(sleep(LONG)));
        let mut is_long = false;
        poll_fn(|cx| {
            let answer = call.as_mut().poll(cx);
            if answer.is_pending() && !is_long && too_long.as_mut().poll(cx).is_ready() {
                is_long = true;
                self.pass_on();
            }
            answer
        })
        .await
    }

    /// Frees the slot for the queued callers while this caller's own call still runs.
    pub fn pass_on(&self) {
        let mut passed = self.pass();
        while let Some((next, lead)) = passed {
            // A queued caller dropped meanwhile returns the slot, which goes to the next
            // in the queue.
            passed = match next.told.send(Told::Go(lead)) {
                Err(Told::Go(back)) => back.pass(),
                Err(Told::Answer(_)) | Ok(()) => None,
            };
        }
    }

    /// Frees the slot and, if a queued caller may start, removes that caller and gives it
    /// a slot.
    fn pass(&self) -> Option<(Waiting<J, A>, Self)> {
        if !self.has_slot.swap(false, Ordering::Relaxed) {
            return None;
        }
        let mut state = self.shared.state();
        state.out -= 1;
        state.aboard -= self.aboard.load(Ordering::Relaxed);
        state.expected -= self.expected.load(Ordering::Relaxed);
        if !self.shared.may_go(&state, 0) {
            return None;
        }
        let next = state.next()?;
        Some((next, Self::of(&self.shared, &mut state)))
    }
}

impl<J, A> Drop for Lead<J, A> {
    fn drop(&mut self) {
        self.pass_on();
    }
}

impl<J, A> fmt::Debug for Lead<J, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lead").field("has_slot", &self.has_slot).finish_non_exhaustive()
    }
}

/// The requests that a caller collected. Those without an answer when this is dropped
/// become [`Boarding::Alone`].
pub struct Others<J, A> {
    others: Vec<Waiting<J, A>>,
}

impl<J, A> Others<J, A> {
    /// Whether no request was collected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.others.is_empty()
    }

    /// The collected requests, in order of arrival.
    #[must_use]
    pub fn jobs(&self) -> impl ExactSizeIterator<Item = &J> {
        self.others.iter().map(|other| &other.job)
    }

    /// Sends the answers, in the order of [`jobs`](Self::jobs). A request whose answer is
    /// `None` becomes [`Boarding::Alone`].
    pub fn answer(self, answers: impl IntoIterator<Item = Option<A>>) {
        for (other, answer) in self.others.into_iter().zip(answers) {
            if let Some(answer) = answer {
                // Sending fails only if the caller was dropped and needs no answer.
                other.told.send(Told::Answer(answer)).ok();
            }
        }
    }
}

impl<J, A> fmt::Debug for Others<J, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Others").field("others", &self.others.len()).finish_non_exhaustive()
    }
}
