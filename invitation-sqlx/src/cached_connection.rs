//! A connection of the store's pool, for one call or for several consecutive calls.

use std::{
    ops::{Deref, DerefMut},
    time::Instant,
};

use invitation_core::{StoreError, StoreErrorKind};
use sqlx::pool::PoolConnection;
use sqlx_core::transaction::TransactionManager;

use crate::dialect::Dialect;

/// A connection that the store has acquired from its pool. It returns to the pool only when
/// its transaction is known to have ended; otherwise dropping it closes it.
pub(crate) struct CachedConnection<DB: Dialect> {
    conn: PoolConnection<DB>,
    acquired_at: Instant,
    only_reads: bool,
    state: ConnectionState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ConnectionState {
    /// No transaction is open.
    Reusable,
    /// A call uses the connection, or was dropped while it did.
    InUse,
    /// The connection's transaction could not be ended.
    Broken,
}

impl<DB: Dialect> CachedConnection<DB> {
    /// Takes over a connection from the pool. Ends a transaction that is open on it, and
    /// returns `None` if that fails. SQLite may have ended a host's transaction without the
    /// driver's knowledge, and the driver then begins no other one.
    pub(crate) async fn new(conn: PoolConnection<DB>) -> Option<Self> {
        let (acquired_at, state) = (Instant::now(), ConnectionState::Reusable);
        let mut acquired = Self { conn, acquired_at, only_reads: false, state };
        if DB::TransactionManager::get_transaction_depth(&acquired.conn) > 0 {
            acquired.end().await;
        }
        acquired.is_reusable().then_some(acquired)
    }

    /// Marks the connection as used by a call that begins no transaction.
    pub(crate) fn reading_only(mut self) -> Self {
        self.only_reads = true;
        self
    }

    /// Ends a call that had this result. After an error, also ends the connection's
    /// transaction.
    pub(crate) async fn finish<T>(
        &mut self,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match result {
            Ok(_) => self.state = ConnectionState::Reusable,
            // The call may have left its transaction open, or the database may have ended it.
            Err(_) => self.end().await,
        }
        result
    }

    /// Closes the connection when it is dropped, because the database has not answered a call on
    /// it. Returns the error of the call.
    pub(crate) fn give_up(&mut self, kind: StoreErrorKind, operation: &'static str) -> StoreError {
        self.state = ConnectionState::Broken;
        StoreError::new(kind, operation).because("the database did not answer in time")
    }

    /// Makes the driver roll back the transaction before the connection is used again, if that is
    /// safe.
    pub(crate) fn start_rollback(&mut self) {
        if DB::start_rollback(&mut self.conn) {
            self.state = ConnectionState::Reusable;
        }
    }

    /// Ends the connection's transaction, if one is open. The connection is then reusable, or it is
    /// closed when it is dropped.
    pub(crate) async fn end(&mut self) {
        // This future may be dropped while it waits, so the state is set before.
        self.state = ConnectionState::InUse;
        let has_ended = DB::end_transaction(&mut self.conn).await;
        self.state = if has_ended { ConnectionState::Reusable } else { ConnectionState::Broken };
    }

    /// Whether no transaction is open, so that the connection can serve another call.
    pub(crate) fn is_reusable(&self) -> bool {
        self.state == ConnectionState::Reusable
    }

    /// Returns when the pool handed out the connection.
    pub(crate) fn acquired_at(&self) -> Instant {
        self.acquired_at
    }
}

impl<DB: Dialect> Deref for CachedConnection<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.conn
    }
}

impl<DB: Dialect> DerefMut for CachedConnection<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        // The caller may begin a transaction, so the connection counts as in use until the
        // call is finished.
        self.state = ConnectionState::InUse;
        &mut self.conn
    }
}

impl<DB: Dialect> Drop for CachedConnection<DB> {
    fn drop(&mut self) {
        match self.state {
            ConnectionState::Reusable => {}
            ConnectionState::InUse if DB::survives_drop(self.only_reads) => {}
            ConnectionState::InUse | ConnectionState::Broken => self.conn.close_on_drop(),
        }
    }
}
