//! Savepoints of a host's PostgreSQL transaction.
//!
//! sqlx's PostgreSQL driver may lose count of savepoints if a call is dropped while one begins or
//! ends. It would then roll back one level too much, or to a savepoint that no longer exists.
//! Either would damage the host's work.

use std::{
    future::{Future, poll_fn},
    mem::ManuallyDrop,
};

use sqlx::Postgres;

use crate::{
    dialect::Steps,
    ops::{Begin, Step, unprepared},
};

impl Steps for Postgres {
    async fn begin_step(step: &mut Step<'_, Self>) -> sqlx::Result<()> {
        match step.mode {
            Begin::Own => step.begin_counted().await,
            Begin::Nested => {
                // A call that is dropped while it waits leaks this future, because the future's own
                // cleanup would undo too much. The statement that it had sent still takes effect, and
                // an unused savepoint changes nothing. The cost is a few bytes of memory.
                let mut waiting = ManuallyDrop::new(Box::pin(step.begin_counted()));
                let done = poll_fn(|cx| waiting.as_mut().poll(cx)).await;
                drop(ManuallyDrop::into_inner(waiting));
                done
            }
        }
    }

    async fn commit_step(step: &mut Step<'_, Self>) -> sqlx::Result<()> {
        let Some(name) = step.savepoint(0) else { return step.commit_counted().await };
        // This creates a second savepoint of the same name. If the call is dropped while it waits,
        // the driver rolls back to one of the two. So all work is kept or all is undone. With one
        // savepoint, the driver might roll back to one that no longer exists.
        unprepared::<Self>(step.conn(), format!("SAVEPOINT {name}")).await?;
        step.commit_counted().await?;
        unprepared::<Self>(step.conn(), format!("RELEASE SAVEPOINT {name}")).await
    }
}
