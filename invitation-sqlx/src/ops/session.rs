//! The connection of an operation, and its steps: several statements each, atomic, and safe to drop
//! at every await.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use invitation_core::StoreError;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, raw_sql};
use sqlx_core::transaction::TransactionManager;

use crate::{
    dialect::Dialect,
    error::{commit_error, store_error},
    names::Names,
};

/// How an operation makes its statements one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begin {
    /// In a transaction of the store's own.
    Own,
    /// Behind a savepoint of the host's open transaction.
    Nested,
}

/// The connection of an operation, with the tables and the name that its statements and errors
/// need.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub struct Session<'c, DB: Dialect> {
    conn: &'c mut DB::Connection,
    pub(crate) names: &'c Names,
    pub(crate) mode: Begin,
    pub(crate) operation: &'static str,
}

impl<'c, DB: Dialect> Session<'c, DB> {
    pub(crate) fn new(
        conn: &'c mut DB::Connection,
        names: &'c Names,
        mode: Begin,
        operation: &'static str,
    ) -> Self {
        Self { conn, names, mode, operation }
    }

    pub(crate) fn conn(&mut self) -> &mut DB::Connection {
        self.conn
    }

    /// Returns the clause that makes a query see the latest committed data.
    pub(crate) fn locking_read(&self) -> &'static str {
        DB::locking_read(self.conn)
    }

    /// Converts an error that happened before any commit.
    pub(crate) fn failed(&self, error: sqlx::Error) -> StoreError {
        store_error::<DB>(self.operation, error)
    }

    /// Begins a step.
    pub(crate) async fn begin(&mut self) -> Result<Step<'_, DB>, StoreError> {
        if self.mode == Begin::Nested
            && DB::TransactionManager::get_transaction_depth(self.conn) == 0
        {
            // Without an open transaction, the driver would begin one here that commits by
            // itself.
            return Err(self.failed(sqlx::Error::Configuration(
                "no transaction was begun through sqlx on the joined connection".into(),
            )));
        }
        let mut step = self.empty_step();
        match DB::begin_step(&mut step).await {
            Ok(()) => Ok(step),
            Err(error) => Err(step.failed(error)),
        }
    }

    /// Begins a step that only reads. It is empty unless its statements have secrets and the
    /// connection belongs to a host whose driver would write them into the text of a statement.
    pub(crate) async fn begin_to_read(
        &mut self,
        has_secrets: bool,
    ) -> Result<Step<'_, DB>, StoreError> {
        if !has_secrets || !DB::guards_secrets(self.conn) {
            return Ok(self.empty_step());
        }
        let mut step = self.begin().await?;
        step.expect_secrets().await?;
        Ok(step)
    }

    fn empty_step(&mut self) -> Step<'_, DB> {
        let Self { names, mode, operation, .. } = *self;
        Step { session: Session { conn: self.conn, names, mode, operation }, levels: 0 }
    }
}

/// A transaction of the store's own, or a savepoint. Dropping it rolls it back.
///
/// It differs from [`sqlx::Transaction`] in one point. sqlx's guard is armed while the
/// transaction begins. If the future is dropped at that moment, both the driver and the guard
/// roll back. Inside a host's transaction, the second rollback undoes the host's own work. This
/// guard is armed only after the driver has confirmed the beginning. Until then, the driver alone
/// rolls back.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub struct Step<'c, DB: Dialect> {
    session: Session<'c, DB>,
    /// The number of transactions and savepoints that the driver counts for this step. Dropping
    /// the step rolls them back.
    pub(crate) levels: usize,
}

impl<DB: Dialect> Step<'_, DB> {
    /// Ends a step that only read.
    pub(crate) async fn end_read(self) -> Result<(), StoreError> {
        if self.levels == 0 { Ok(()) } else { self.rollback().await }
    }

    /// Prepares the step for statements with secrets, before any other work of it.
    pub(crate) async fn expect_secrets(&mut self) -> Result<(), StoreError> {
        let expected = DB::expect_secrets(self).await;
        expected.map_err(|error| self.failed(error))
    }

    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let committed = DB::commit_step(&mut self).await;
        committed.map_err(|error| match self.mode {
            Begin::Own => commit_error::<DB>(self.operation, error),
            // This commits nothing before the host does, so the outcome is known.
            Begin::Nested => self.failed(error),
        })
    }

    pub(crate) async fn rollback(mut self) -> Result<(), StoreError> {
        let undone = DB::roll_back_step(&mut self).await;
        undone.map_err(|error| self.failed(error))
    }

    /// Begins a transaction or a savepoint that the driver counts.
    pub(crate) async fn begin_counted(&mut self) -> sqlx::Result<()> {
        let statement = match self.mode {
            Begin::Own => Some(DB::BEGIN.into_sql_str()),
            Begin::Nested => None,
        };
        DB::TransactionManager::begin(self.conn(), statement).await?;
        self.levels += 1;
        Ok(())
    }

    /// Commits the innermost level that the driver counts.
    pub(crate) async fn commit_counted(&mut self) -> sqlx::Result<()> {
        DB::TransactionManager::commit(self.conn()).await?;
        self.levels -= 1;
        Ok(())
    }

    /// Rolls back the innermost level that the driver counts.
    pub(crate) async fn roll_back_counted(&mut self) -> sqlx::Result<()> {
        DB::TransactionManager::rollback(self.conn()).await?;
        self.levels -= 1;
        Ok(())
    }

    /// Returns the driver's name for the savepoint of the `n`th level of this step, from 0.
    /// There is none for a transaction of the store's own.
    pub(crate) fn savepoint(&self, n: usize) -> Option<String> {
        let depth = DB::TransactionManager::get_transaction_depth(self.session.conn);
        let below = (depth + n).checked_sub(self.levels)?;
        (n < self.levels && below > 0).then(|| savepoint_name(below))
    }
}

impl<'c, DB: Dialect> Deref for Step<'c, DB> {
    type Target = Session<'c, DB>;

    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl<DB: Dialect> DerefMut for Step<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.session
    }
}

/// Returns the name that the driver gives to a savepoint at this depth.
pub(crate) fn savepoint_name(depth: usize) -> String {
    format!("_sqlx_savepoint_{depth}")
}

/// Runs statements that begin or end transactions or savepoints, without preparing them.
pub(crate) async fn unprepared<DB: Dialect>(
    conn: &mut DB::Connection,
    sql: impl Into<String>,
) -> sqlx::Result<()> {
    // The statements contain no values.
    let query = raw_sql(AssertSqlSafe(sql.into()));
    DB::exec(conn).execute(query).await.map(|_| ())
}

impl<DB: Dialect> fmt::Debug for Session<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl<DB: Dialect> fmt::Debug for Step<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("levels", &self.levels).finish_non_exhaustive()
    }
}

impl<DB: Dialect> Drop for Step<'_, DB> {
    fn drop(&mut self) {
        for _ in 0..self.levels {
            // The rollback is queued, and runs before the next statement on this connection.
            DB::TransactionManager::start_rollback(self.session.conn);
        }
    }
}
