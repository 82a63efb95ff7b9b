//! The end of transactions on PostgreSQL.

use invitation_core::StoreError;
use sqlx::{Database, PgConnection, Postgres};
use sqlx_core::transaction::TransactionManager;

use crate::{
    dialect::Transactions,
    error::{commit_error, store_error},
    ops::unprepared,
};

impl Transactions for Postgres {
    fn survives_drop(only_reads: bool) -> bool {
        // A transaction whose call is dropped before the server has confirmed its beginning stays
        // open.
        only_reads
    }

    async fn end_transaction(conn: &mut PgConnection) -> bool {
        // Without an open transaction, ROLLBACK does nothing but warn.
        unprepared::<Self>(conn, "ROLLBACK").await.is_ok()
            && <Self as Database>::TransactionManager::get_transaction_depth(conn) == 0
    }

    async fn commit_shared(
        conn: &mut PgConnection,
        operation: &'static str,
    ) -> Result<(), StoreError> {
        // After a failed statement, COMMIT rolls back and is no error. Any other statement is.
        unprepared::<Self>(conn, "SELECT 1")
            .await
            .map_err(|error| store_error::<Self>(operation, error).ending_transaction())?;
        let committed = <Self as Database>::TransactionManager::commit(conn).await;
        committed.map_err(|error| commit_error::<Self>(operation, error))
    }

    async fn fail_closed(conn: &mut PgConnection, depth: usize) -> bool {
        // When a savepoint cannot be set, the driver rolls back one level of the host's own.
        let is_undone = <Self as Database>::TransactionManager::get_transaction_depth(conn) < depth;
        // A failed transaction refuses every statement until it rolls back, at least to a
        // savepoint.
        if !is_undone && unprepared::<Self>(conn, "SELECT 1").await.is_ok() {
            return true;
        }
        // If the driver counts no transaction, its commit does nothing and succeeds. So the
        // driver's count is raised to the host's depth again.
        while <Self as Database>::TransactionManager::get_transaction_depth(conn) < depth {
            if <Self as Database>::TransactionManager::begin(conn, None).await.is_err() {
                break;
            }
        }
        // The server answers the commit of a failed transaction by rolling back, without an
        // error. The driver does not check that answer, so the host's commit would look like
        // success.
        if is_undone || depth == 1 {
            const END: &str = "ROLLBACK; SELECT pg_terminate_backend(pg_backend_pid())";
            // This always fails, because the statement ends the connection.
            unprepared::<Self>(conn, END).await.ok();
        }
        false
    }
}
