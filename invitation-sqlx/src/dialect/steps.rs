//! Steps and transactions, where the databases differ.

use std::{
    future::{Future, ready},
    time::Duration,
};

use async_lock::{Mutex, MutexGuard};
use invitation_core::{Record, StoreError, Transition};
use sqlx::Database;
use sqlx_core::transaction::TransactionManager;

use super::Dialect;
use crate::{
    error::commit_error,
    ops::{Session, Step},
    row,
    statement::Statement,
};

/// How the statements of a step begin, run and end.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub trait Steps: Database + Sized {
    /// Begins a step: a transaction of the store's own, or a savepoint of the host's transaction.
    fn begin_step(step: &mut Step<'_, Self>) -> impl Future<Output = sqlx::Result<()>> + Send
    where
        Self: Dialect,
    {
        step.begin_counted()
    }

    /// Keeps the work of a step.
    fn commit_step(step: &mut Step<'_, Self>) -> impl Future<Output = sqlx::Result<()>> + Send
    where
        Self: Dialect,
    {
        step.commit_counted()
    }

    /// Undoes the work of a step.
    fn roll_back_step(step: &mut Step<'_, Self>) -> impl Future<Output = sqlx::Result<()>> + Send
    where
        Self: Dialect,
    {
        step.roll_back_counted()
    }

    /// Prepares a step, before any other work of it, for statements with
    /// [secrets](Statement::keep_secret).
    fn expect_secrets(step: &mut Step<'_, Self>) -> impl Future<Output = sqlx::Result<()>> + Send
    where
        Self: Dialect,
    {
        let _ = step;
        ready(Ok(()))
    }

    /// Returns whether a statement with secrets on this connection needs a step that
    /// [expects](Self::expect_secrets) them.
    fn guards_secrets(_conn: &Self::Connection) -> bool {
        false
    }

    /// Runs one statement as a transaction of the store's own.
    fn run_as_transaction(
        on: &mut Session<'_, Self>,
        s: Statement<Self>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send
    where
        Self: Dialect,
    {
        async move {
            let mut step = on.begin().await?;
            s.run(&mut step).await?;
            step.commit().await
        }
    }

    /// Runs an `INSERT` of one row. Returns `false` if the key of these columns is taken, or any
    /// key of the table if there are none. On MySQL and MariaDB, any key counts in both cases.
    fn run_unless_taken(
        mut s: Statement<Self>,
        on: &mut Session<'_, Self>,
        columns: Option<&str>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send
    where
        Self: Dialect,
    {
        s.sql(" ON CONFLICT ");
        if let Some(columns) = columns {
            s.sql(format_args!("({columns}) "));
        }
        s.sql("DO NOTHING");
        async move { Ok(s.run(on).await? == 1) }
    }

    /// Runs the guarded update of one invitation. Returns the invitation after it, if the update
    /// matched one.
    fn update_invitation(
        on: &mut Session<'_, Self>,
        transition: &Transition,
        mut update: Statement<Self>,
    ) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send
    where
        Self: Dialect,
    {
        let _ = transition;
        update.sql(format_args!(" RETURNING {}", row::INVITATION));
        update.first(on, row::invitation)
    }
}

/// How transactions end on a connection of the store or of a host.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub trait Transactions: Database + Sized {
    /// Returns whether the pool can use the store's own connection again after a call on it was
    /// dropped at any await. The argument says whether the call began no transaction.
    fn survives_drop(only_reads: bool) -> bool;

    /// Makes the driver roll back the store's own transaction before the connection is used
    /// again. Returns `false` if that is not safe: the connection is then closed.
    fn start_rollback(conn: &mut Self::Connection) -> bool {
        // A call that was dropped may have left its savepoint.
        for _ in 0..=Self::TransactionManager::get_transaction_depth(conn) {
            Self::TransactionManager::start_rollback(conn);
        }
        true
    }

    /// Ends the transaction on a connection of the store's own, if one is open. Returns whether
    /// both the database and the driver are known to have no open transaction.
    fn end_transaction(conn: &mut Self::Connection) -> impl Future<Output = bool> + Send;

    /// Returns how deeply the host's transaction is nested, or 0 if the driver counts none.
    ///
    /// # Errors
    ///
    /// If the database has ended the transaction. Later work of the host on the connection then
    /// cannot be committed.
    fn host_depth(conn: &mut Self::Connection) -> impl Future<Output = sqlx::Result<usize>> + Send {
        ready(Ok(Self::TransactionManager::get_transaction_depth(conn)))
    }

    /// Returns whether the host's transaction of this depth is still open after an error. If it
    /// is not, or if that is unknown, later work of the host on the connection cannot be
    /// committed.
    fn fail_closed(conn: &mut Self::Connection, depth: usize) -> impl Future<Output = bool> + Send;

    /// Commits the transaction that the store shares with a host, which the driver began with
    /// [`BEGIN`](Dialect::BEGIN).
    ///
    /// # Errors
    ///
    /// If the commit failed, or if the database can only roll back the transaction.
    fn commit_shared(
        conn: &mut Self::Connection,
        operation: &'static str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send
    where
        Self: Dialect,
    {
        async move {
            let committed = Self::TransactionManager::commit(conn).await;
            committed.map_err(|error| commit_error::<Self>(operation, error))
        }
    }

    /// Returns the time limit of a call: the host's, or none on a database without a network.
    fn call_timeout(wanted: Duration) -> Duration {
        wanted
    }

    /// Waits for this writer's turn, on a database that lets one writer in at a time. The store
    /// then queues its writers fairly, instead of letting them poll for the database's lock.
    ///
    /// # Errors
    ///
    /// A conflict, if the wait takes longer than the lock timeout of the connection.
    fn writer_turn<'q>(
        conn: &mut Self::Connection,
        queue: &'q Mutex<()>,
        operation: &'static str,
    ) -> impl Future<Output = Result<Option<MutexGuard<'q, ()>>, StoreError>> + Send {
        let _ = (conn, queue, operation);
        ready(Ok(None))
    }
}
