//! Steps on connections that do not survive a cancelled prepare (see [`sink`](super::sink)).
//!
//! A transaction of the store's own begins and ends without the driver's knowledge. If the step
//! is dropped before its end, its connection is closed. A savepoint of a host's transaction is
//! one that the driver counts, so that the driver rolls it back.

use invitation_core::{Record, StoreError, Transition};
use sqlx::{Database, MySql, MySqlConnection};
use sqlx_core::transaction::TransactionManager;

use super::{COMMIT, ROLLBACK, message::Message};
use crate::{
    dialect::{Dialect, Steps},
    error::is_taken,
    ops::{Begin, Session, Step, select_invitation, unprepared},
    render, row,
    statement::Statement,
};

impl Steps for MySql {
    async fn begin_step(step: &mut Step<'_, Self>) -> sqlx::Result<()> {
        match step.mode {
            Begin::Own => unprepared::<Self>(step.conn(), Self::BEGIN).await,
            Begin::Nested => step.begin_counted().await,
        }
    }

    async fn commit_step(step: &mut Step<'_, Self>) -> sqlx::Result<()> {
        let sql = keep_sql(step).unwrap_or_else(|| COMMIT.to_owned());
        unprepared::<Self>(step.conn(), sql).await
    }

    async fn roll_back_step(step: &mut Step<'_, Self>) -> sqlx::Result<()> {
        match (step.savepoint(0), missing_savepoint(step)) {
            (Some(name), Some(missing)) => {
                let sql = format!("ROLLBACK TO SAVEPOINT {name}; SAVEPOINT {missing}");
                // Dropping the step queues the rest of the rollback.
                unprepared::<Self>(step.conn(), sql).await
            }
            (Some(_), None) => step.roll_back_counted().await,
            (None, _) => unprepared::<Self>(step.conn(), ROLLBACK).await,
        }
    }

    /// Makes the next statement on a host's connection fail if a call is dropped while it prepares a
    /// statement. Otherwise the next statement would wait for an answer without end.
    ///
    /// It makes the driver count a savepoint that the server does not have. Rolling back a dropped
    /// step then begins with an error. The driver takes that error as the end of the cancelled
    /// answer.
    async fn expect_secrets(step: &mut Step<'_, Self>) -> sqlx::Result<()> {
        let Some(name) = step.savepoint(0) else { return Ok(()) };
        step.begin_counted().await?;
        unprepared::<Self>(step.conn(), format!("ROLLBACK TO SAVEPOINT {name}")).await
    }

    fn guards_secrets(conn: &MySqlConnection) -> bool {
        <Self as Database>::TransactionManager::get_transaction_depth(conn) > 0
    }

    async fn run_as_transaction(
        on: &mut Session<'_, Self>,
        s: Statement<Self>,
    ) -> Result<(), StoreError> {
        let mut message = Message::beginning();
        message.add(s);
        message.commit();
        let sent = message.send(on.conn()).await;
        sent.map(|_| ()).map_err(|error| error.into_store_error(on.operation))
    }

    async fn run_unless_taken(
        s: Statement<Self>,
        on: &mut Session<'_, Self>,
        _: Option<&str>,
    ) -> Result<bool, StoreError> {
        match s.run(on).await {
            Err(error) if is_taken(&error) => Ok(false),
            run => Ok(run? == 1),
        }
    }

    async fn update_invitation(
        on: &mut Session<'_, Self>,
        transition: &Transition,
        update: Statement<Self>,
    ) -> Result<Option<Record>, StoreError> {
        if update.run(on).await? == 0 {
            return Ok(None);
        }
        // The row cannot have changed since the update, and this transaction sees its own update.
        let mut s = select_invitation(on.names);
        match transition.new_digest() {
            Some(digest) => {
                s.sql("i.digest = ").blob(digest.as_bytes());
            }
            None => render::target(&mut s, transition.target()),
        }
        s.first(on, row::invitation).await
    }
}

/// Returns the statements that keep the work behind the savepoint of a host's transaction. After
/// they were sent, alone or in a message with the work, the step is committed and can be dropped.
pub(super) fn keep_sql(step: &Step<'_, MySql>) -> Option<String> {
    let name = step.savepoint(0)?;
    // A new savepoint of the same name replaces the first one. The rollback that is queued when
    // the step is dropped then leads to the new savepoint. The driver's count stays correct
    // without a wait.
    let sql = format!("RELEASE SAVEPOINT {name}; SAVEPOINT {name}");
    Some(match missing_savepoint(step) {
        Some(missing) => format!("{sql}; SAVEPOINT {missing}"),
        None => sql,
    })
}

/// Returns the name of the savepoint that only the driver has, if the drop guard is armed.
fn missing_savepoint(step: &Step<'_, MySql>) -> Option<String> {
    step.savepoint(1)
}
