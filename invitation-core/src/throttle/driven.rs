//! A call to a store that every task drives which waits for it.
//!
//! A host may keep a future without polling it, in a `select!` for example. A call that only the
//! task which began it could drive would then stand still, and so would all that wait for it.

use std::{
    collections::HashMap,
    fmt, mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak},
    task::{Context, Poll, Wake, Waker},
};

use crate::store_error::StoreError;

/// The call itself, whose result tells those who wait what to do next.
type Call = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// A call that several tasks wait for. Each of them drives it, and each gets its result. When all
/// of them are dropped, so is the call.
pub(super) struct DrivenCall {
    shared: Arc<Shared>,
    task: u64,
}

/// A call that is dropped unless a task waits for it.
#[derive(Debug)]
pub(super) struct WeakCall(Weak<Shared>);

struct Shared {
    progress: Mutex<Progress>,
    tasks: Arc<Tasks>,
}

enum Progress {
    Running(Call),
    Ended(Result<(), StoreError>),
}

impl DrivenCall {
    pub(super) fn new(call: impl Future<Output = Result<(), StoreError>> + Send + 'static) -> Self {
        let progress = Mutex::new(Progress::Running(Box::pin(call)));
        Self::of(Arc::new(Shared { progress, tasks: Arc::default() }))
    }

    fn of(shared: Arc<Shared>) -> Self {
        let task = shared.tasks.enter();
        Self { shared, task }
    }

    pub(super) fn downgrade(&self) -> WeakCall {
        WeakCall(Arc::downgrade(&self.shared))
    }
}

impl WeakCall {
    /// Returns the call, for one more task to drive.
    pub(super) fn upgrade(&self) -> Option<DrivenCall> {
        self.0.upgrade().map(DrivenCall::of)
    }
}

impl Future for DrivenCall {
    type Output = Result<(), StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Before the call is polled: a wake in between must reach this task, too.
        self.shared.tasks.register(self.task, context.waker());
        let mut progress = match self.shared.progress.try_lock() {
            Ok(progress) => progress,
            // Another task polls the call at this moment. It may never do so again, so this one
            // comes back.
            Err(TryLockError::WouldBlock) => {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // The call panicked in another task. Its locals are dropped, so it has ended.
            Err(TryLockError::Poisoned(_)) => return Poll::Ready(Ok(())),
        };
        let call = match &mut *progress {
            Progress::Running(call) => call,
            Progress::Ended(result) => return Poll::Ready(result.clone()),
        };
        let waker = Waker::from(Arc::clone(&self.shared.tasks));
        let Poll::Ready(result) = call.as_mut().poll(&mut Context::from_waker(&waker)) else {
            return Poll::Pending;
        };
        let ended = mem::replace(&mut *progress, Progress::Ended(result.clone()));
        // A task that wakes must not find the call locked.
        drop(progress);
        drop(ended);
        self.shared.tasks.wake_all();
        Poll::Ready(result)
    }
}

impl Drop for DrivenCall {
    fn drop(&mut self) {
        self.shared.tasks.leave(self.task);
    }
}

impl fmt::Debug for DrivenCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrivenCall").field("task", &self.task).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// The tasks that wait for a call. A wake of the call wakes all of them: the one that polled last
/// may never be polled again.
#[derive(Default)]
struct Tasks(Mutex<TaskList>);

#[derive(Default)]
struct TaskList {
    entered: u64,
    wakers: HashMap<u64, Waker>,
}

impl Tasks {
    fn list(&self) -> MutexGuard<'_, TaskList> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of one more task.
    fn enter(&self) -> u64 {
        let mut list = self.list();
        list.entered += 1;
        list.entered
    }

    fn register(&self, task: u64, waker: &Waker) {
        let before = self.list().wakers.insert(task, waker.clone());
        // A waker is dropped outside the lock: it may drop a task, which then leaves.
        drop(before);
    }

    fn leave(&self, task: u64) {
        let waker = self.list().wakers.remove(&task);
        drop(waker);
    }

    fn wake_all(&self) {
        let wakers = mem::take(&mut self.list().wakers);
        for waker in wakers.into_values() {
            waker.wake();
        }
    }
}

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn poll(call: &mut DrivenCall) -> Poll<Result<(), StoreError>> {
        Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn call_that_panics_in_one_task_has_ended_for_the_others() {
        let mut first = DrivenCall::new(async { panic!("a store that breaks") });
        let mut second = first.downgrade().upgrade().expect("it waits");
        let panicked = catch_unwind(AssertUnwindSafe(|| poll(&mut first).is_ready()));
        assert!(panicked.is_err());
        assert!(matches!(poll(&mut second), Poll::Ready(Ok(()))));
    }

    #[test]
    fn tasks_that_left_are_not_kept() {
        let mut first = DrivenCall::new(std::future::pending());
        for _ in 0..3 {
            let mut other = first.downgrade().upgrade().expect("it waits");
            assert!(poll(&mut other).is_pending());
        }
        assert!(poll(&mut first).is_pending());
        assert_eq!(first.shared.tasks.list().wakers.len(), 1);
        let weak = first.downgrade();
        drop(first);
        assert!(weak.upgrade().is_none());
    }
}
