//! Futures that are dropped before they are done.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Polls a future a number of times, and drops it if it is not done by then, as a
/// client that went away does. With 0, 1, 2 … polls, each of its awaits is met.
///
/// Gives back none when it was dropped.
pub struct DropAfter<F> {
    future: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> DropAfter<F> {
    /// To be dropped after so many polls.
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
