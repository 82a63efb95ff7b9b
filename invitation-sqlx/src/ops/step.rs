//! Several statements as one atomic step that is safe to drop at every await.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

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
///
/// On a connection that is not safe to cancel, the store begins and ends its own transaction
/// without the driver's knowledge. If the step is dropped before its end, the owner of the
/// connection closes it.
pub(crate) struct Step<'c, DB: Dialect> {
    conn: &'c mut DB::Connection,
    open: bool,
    /// Whether the driver knows of the transaction or savepoint.
    known_to_driver: bool,
    /// The name of the savepoint, on a database whose driver may lose count of savepoints.
    savepoint: Option<String>,
    /// The name of a savepoint that only the driver knows: see [`Step::arm_drop_guard`].
    drop_guard: Option<String>,
}

impl<'c, DB: Dialect> Step<'c, DB> {
    pub(crate) async fn begin(conn: &'c mut DB::Connection, begin: Begin) -> sqlx::Result<Self> {
        let statement = match begin {
            Begin::Own if !DB::CANCEL_SAFE => {
                unprepared::<DB>(conn, DB::BEGIN).await?;
                return Ok(Self {
                    conn,
                    open: true,
                    known_to_driver: false,
                    savepoint: None,
                    drop_guard: None,
                });
            }
            Begin::Own => Some(DB::BEGIN.into_sql_str()),
            Begin::Nested if DB::TransactionManager::get_transaction_depth(conn) == 0 => {
                // Without an open transaction, the driver would begin one here that commits by
                // itself.
                return Err(sqlx::Error::Configuration(
                    "no transaction was begun through sqlx on the joined connection".into(),
                ));
            }
            Begin::Nested => None,
        };
        let mut savepoint = None;
        if begin == Begin::Nested && !DB::CANCEL_SAFE_SAVEPOINTS {
            let depth = DB::TransactionManager::get_transaction_depth(conn);
            let starting = DB::TransactionManager::begin(conn, statement);
            if DB::CANCEL_SAFE {
                ForgetOnDrop::new(starting).await?;
            } else {
                starting.await?;
            }
            // The driver gives this name to the savepoint.
            savepoint = Some(format!("_sqlx_savepoint_{depth}"));
        } else {
            DB::TransactionManager::begin(conn, statement).await?;
        }
        Ok(Self { conn, open: true, known_to_driver: true, savepoint, drop_guard: None })
    }

    /// Call this before preparing a statement on a host's MySQL connection, before any other work
    /// of the step. sqlx's MySQL driver is out of sync after a cancelled prepare. This makes the
    /// next statement on the connection fail, instead of waiting for an answer without end.
    ///
    /// It makes the driver count a savepoint that the server does not have. Rolling back a
    /// dropped step then begins with an error. The driver takes that error as the end of the
    /// cancelled answer.
    pub(crate) async fn arm_drop_guard(&mut self) -> sqlx::Result<()> {
        if DB::CANCEL_SAFE || self.savepoint.is_none() {
            return Ok(());
        }
        let depth = DB::TransactionManager::get_transaction_depth(self.conn);
        DB::TransactionManager::begin(self.conn, None).await?;
        self.drop_guard = Some(format!("_sqlx_savepoint_{depth}"));
        self.savepoint("ROLLBACK TO SAVEPOINT").await
    }

    pub(crate) fn conn(&mut self) -> &mut DB::Connection {
        self.conn
    }

    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        if !self.known_to_driver {
            unprepared::<DB>(self.conn, DB::COMMIT).await?;
            self.open = false;
            return Ok(());
        }
        if let Some(sql) = self.keep_sql() {
            return unprepared::<DB>(self.conn, sql).await;
        }
        // This creates a second savepoint of the same name. If the call is dropped while it
        // waits, the driver rolls back to one of the two. So all work is kept or all is undone.
        // With one savepoint, the driver might roll back to one that no longer exists.
        self.savepoint("SAVEPOINT").await?;
        DB::TransactionManager::commit(self.conn).await?;
        self.open = false;
        self.savepoint("RELEASE SAVEPOINT").await
    }

    /// Returns the statements that keep the work behind the savepoint, on a host's connection
    /// that is not safe to cancel. After they were sent, alone or in a message with the work, the
    /// step is committed and can be dropped.
    pub(crate) fn keep_sql(&self) -> Option<String> {
        let name = self.savepoint.as_ref().filter(|_| !DB::CANCEL_SAFE)?;
        // A new savepoint of the same name replaces the first one. The rollback that is queued
        // when the step is dropped then leads to the new savepoint. The driver's count stays
        // correct without a wait.
        let sql = format!("RELEASE SAVEPOINT {name}; SAVEPOINT {name}");
        Some(match &self.drop_guard {
            Some(missing) => format!("{sql}; SAVEPOINT {missing}"),
            None => sql,
        })
    }

    /// Runs a statement about the savepoint that the driver does not count.
    async fn savepoint(&mut self, what: &str) -> sqlx::Result<()> {
        let Some(name) = &self.savepoint else { return Ok(()) };
        let sql = format!("{what} {name}");
        unprepared::<DB>(self.conn, sql).await
    }

    pub(crate) async fn rollback(mut self) -> sqlx::Result<()> {
        if let (Some(name), Some(missing)) = (&self.savepoint, &self.drop_guard) {
            let sql = format!("ROLLBACK TO SAVEPOINT {name}; SAVEPOINT {missing}");
            // Dropping the step queues the rest of the rollback.
            return unprepared::<DB>(self.conn, sql).await;
        }
        if self.known_to_driver {
            DB::TransactionManager::rollback(self.conn).await?;
        } else {
            unprepared::<DB>(self.conn, DB::ROLLBACK).await?;
        }
        self.open = false;
        Ok(())
    }
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

impl<DB: Dialect> Drop for Step<'_, DB> {
    fn drop(&mut self) {
        if self.open && self.known_to_driver {
            // The rollback is queued, and runs before the next statement on this connection.
            if self.drop_guard.is_some() {
                DB::TransactionManager::start_rollback(self.conn);
            }
            DB::TransactionManager::start_rollback(self.conn);
        }
    }
}
