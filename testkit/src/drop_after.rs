//! Futures that are dropped before they complete.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Polls a future a limited number of times and drops it if it has not completed by then.
///
/// This simulates a client that disconnects. Run with 0, 1, 2 … polls, it drops the
/// future at each of its awaits.
///
/// Returns `None` when the future was dropped.
pub struct DropAfter<F> {
    future: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> DropAfter<F> {
    /// Wraps `future`, which is dropped after `polls` polls.
    pub fn new(future: F, polls: usize) -> Self {
        Self { future: Box::pin(future), polls }
    }
}

impl<F: Future> Future for DropAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.future.as_mut().poll(cx).map(Some)
    }
}

impl<F> fmt::Debug for DropAfter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DropAfter").field("polls", &self.polls).finish_non_exhaustive()
    }
}
