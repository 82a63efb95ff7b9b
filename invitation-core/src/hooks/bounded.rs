//! Calling a hook: bounded in time, and whatever it does.

use std::{
    error::Error as StdError,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use super::{Done, Hooks, Intent, NOTICE_LIMIT, TIME_LIMIT, Veto};
use crate::report;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The way in which a hook failed to do its work.
#[derive(Debug)]
pub(crate) enum Lapse {
    /// The hook returned an error.
    Failed(Box<dyn StdError + Send + Sync>),
    /// The hook took longer than the time limit.
    TooLate,
    /// The hook or its timer panicked.
    Panicked,
}

/// Asks the hooks about a command, until the time limit. Whatever goes wrong is a veto.
pub(crate) async fn ask(hooks: &dyn Hooks, intent: &Intent) -> Result<(), Veto> {
    let answer = caught(async { first(hooks.before(intent), hooks.sleep(TIME_LIMIT)).await });
    match answer.await {
        Ok(Some(answer)) => answer,
        Ok(None) => Err(Veto::lapsed(Lapse::TooLate)),
        Err(lapse) => Err(Veto::lapsed(lapse)),
    }
}

/// A notification that is due once the step is kept.
#[derive(Debug)]
pub(crate) struct Notice {
    hooks: Arc<dyn Hooks>,
    done: Done,
}

impl Notice {
    pub(crate) fn new(hooks: Arc<dyn Hooks>, done: Done) -> Self {
        Self { hooks, done }
    }

    /// Notifies the hooks, until the time limit. A failure is only reported.
    pub(crate) async fn send(self) {
        let Self { hooks, done } = &self;
        let told = caught(async { first(hooks.after(done), hooks.sleep(NOTICE_LIMIT)).await });
        let lapse = match told.await {
            Ok(Some(Ok(()))) => return,
            Ok(Some(Err(error))) => Lapse::Failed(error),
            Ok(None) => Lapse::TooLate,
            Err(lapse) => lapse,
        };
        report::notice_failed(&lapse);
    }
}

/// Returns the result of `work`, or none if the timer ends first.
async fn first<'a, T>(mut work: BoxFuture<'a, T>, mut timer: BoxFuture<'a, ()>) -> Option<T> {
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => timer.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Returns the result of a future, or that it panicked. After a panic it is not polled again.
async fn caught<T>(future: impl Future<Output = T> + Send) -> Result<T, Lapse> {
    let mut future = Box::pin(future);
    let done = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(_) => Poll::Ready(Err(Lapse::Panicked)),
    })
    .await;
    // What the hook holds is the host's, and may panic when it is dropped.
    match catch_unwind(AssertUnwindSafe(|| drop(future))) {
        Ok(()) => done,
        Err(_) => Err(Lapse::Panicked),
    }
}
