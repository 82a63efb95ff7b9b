//! The end of transactions on MySQL and MariaDB.

use invitation_core::StoreError;
use sqlx::{Database, MySql, MySqlConnection};
use sqlx_core::transaction::TransactionManager;

use super::{COMMIT, ROLLBACK};
use crate::{dialect::Transactions, error::commit_error, ops::unprepared};

impl Transactions for MySql {
    fn survives_drop(_: bool) -> bool {
        false
    }

    fn start_rollback(_: &mut MySqlConnection) -> bool {
        false
    }

    async fn end_transaction(conn: &mut MySqlConnection) -> bool {
        // After a failed commit only the driver still counts a transaction, and it would begin no
        // other one.
        unprepared::<Self>(conn, ROLLBACK).await.is_ok()
            && <Self as Database>::TransactionManager::get_transaction_depth(conn) == 0
    }

    async fn commit_shared(
        conn: &mut MySqlConnection,
        operation: &'static str,
    ) -> Result<(), StoreError> {
        let committed = unprepared::<Self>(conn, COMMIT).await;
        committed.map_err(|error| commit_error::<Self>(operation, error))?;
        // Only the driver still counts a transaction. This makes it count none; the ROLLBACK
        // that it sends does nothing.
        <Self as Database>::TransactionManager::start_rollback(conn);
        Ok(())
    }

    async fn fail_closed(conn: &mut MySqlConnection, _: usize) -> bool {
        // Rolls back to a savepoint that was set just before, which fails outside of a
        // transaction. A queued statement fails here too if its savepoint no longer exists.
        const IN_TRANSACTION: &str =
            "SAVEPOINT invitation_probe; ROLLBACK TO SAVEPOINT invitation_probe";
        // A queued statement may fail on purpose, once.
        for _ in 0..2 {
            if unprepared::<Self>(conn, IN_TRANSACTION).await.is_ok() {
                return true;
            }
        }
        // The server answers that the connection has ended, or does not answer.
        unprepared::<Self>(conn, "KILL CONNECTION CONNECTION_ID()").await.ok();
        false
    }
}
