//! Several statements as one step, safe to drop at every await.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, raw_sql};
use sqlx_core::transaction::TransactionManager;

use crate::dialect::Dialect;

/// How an operation makes its several statements one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begin {
    /// In a transaction of its own.
    Own,
    /// Behind a savepoint of the host's open transaction.
    Nested,
}

/// A transaction of the store's own, or a savepoint: undone when dropped.
///
/// It does what [`sqlx::Transaction`] does, but for one thing. That one is
/// already armed while it begins: if its future is dropped just then, both the
/// driver and the guard roll back, and inside a host's transaction the second
/// rollback hits the host's own work. Here the guard is armed only once the
/// driver has said that it began; until then, undoing it is the driver's part.
///
/// Where a connection does not survive drops, a transaction of the store's own is begun
/// and ended without the driver's knowledge: whoever lent the connection closes it if
/// this is dropped before its end.
pub(crate) struct Step<'c, DB: Dialect> {
    conn: &'c mut DB::Connection,
    open: bool,
    /// Whether the driver knows of it.
    known_to_driver: bool,
    /// The savepoint, where the driver cannot be trusted with its end.
    savepoint: Option<String>,
    /// One more that the driver knows and the server does not: see [`Step::arm_drop_guard`].
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
                // What would begin here would be a transaction, and commit by itself.
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
            // The name that the driver gives it.
            savepoint = Some(format!("_sqlx_savepoint_{depth}"));
        } else {
            DB::TransactionManager::begin(conn, statement).await?;
        }
        Ok(Self { conn, open: true, known_to_driver: true, savepoint, drop_guard: None })
    }

    /// Before a statement that has to be prepared on a host's connection that does not
    /// survive that this is dropped: sees to it that the way back begins with an error
    /// then. It ends what the driver takes for the answer, so that the host's next
    /// statement fails, instead of waiting for an answer without an end. To be called
    /// before anything is done in the step.
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
        // A second savepoint of the same name. Dropped while this waits, the way back
        // is to the one or to the other: all is kept, or all is undone. With one
        // alone, it would be to a savepoint that may have gone.
        self.savepoint("SAVEPOINT").await?;
        DB::TransactionManager::commit(self.conn).await?;
        self.open = false;
        self.savepoint("RELEASE SAVEPOINT").await
    }

    /// What keeps all that was done behind the savepoint, on a host's connection that does
    /// not survive drops. Where it was said, by itself or along with what was done, this is
    /// committed and can be dropped.
    pub(crate) fn keep_sql(&self) -> Option<String> {
        let name = self.savepoint.as_ref().filter(|_| !DB::CANCEL_SAFE)?;
        // A savepoint of the same name replaces the first, if that is still there. So
        // the way back, which is queued when this is dropped, leads to here, and lets
        // the driver count without a wait.
        let sql = format!("RELEASE SAVEPOINT {name}; SAVEPOINT {name}");
        Some(match &self.drop_guard {
            Some(missing) => format!("{sql}; SAVEPOINT {missing}"),
            None => sql,
        })
    }

    /// Says something about the savepoint that the driver does not count.
    async fn savepoint(&mut self, what: &str) -> sqlx::Result<()> {
        let Some(name) = &self.savepoint else { return Ok(()) };
        let sql = format!("{what} {name}");
        unprepared::<DB>(self.conn, sql).await
    }

    pub(crate) async fn rollback(mut self) -> sqlx::Result<()> {
        if let (Some(name), Some(missing)) = (&self.savepoint, &self.drop_guard) {
            let sql = format!("ROLLBACK TO SAVEPOINT {name}; SAVEPOINT {missing}");
            // The rest of the way back is queued.
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

/// Runs one of the statements about transactions.
pub(crate) async fn unprepared<DB: Dialect>(
    conn: &mut DB::Connection,
    sql: impl Into<String>,
) -> sqlx::Result<()> {
    // None of them holds a value.
    let query = raw_sql(AssertSqlSafe(sql.into()));
    DB::exec(conn).execute(query).await.map(|_| ())
}

/// A future that, dropped while it waits, is forgotten instead: its own undoing would
/// undo too much. What it had sent still takes place, and a savepoint that nobody
/// goes back to changes nothing. It costs its few bytes of memory.
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
            // Queued: done before whatever comes next on this connection.
            if self.drop_guard.is_some() {
                DB::TransactionManager::start_rollback(self.conn);
            }
            DB::TransactionManager::start_rollback(self.conn);
        }
    }
}
