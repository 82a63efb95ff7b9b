//! Savepoints of a host's PostgreSQL transaction.
//!
//! sqlx's PostgreSQL driver may lose count of savepoints if a call is dropped while one begins or
//! ends. It would then roll back one level too much, or to a savepoint that no longer exists.
//! Either would damage the host's work.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use sqlx::Postgres;

use crate::ops::{Begin, Step, unprepared};

pub(super) async fn begin(step: &mut Step<'_, Postgres>, begin: Begin) -> sqlx::Result<()> {
    match begin {
        Begin::Own => step.begin_counted(begin).await,
        Begin::Nested => ForgetOnDrop::new(step.begin_counted(begin)).await,
    }
}

pub(super) async fn commit(step: &mut Step<'_, Postgres>) -> sqlx::Result<()> {
    let Some(name) = step.savepoint(0) else { return step.commit_counted().await };
    // This creates a second savepoint of the same name. If the call is dropped while it waits,
    // the driver rolls back to one of the two. So all work is kept or all is undone. With one
    // savepoint, the driver might roll back to one that no longer exists.
    unprepared::<Postgres>(step.conn(), format!("SAVEPOINT {name}")).await?;
    step.commit_counted().await?;
    unprepared::<Postgres>(step.conn(), format!("RELEASE SAVEPOINT {name}")).await
}

/// A future that is leaked if it is dropped while it waits, because its own cleanup would undo
/// too much. The statement that it had sent still takes effect, and an unused savepoint changes
/// nothing. The cost is a few bytes of memory.
struct ForgetOnDrop<F: Future>(Option<Pin<Box<F>>>);

impl<F: Future> ForgetOnDrop<F> {
    fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future<Output = sqlx::Result<()>>> Future for ForgetOnDrop<F> {
    type Output = sqlx::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.0 else { return Poll::Ready(Ok(())) };
        let done = ready!(future.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<F: Future> Drop for ForgetOnDrop<F> {
    fn drop(&mut self) {
        if let Some(waiting) = self.0.take() {
            mem::forget(waiting);
        }
    }
}
