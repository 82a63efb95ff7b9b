//! Recovery after SQLite has ended a transaction by itself.
//!
//! After a full disk, an I/O error, exhausted memory or an interrupt, SQLite may roll back the
//! whole transaction (<https://www.sqlite.org/lang_transaction.html>). The driver does not notice
//! that, and goes on counting the transaction as open. From then on:
//!
//! - Each statement commits by itself.
//! - ROLLBACK is an error.
//! - The driver begins no other transaction on the connection.

use std::{
    fmt::Write,
    future::Future,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use async_lock::{Mutex, MutexGuard};
use futures_util::TryStreamExt;
use invitation_core::{StoreError, StoreErrorKind};
use sqlx::{
    Connection, Either, Executor, SqlSafeStr, Sqlite, SqliteConnection, raw_sql,
    sqlite::SqliteTransactionManager,
};
use sqlx_core::{rt, transaction::TransactionManager};

use crate::{dialect::Transactions, error::store_error, ops};

/// Finds out whether a transaction is open, and whether it is [doomed](doom). BEGIN fails inside
/// a transaction.
const PROBE: &str =
    "SELECT 1 FROM temp.sqlite_master WHERE name = 'invitation_transaction_ended'; BEGIN";

/// Makes COMMIT fail for as long as the transaction is open, by a lasting violation of a deferred
/// constraint. A rollback removes the table again.
const DOOM: &str = "CREATE TEMP TABLE invitation_transaction_ended (id INTEGER PRIMARY KEY, \
     other INTEGER REFERENCES invitation_transaction_ended (id) DEFERRABLE INITIALLY DEFERRED); \
     INSERT INTO invitation_transaction_ended VALUES (1, 2)";

/// The time in which the driver's thread answers a ping, which needs no disk.
const ANSWER: Duration = Duration::from_secs(1);

/// Ends a transaction that is open on a connection, and resets the driver's count to zero.
/// Returns whether both are known to have succeeded.
pub(super) async fn end(conn: &mut SqliteConnection) -> bool {
    // This statement runs after all queued ones, such as the driver's own rollback.
    match ops::unprepared::<Sqlite>(conn, "ROLLBACK").await {
        Ok(()) => {}
        // No transaction is active.
        Err(error) if is_plain(&error) => {}
        Err(_) => return false,
    }
    let depth = depth(conn);
    if depth > 0 {
        let sql = savepoints("BEGIN", depth);
        if ops::unprepared::<Sqlite>(conn, sql).await.is_err() || !roll_back(conn, depth).await {
            return false;
        }
    }
    self::depth(conn) == 0
}

impl Transactions for Sqlite {
    fn survives_drop(_: bool) -> bool {
        // The driver rolls back even if the call was dropped while its transaction began.
        true
    }

    async fn end_transaction(conn: &mut SqliteConnection) -> bool {
        end(conn).await
    }

    /// Returns the depth of a host's transaction, if it is open.
    async fn host_depth(conn: &mut SqliteConnection) -> sqlx::Result<usize> {
        let state = probe(conn).await?;
        let depth = depth(conn);
        match state {
            TransactionState::Open => return Ok(depth),
            // The host has begun no transaction through the driver.
            TransactionState::Ended if depth == 0 => {
                return ops::unprepared::<Self>(conn, "ROLLBACK").await.map(|()| 0);
            }
            TransactionState::Ended => doom_or_close(conn, depth).await,
            TransactionState::Doomed => {}
        }
        Err(sqlx::Error::Protocol("the database has ended the host's transaction".into()))
    }

    /// Returns whether the host's transaction, of this depth, is still open. If not, replaces it by a
    /// doomed one with the same savepoints. The commit of that transaction fails, and a rollback
    /// makes the connection usable again.
    async fn fail_closed(conn: &mut SqliteConnection, depth: usize) -> bool {
        match probe(conn).await {
            // An error during the store's own rollback leaves the store's savepoint open.
            Ok(TransactionState::Open) if end_savepoints(conn, depth).await => return true,
            Ok(TransactionState::Doomed) if self::depth(conn) == depth => {}
            Ok(TransactionState::Ended) => doom_or_close(conn, depth).await,
            // The driver's count and SQLite's savepoints differ, so the extent of this call's work is
            // unknown.
            Ok(TransactionState::Open | TransactionState::Doomed) => {
                if ops::unprepared::<Self>(conn, "ROLLBACK; BEGIN").await.is_ok() {
                    doom_or_close(conn, depth).await;
                } else {
                    close(conn).await;
                }
            }
            Err(_) => close(conn).await,
        }
        false
    }

    fn call_timeout(_: Duration) -> Duration {
        // No network can fall silent. A connection that is closed would end a database in memory.
        Duration::MAX
    }

    async fn writer_turn<'q>(
        conn: &mut SqliteConnection,
        queue: &'q Mutex<()>,
        operation: &'static str,
    ) -> Result<Option<MutexGuard<'q, ()>>, StoreError> {
        if let Some(turn) = queue.try_lock() {
            return Ok(Some(turn));
        }
        // Each writer in front may wait for the file's lock for the whole timeout. Without a bound
        // of its own, the wait for the turn would be the sum of their waits.
        let limit = busy_timeout(conn).await;
        let limit = limit.map_err(|error| store_error::<Self>(operation, error))?;
        match rt::timeout(limit, queue.lock()).await {
            Ok(turn) => Ok(Some(turn)),
            Err(_) => Err(StoreError::new(StoreErrorKind::Conflict, operation)
                .because("the other writers took longer than busy_timeout")),
        }
    }
}

async fn busy_timeout(conn: &mut SqliteConnection) -> sqlx::Result<Duration> {
    let millis: i64 = sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(conn).await?;
    Ok(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

enum TransactionState {
    Open,
    /// The transaction had ended, and only the probe has begun the one that is open.
    Ended,
    Doomed,
}

async fn probe(conn: &mut SqliteConnection) -> sqlx::Result<TransactionState> {
    let (mut is_doomed, mut has_probed) = (false, false);
    let mut results = conn.fetch_many(raw_sql(PROBE));
    loop {
        match results.try_next().await {
            Ok(Some(Either::Right(_))) => is_doomed = true,
            Ok(Some(Either::Left(_))) => has_probed = true,
            Ok(None) => return Ok(TransactionState::Ended),
            Err(error) if has_probed && is_plain(&error) => {
                return Ok(if is_doomed {
                    TransactionState::Doomed
                } else {
                    TransactionState::Open
                });
            }
            Err(error) => return Err(error),
        }
    }
}

async fn doom_or_close(conn: &mut SqliteConnection, depth: usize) {
    if !doom(conn, depth).await {
        close(conn).await;
    }
}

/// Makes sure that the transaction which replaces the host's cannot be committed. Returns whether
/// that succeeded.
async fn doom(conn: &mut SqliteConnection, depth: usize) -> bool {
    // Without this setting SQLite checks no foreign keys, and it cannot be turned on inside a
    // transaction.
    let enforced = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *conn).await;
    if !matches!(enforced, Ok(1_i64)) {
        return false;
    }
    // The driver may still count the store's own savepoint.
    let counted = self::depth(conn);
    ops::unprepared::<Sqlite>(conn, savepoints(DOOM, counted)).await.is_ok()
        && end_savepoints(conn, depth).await
}

/// Returns the statements, followed by the savepoints that the driver sets up to this depth.
fn savepoints(statements: &str, depth: usize) -> String {
    let mut sql = statements.to_owned();
    for n in 1..depth {
        // Writing to a string cannot fail.
        write!(sql, "; SAVEPOINT {}", ops::savepoint_name(n)).ok();
    }
    sql
}

/// Rolls back to a host's transaction of this depth. Returns whether the driver then counts that
/// depth.
async fn end_savepoints(conn: &mut SqliteConnection, depth: usize) -> bool {
    let Some(more) = self::depth(conn).checked_sub(depth) else { return false };
    roll_back(conn, more).await && self::depth(conn) == depth
}

async fn roll_back(conn: &mut SqliteConnection, times: usize) -> bool {
    for _ in 0..times {
        if SqliteTransactionManager::rollback(conn).await.is_err() {
            return false;
        }
    }
    true
}

/// Closes a host's connection, so that each further call on it fails and its pool opens another
/// one. The driver must count a transaction at that time.
async fn close(conn: &mut SqliteConnection) {
    // The driver refuses to close a connection inside a transaction. But its thread ends when the
    // receiver of an answer about transactions is dropped. The thread may have answered before
    // the drop, so this tries several times.
    for _ in 0..100 {
        {
            let begin = SqliteTransactionManager::begin(conn, Some("BEGIN".into_sql_str()));
            let mut begin = pin!(begin);
            let _is_ready = begin.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        // A ping that reaches the thread while it ends is never answered, because the queue
        // outlives its reader. So no answer in time means that the thread has ended.
        if !matches!(rt::timeout(ANSWER, conn.ping()).await, Ok(Ok(()))) {
            return;
        }
    }
    // The connection could not be closed, so a hook makes each commit on it fail.
    if let Ok(mut handle) = conn.lock_handle().await {
        handle.set_commit_hook(|| false);
    }
}

fn depth(conn: &SqliteConnection) -> usize {
    SqliteTransactionManager::get_transaction_depth(conn)
}

/// Whether the error is `SQLITE_ERROR` without an extended code. SQLite returns it for a BEGIN
/// inside a transaction and for a ROLLBACK outside of one.
fn is_plain(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "1")
}
