//! The queue of a batcher: slots, their leaders, and the requests that wait.

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_channel::oneshot;

/// The requests in flight and those that wait for a slot.
pub(super) struct Queue<R, A> {
    pub(super) slots: NonZeroUsize,
    pub(super) max_batch_size: NonZeroUsize,
    state: Mutex<State<R, A>>,
}

struct State<R, A> {
    /// The batches that hold a slot.
    in_flight: Vec<Batch>,
    /// The number of batches that were started, which is the id of the next one.
    started: u64,
    /// The queued requests, in order of arrival.
    waiting: VecDeque<Waiting<R, A>>,
}

/// A batch that holds a slot.
struct Batch {
    id: u64,
    /// The number of requests in the batch, including those that are still to be collected.
    size: usize,
    /// The number of queued requests that the batch will still collect.
    reserved: usize,
}

/// A queued request.
struct Waiting<R, A> {
    request: R,
    /// Wakes the queued caller. Dropping the sender without a message makes the turn
    /// [`Turn::Unanswered`].
    sender: oneshot::Sender<Message<R, A>>,
}

/// A message to the caller of a queued request.
enum Message<R, A> {
    /// The caller gets a slot.
    Leader(Leader<R, A>),
    /// Another caller executed the request; this is its answer.
    Answer(A),
}

/// How the request of a caller is handled.
pub(super) enum Turn<R, A> {
    /// The caller has a slot, and executes the queued requests together with its own.
    Leader(Leader<R, A>),
    /// Another caller executed the request; this is its answer.
    Answered(A),
    /// Another caller collected the request and did not answer it. It may have started the
    /// request, which may then still take effect.
    Unanswered,
}

impl<R, A> Queue<R, A> {
    pub(super) fn new(slots: NonZeroUsize, max_batch_size: NonZeroUsize) -> Self {
        let state = State { in_flight: Vec::new(), started: 0, waiting: VecDeque::new() };
        Self { slots, max_batch_size, state: Mutex::new(state) }
    }

    /// Waits for a slot, or for the answer of another caller that collected this request.
    pub(super) async fn enter(self: &Arc<Self>, request: &R) -> Turn<R, A>
    where
        R: Clone + Send + Sync,
        A: Send,
    {
        let receiver = {
            let mut state = self.state();
            if self.may_start(&state, 1) {
                return Turn::Leader(Leader::start(self, &mut state));
            }
            let (sender, receiver) = oneshot::channel();
            state.waiting.push_back(Waiting { request: request.clone(), sender });
            receiver
        };
        match receiver.await {
            Ok(Message::Leader(leader)) => Turn::Leader(leader),
            Ok(Message::Answer(answer)) => Turn::Answered(answer),
            Err(oneshot::Canceled) => Turn::Unanswered,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<R, A>> {
        // Nothing panics while the lock is held, so the state is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the queued callers may start a call, counting `more` requests that
    /// are not in the queue yet.
    fn may_start(&self, state: &State<R, A>, more: usize) -> bool {
        let slots = self.slots.get();
        let in_flight = state.in_flight.len();
        let in_batches: usize = state.in_flight.iter().map(|batch| batch.size).sum();
        let ready = state.unclaimed() + more;
        let share = (in_batches + ready) / slots;
        in_flight < slots && (in_flight == 0 || ready >= share)
    }
}

impl<R, A> State<R, A> {
    /// Returns the number of queued requests that no running batch is going to collect.
    fn unclaimed(&self) -> usize {
        let reserved = self.in_flight.iter().map(|batch| batch.reserved).sum();
        self.waiting.len().saturating_sub(reserved)
    }

    /// Removes and returns the first queued request whose caller has not been dropped.
    fn next(&mut self) -> Option<Waiting<R, A>> {
        loop {
            let next = self.waiting.pop_front()?;
            if !next.sender.is_canceled() {
                return Some(next);
            }
        }
    }
}

/// A caller with a slot. Dropping it frees the slot for the queued callers.
pub(super) struct Leader<R, A> {
    queue: Arc<Queue<R, A>>,
    /// The id of the batch, which is in flight until the slot is released.
    batch: u64,
}

impl<R, A> Leader<R, A> {
    fn start(queue: &Arc<Queue<R, A>>, state: &mut State<R, A>) -> Self {
        let reserved = state.unclaimed().min(queue.max_batch_size.get() - 1);
        let id = state.started;
        state.started += 1;
        state.in_flight.push(Batch { id, size: 1 + reserved, reserved });
        Self { queue: Arc::clone(queue), batch: id }
    }

    /// Removes the queued requests, in order of arrival, for the caller to execute with its
    /// own. Call it once, when everything else is ready, so that the batch is as large as
    /// possible.
    pub(super) fn collect(&self) -> Followers<R, A> {
        let mut state = self.queue.state();
        let mut followers = Vec::new();
        while followers.len() < self.queue.max_batch_size.get() - 1 {
            let Some(next) = state.next() else { break };
            followers.push(next);
        }
        if let Some(batch) = state.in_flight.iter_mut().find(|batch| batch.id == self.batch) {
            batch.reserved = 0;
            batch.size = 1 + followers.len();
        }
        Followers(followers)
    }

    /// Frees the slot for the queued callers. The caller's own call may still run.
    pub(super) fn release(&self) {
        let mut freed = self.end();
        while let Some((next, leader)) = freed {
            // A queued caller that was dropped meanwhile returns the slot, which goes to the
            // next in the queue.
            freed = match next.sender.send(Message::Leader(leader)) {
                Err(Message::Leader(returned)) => returned.end(),
                Err(Message::Answer(_)) | Ok(()) => None,
            };
        }
    }

    /// Ends the batch and, if a queued caller may start, removes that caller and gives it a
    /// slot.
    fn end(&self) -> Option<(Waiting<R, A>, Self)> {
        let mut state = self.queue.state();
        let place = state.in_flight.iter().position(|batch| batch.id == self.batch)?;
        state.in_flight.swap_remove(place);
        if !self.queue.may_start(&state, 0) {
            return None;
        }
        let next = state.next()?;
        Some((next, Self::start(&self.queue, &mut state)))
    }
}

impl<R, A> Drop for Leader<R, A> {
    fn drop(&mut self) {
        self.release();
    }
}

/// The requests that a leader collected. Those without an answer when this is dropped
/// become [`Turn::Unanswered`].
pub(super) struct Followers<R, A>(Vec<Waiting<R, A>>);

impl<R, A> Followers<R, A> {
    /// Returns the collected requests, in order of arrival.
    pub(super) fn requests(&self) -> impl ExactSizeIterator<Item = &R> {
        self.0.iter().map(|waiting| &waiting.request)
    }

    /// Sends the answers, in the order of [`requests`](Self::requests). A request whose
    /// answer is `None` becomes [`Turn::Unanswered`].
    pub(super) fn answer(self, answers: impl IntoIterator<Item = Option<A>>) {
        for (follower, answer) in self.0.into_iter().zip(answers) {
            if let Some(answer) = answer {
                // Sending fails only if the caller was dropped and needs no answer.
                follower.sender.send(Message::Answer(answer)).ok();
            }
        }
    }
}
