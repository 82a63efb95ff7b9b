//! What to do when SQLite has ended a transaction by itself.
//!
//! After a full disk, an I/O error, exhausted memory or an interrupt, SQLite may roll back
//! the whole transaction (<https://www.sqlite.org/lang_transaction.html>). The driver does not
//! notice: it counts the nesting of transactions, and goes on counting as if the transaction
//! were open. From then on each statement commits by itself, ROLLBACK is an error, and the
//! driver begins no other transaction on the connection.

use std::{
    fmt::Write,
    future::Future,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use futures_util::TryStreamExt;
use sqlx::{
    Connection, Either, Executor, SqlSafeStr, Sqlite, SqliteConnection, raw_sql,
    sqlite::SqliteTransactionManager,
};
use sqlx_core::{rt, transaction::TransactionManager};

use crate::ops;

/// Finds out whether a transaction is open, and whether it is [doomed](doom): BEGIN is an
/// error inside of one.
const PROBE: &str =
    "SELECT 1 FROM temp.sqlite_master WHERE name = 'invitation_transaction_ended'; BEGIN";

/// Makes COMMIT fail, for as long as the transaction is open: the violation of a deferred
/// constraint stays. A rollback removes the table again.
const DOOM: &str = "CREATE TEMP TABLE invitation_transaction_ended (id INTEGER PRIMARY KEY, \
     other INTEGER REFERENCES invitation_transaction_ended (id) DEFERRABLE INITIALLY DEFERRED); \
     INSERT INTO invitation_transaction_ended VALUES (1, 2)";

/// The time in which the driver's thread answers a question that needs no disk.
const ANSWER: Duration = Duration::from_secs(1);

/// Ends whatever is open on a connection, and brings the driver's count back to zero.
/// Returns whether both is known to be so.
pub(super) async fn end(conn: &mut SqliteConnection) -> bool {
    // Behind everything that is queued, such as the driver's own way back.
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

/// Returns the depth of a host's transaction, if it is open.
pub(super) async fn host_depth(conn: &mut SqliteConnection) -> sqlx::Result<usize> {
    let state = probe(conn).await?;
    let depth = depth(conn);
    match state {
        TransactionState::Open => return Ok(depth),
        // The host has begun none through the driver.
        TransactionState::Ended if depth == 0 => {
            return ops::unprepared::<Sqlite>(conn, "ROLLBACK").await.map(|()| 0);
        }
        TransactionState::Ended => doom_or_close(conn, depth).await,
        TransactionState::Doomed => {}
    }
    Err(sqlx::Error::Protocol("the database has ended the host's transaction".into()))
}

/// Returns whether the host's transaction, of this depth, is still open. If not, it cannot
/// be committed: there is a new one in its place, with the same savepoints, whose commit
/// fails; a rollback leaves the connection as good as new.
pub(super) async fn fail_closed(conn: &mut SqliteConnection, depth: usize) -> bool {
    match probe(conn).await {
        // An error in the middle of the store's own way back leaves its savepoint.
        Ok(TransactionState::Open) if end_savepoints(conn, depth).await => return true,
        Ok(TransactionState::Doomed) if self::depth(conn) == depth => {}
        Ok(TransactionState::Ended) => doom_or_close(conn, depth).await,
        // The driver counts savepoints that are not there, or the other way about: what of
        // this call is kept is unknown.
        Ok(TransactionState::Open | TransactionState::Doomed) => {
            if ops::unprepared::<Sqlite>(conn, "ROLLBACK; BEGIN").await.is_ok() {
                doom_or_close(conn, depth).await;
            } else {
                close(conn).await;
            }
        }
        Err(_) => close(conn).await,
    }
    false
}

enum TransactionState {
    Open,
    /// It had ended, and is open now only because this looked.
    Ended,
    Doomed,
}

async fn probe(conn: &mut SqliteConnection) -> sqlx::Result<TransactionState> {
    let (mut is_doomed, mut has_probed) = (false, false);
    let mut told = conn.fetch_many(raw_sql(PROBE));
    loop {
        match told.try_next().await {
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

/// Makes the transaction that was begun in place of the host's one that cannot be committed.
/// Returns whether that is done.
async fn doom(conn: &mut SqliteConnection, depth: usize) -> bool {
    // Without this, no constraint is looked at; and it cannot be turned on in a transaction.
    let enforced = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *conn).await;
    if !matches!(enforced, Ok(1_i64)) {
        return false;
    }
    // The store's own savepoint may still be counted.
    let counted = self::depth(conn);
    ops::unprepared::<Sqlite>(conn, savepoints(DOOM, counted)).await.is_ok()
        && end_savepoints(conn, depth).await
}

/// These statements, and then the savepoints that the driver sets up to this depth.
fn savepoints(statements: &str, depth: usize) -> String {
    let mut sql = statements.to_owned();
    for n in 1..depth {
        // Writing to a string cannot fail.
        write!(sql, "; SAVEPOINT _sqlx_savepoint_{n}").ok();
    }
    sql
}

/// Goes back to a host's transaction of this depth. Returns whether the driver counts that
/// depth then.
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

/// Closes a host's connection, so that each further call on it fails and its pool opens
/// another one. To be called while the driver counts a transaction.
async fn close(conn: &mut SqliteConnection) {
    // The driver refuses this inside of a transaction; and its thread ends when nobody
    // listens to an answer about transactions. It may have answered before it was noticed.
    for _ in 0..100 {
        {
            let begin = SqliteTransactionManager::begin(conn, Some("BEGIN".into_sql_str()));
            let mut begin = pin!(begin);
            let _is_ready = begin.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        // A question that reaches the thread while it ends is never answered: the queue
        // outlives its reader. Without an answer in time, the thread has ended.
        if !matches!(rt::timeout(ANSWER, conn.ping()).await, Ok(Ok(()))) {
            return;
        }
    }
    // Then at least nothing is ever committed on it.
    if let Ok(mut handle) = conn.lock_handle().await {
        handle.set_commit_hook(|| false);
    }
}

fn depth(conn: &SqliteConnection) -> usize {
    SqliteTransactionManager::get_transaction_depth(conn)
}

/// Whether the error is `SQLITE_ERROR`, without anything more special to say: what BEGIN and
/// ROLLBACK answer when a transaction is open, or none.
fn is_plain(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "1")
}
