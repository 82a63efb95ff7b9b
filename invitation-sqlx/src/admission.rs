//! A transaction of the store in which the host writes too.

use std::fmt;

use invitation_core::{
    StoreError,
    admit::{HostTransaction, Transactional},
};
use sqlx::SqlSafeStr;
use sqlx_core::transaction::TransactionManager;

use crate::{
    Joined, SqlAttempts, SqlStore, cached_connection::CachedConnection, dialect::Dialect,
    error::store_error, names::Names,
};

/// The name of the operation in errors.
const OPERATION: &str = "admit";

/// A transaction of an [`SqlStore`] that the store shares with the host.
///
/// Dropping it rolls it back. On MySQL that closes the connection, because the driver does
/// not survive every interrupted statement.
pub struct SqlTransaction<DB: Dialect> {
    conn: CachedConnection<DB>,
    names: Names,
    is_open: bool,
}

impl<DB: Dialect> Transactional for SqlStore<DB> {
    type Transaction = SqlTransaction<DB>;
    type Attempts = SqlAttempts;

    async fn begin(&self) -> Result<SqlTransaction<DB>, StoreError> {
        let mut conn = self.connections.acquire(OPERATION).await?;
        let begun = match self.connections.turn(&mut conn, OPERATION).await {
            Ok(_turn) => {
                let sql = Some(DB::BEGIN.into_sql_str());
                let begun = DB::TransactionManager::begin(&mut conn, sql).await;
                begun.map_err(|error| store_error::<DB>(OPERATION, error))
            }
            Err(error) => Err(error),
        };
        if begun.is_err() {
            conn.finish(begun).await?;
        }
        Ok(SqlTransaction { conn, names: self.names().clone(), is_open: true })
    }

    fn attempts(&self) -> SqlAttempts {
        SqlAttempts::with_random_pauses()
    }
}

impl<DB: Dialect> HostTransaction for SqlTransaction<DB> {
    type Connection = DB::Connection;
    type Joined<'t> = Joined<'t, DB>;

    fn connection(&mut self) -> &mut DB::Connection {
        &mut self.conn
    }

    fn join(&mut self) -> Joined<'_, DB> {
        Joined::new(&mut *self.conn, self.names.clone())
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        let committed = DB::commit_shared(&mut self.conn, OPERATION).await;
        self.is_open = false;
        self.conn.finish(committed).await
    }

    async fn rollback(mut self) {
        DB::TransactionManager::rollback(&mut self.conn).await.ok();
        self.is_open = false;
        // If the rollback failed, this one fails too. The connection is then closed, and the
        // database rolls back.
        self.conn.end().await;
    }
}

impl<DB: Dialect> Drop for SqlTransaction<DB> {
    fn drop(&mut self) {
        if self.is_open {
            self.conn.start_rollback();
        }
    }
}

impl<DB: Dialect> fmt::Debug for SqlTransaction<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlTransaction").field("database", &DB::NAME).finish_non_exhaustive()
    }
}
