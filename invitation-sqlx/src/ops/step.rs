//! Several statements as one step, safe to drop at every await.

use sqlx::SqlSafeStr;
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
pub(crate) struct Step<'c, DB: Dialect> {
    conn: &'c mut DB::Connection,
    open: bool,
}

impl<'c, DB: Dialect> Step<'c, DB> {
    pub(crate) async fn begin(conn: &'c mut DB::Connection, begin: Begin) -> sqlx::Result<Self> {
        let statement = match begin {
            Begin::Own => Some(DB::BEGIN.into_sql_str()),
            Begin::Nested if DB::TransactionManager::get_transaction_depth(conn) == 0 => {
                // What would begin here would be a transaction, and commit by itself.
                return Err(sqlx::Error::Configuration(
                    "no transaction was begun through sqlx on the joined connection".into(),
                ));
            }
            Begin::Nested => None,
        };
        DB::TransactionManager::begin(conn, statement).await?;
        Ok(Self { conn, open: true })
    }

    pub(crate) fn conn(&mut self) -> &mut DB::Connection {
        self.conn
    }

    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        DB::TransactionManager::commit(self.conn).await?;
        self.open = false;
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> sqlx::Result<()> {
        DB::TransactionManager::rollback(self.conn).await?;
        self.open = false;
        Ok(())
    }
}

impl<DB: Dialect> Drop for Step<'_, DB> {
    fn drop(&mut self) {
        if self.open {
            // Queued: done before whatever comes next on this connection.
            DB::TransactionManager::start_rollback(self.conn);
        }
    }
}
