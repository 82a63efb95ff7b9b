//! Several statements as one atomic step that is safe to drop at every await.

use std::fmt;

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, raw_sql};
use sqlx_core::transaction::TransactionManager;

use crate::dialect::Dialect;

/// How an operation makes its statements one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub enum Begin {
    /// In a transaction of the store's own.
    Own,
    /// Behind a savepoint of the host's open transaction.
    Nested,
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
    conn: &'c mut DB::Connection,
    /// The number of transactions and savepoints that the driver counts for this step. Dropping
    /// the step rolls them back.
    pub(crate) levels: usize,
}

impl<'c, DB: Dialect> Step<'c, DB> {
    pub(crate) async fn begin(conn: &'c mut DB::Connection, begin: Begin) -> sqlx::Result<Self> {
        if begin == Begin::Nested && DB::TransactionManager::get_transaction_depth(conn) == 0 {
            // Without an open transaction, the driver would begin one here that commits by
            // itself.
            return Err(sqlx::Error::Configuration(
                "no transaction was begun through sqlx on the joined connection".into(),
            ));
        }
        let mut step = Self { conn, levels: 0 };
        DB::begin_step(&mut step, begin).await?;
        Ok(step)
    }

    /// Begins a step that only reads. It is empty unless its statements have secrets and the
    /// connection belongs to a host whose driver would write them into the text of a statement.
    pub(crate) async fn begin_to_read(
        conn: &'c mut DB::Connection,
        has_secrets: bool,
    ) -> sqlx::Result<Self> {
        if !has_secrets || !DB::guards_secrets(conn) {
            return Ok(Self { conn, levels: 0 });
        }
        let mut step = Self::begin(conn, Begin::Nested).await?;
        step.expect_secrets().await?;
        Ok(step)
    }

    /// Ends a step that only read.
    pub(crate) async fn end_read(self) -> sqlx::Result<()> {
        if self.levels == 0 { Ok(()) } else { self.rollback().await }
    }

    pub(crate) fn conn(&mut self) -> &mut DB::Connection {
        self.conn
    }

    /// Prepares the step for statements with secrets, before any other work of it.
    pub(crate) async fn expect_secrets(&mut self) -> sqlx::Result<()> {
        DB::expect_secrets(self).await
    }

    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        DB::commit_step(&mut self).await
    }

    pub(crate) async fn rollback(mut self) -> sqlx::Result<()> {
        DB::roll_back_step(&mut self).await
    }

    /// Begins a transaction or a savepoint that the driver counts.
    pub(crate) async fn begin_counted(&mut self, begin: Begin) -> sqlx::Result<()> {
        let statement = match begin {
            Begin::Own => Some(DB::BEGIN.into_sql_str()),
            Begin::Nested => None,
        };
        DB::TransactionManager::begin(self.conn, statement).await?;
        self.levels += 1;
        Ok(())
    }

    /// Commits the innermost level that the driver counts.
    pub(crate) async fn commit_counted(&mut self) -> sqlx::Result<()> {
        DB::TransactionManager::commit(self.conn).await?;
        self.levels -= 1;
        Ok(())
    }

    /// Rolls back the innermost level that the driver counts.
    pub(crate) async fn roll_back_counted(&mut self) -> sqlx::Result<()> {
        DB::TransactionManager::rollback(self.conn).await?;
        self.levels -= 1;
        Ok(())
    }

    /// Returns the driver's name for the savepoint of the `n`th level of this step, from 0.
    /// There is none for a transaction of the store's own.
    pub(crate) fn savepoint(&self, n: usize) -> Option<String> {
        let depth = DB::TransactionManager::get_transaction_depth(self.conn);
        let below = (depth + n).checked_sub(self.levels)?;
        (n < self.levels && below > 0).then(|| savepoint_name(below))
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

impl<DB: Dialect> fmt::Debug for Step<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("levels", &self.levels).finish_non_exhaustive()
    }
}

impl<DB: Dialect> Drop for Step<'_, DB> {
    fn drop(&mut self) {
        for _ in 0..self.levels {
            // The rollback is queued, and runs before the next statement on this connection.
            DB::TransactionManager::start_rollback(self.conn);
        }
    }
}
