//! Gathering calls that come at the same time, for stores that do many at the price of
//! a few.

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

/// For how long a caller keeps its lane.
const LONG: Duration = Duration::from_millis(100);

/// So many calls to a store may be out at once; those that come meanwhile wait, and
/// whoever goes next takes them along. When nobody is out, a caller goes at once, so that
/// nobody who is alone waits. While others are out, it waits until there are as many as one
/// lane's share of all who are out or wait, or until somebody comes back: else the first
/// to come back would always go alone, and the rest of them with the one after it. Nothing
/// runs in the background.
///
/// `J` is what a caller wants done, `A` the answer. For a [`Store`](crate::Store) these
/// are a transition and what [`apply`](crate::Store::apply) says of it: a store for which
/// many transitions in one statement cost less than one each keeps `Lanes`, and its clones
/// share them.
///
/// Safe to drop at every await. A caller who goes away while waiting is left out. One who
/// goes away while being out leaves those it took along to themselves, and whoever waits
/// first goes next. Whoever is out for long is to pass its lane on, which
/// [`while_out`](Lead::while_out) does: then nobody waits long for others, whatever those
/// wait for.
///
/// ```
/// use std::num::NonZeroUsize;
/// use invitation_core::{Boarding, Lanes};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lanes: Lanes<u32, u32> = Lanes::new(NonZeroUsize::MIN, NonZeroUsize::MAX);
/// let double = async |number: u32| match lanes.board(&number).await {
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
pub struct Lanes<J, A> {
    shared: Arc<Shared<J, A>>,
}

struct Shared<J, A> {
    lanes: NonZeroUsize,
    seats: NonZeroUsize,
    state: Mutex<State<J, A>>,
}

struct State<J, A> {
    /// How many lanes are taken.
    out: usize,
    /// How many callers are out with them, or will be.
    aboard: usize,
    /// How many of those who wait will be taken along by somebody who has a lane.
    expected: usize,
    /// In the order in which they came.
    waiting: VecDeque<Waiting<J, A>>,
}

struct Waiting<J, A> {
    job: J,
    /// Dropped without a word: see to it yourself.
    told: oneshot::Sender<Told<J, A>>,
}

enum Told<J, A> {
    Go(Lead<J, A>),
    Answer(A),
}

/// What becomes of a caller.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Boarding<J, A> {
    /// It has a lane: it makes the call, for itself and for those it takes along.
    Lead(Lead<J, A>),
    /// Another has made the call for it.
    Answered(A),
    /// Another had taken it along and did not answer for it: it makes the call for itself
    /// alone, without a lane. What the other has begun for it may still become true.
    Alone,
}

impl<J, A> Lanes<J, A> {
    /// So many lanes, each for so many callers at a time.
    #[must_use]
    pub fn new(lanes: NonZeroUsize, seats: NonZeroUsize) -> Self {
        let state = Mutex::new(State { out: 0, aboard: 0, expected: 0, waiting: VecDeque::new() });
        Self { shared: Arc::new(Shared { lanes, seats, state }) }
    }

    /// Waits for a lane, or for the answer of somebody who had one.
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

impl<J, A> Clone for Lanes<J, A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<J, A> fmt::Debug for Lanes<J, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { lanes, seats, .. } = &*self.shared;
        f.debug_struct("Lanes").field("lanes", lanes).field("seats", seats).finish_non_exhaustive()
    }
}

impl<J, A> Shared<J, A> {
    fn state(&self) -> MutexGuard<'_, State<J, A>> {
        // Nobody panics while holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether those may go who wait for a lane, and so many more.
    fn may_go(&self, state: &State<J, A>, more: usize) -> bool {
        let lanes = self.lanes.get();
        let ready = state.unclaimed() + more;
        let share = (state.aboard + ready) / lanes;
        state.out < lanes && (state.out == 0 || ready >= share)
    }
}

impl<J, A> State<J, A> {
    /// How many wait whom nobody is to take along.
    fn unclaimed(&self) -> usize {
        self.waiting.len().saturating_sub(self.expected)
    }

    /// The first of those who wait and have not gone away.
    fn next(&mut self) -> Option<Waiting<J, A>> {
        loop {
            let next = self.waiting.pop_front()?;
            if !next.told.is_canceled() {
                return Some(next);
            }
        }
    }
}

/// A caller with a lane. When this is dropped, those who wait may go.
pub struct Lead<J, A> {
    shared: Arc<Shared<J, A>>,
    /// How many are out with it, or will be.
    aboard: AtomicUsize,
    /// How many of these wait still.
    expected: AtomicUsize,
    has_lane: AtomicBool,
}

impl<J, A> Lead<J, A> {
    fn of(shared: &Arc<Shared<J, A>>, state: &mut State<J, A>) -> Self {
        let expected = state.unclaimed().min(shared.seats.get() - 1);
        state.out += 1;
        state.aboard += 1 + expected;
        state.expected += expected;
        Self {
            shared: Arc::clone(shared),
            aboard: AtomicUsize::new(1 + expected),
            expected: AtomicUsize::new(expected),
            has_lane: AtomicBool::new(true),
        }
    }

    /// Takes along those who wait by now, in the order in which they came. To be called
    /// once, when all else is ready, so that many are there.
    #[must_use]
    pub fn take_along(&self) -> Others<J, A> {
        let mut state = self.shared.state();
        let mut others = Vec::new();
        while others.len() < self.shared.seats.get() - 1 {
            let Some(next) = state.next() else { break };
            others.push(next);
        }
        if self.has_lane.load(Ordering::Relaxed) {
            state.expected -= self.expected.swap(0, Ordering::Relaxed);
            state.aboard += 1 + others.len();
            state.aboard -= self.aboard.swap(1 + others.len(), Ordering::Relaxed);
        }
        Others { others }
    }

    /// Waits for what it is out for. If that takes longer than 100 ms by this clock, it waits
    /// for somebody's lock, for a connection or for a server in distress, and passes its
    /// lane on: nobody else shall wait for that.
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

    /// Lets those who wait go, although this one is still out.
    pub fn pass_on(&self) {
        let mut passed = self.pass();
        while let Some((next, lead)) = passed {
            // One that has gone meanwhile gives the lane back: it is for the one after it.
            passed = match next.told.send(Told::Go(lead)) {
                Err(Told::Go(back)) => back.pass(),
                Err(Told::Answer(_)) | Ok(()) => None,
            };
        }
    }

    /// Whoever is next to have a lane, now that there is one more.
    fn pass(&self) -> Option<(Waiting<J, A>, Self)> {
        if !self.has_lane.swap(false, Ordering::Relaxed) {
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
        f.debug_struct("Lead").field("has_lane", &self.has_lane).finish_non_exhaustive()
    }
}

/// Those who were taken along. When this is dropped, they see to it themselves.
pub struct Others<J, A> {
    others: Vec<Waiting<J, A>>,
}

impl<J, A> Others<J, A> {
    /// Whether nobody was there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.others.is_empty()
    }

    /// What they want done.
    #[must_use]
    pub fn jobs(&self) -> impl ExactSizeIterator<Item = &J> {
        self.others.iter().map(|other| &other.job)
    }

    /// Tells each its answer, in the order of [`jobs`](Self::jobs); who gets none is to
    /// see to it alone.
    pub fn answer(self, answers: impl IntoIterator<Item = Option<A>>) {
        for (other, answer) in self.others.into_iter().zip(answers) {
            if let Some(answer) = answer {
                // Whoever is gone does not need it.
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
