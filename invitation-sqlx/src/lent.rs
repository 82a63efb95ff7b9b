//! A connection of the store's pool, for one call or for some that follow each other.

use std::{
    ops::{Deref, DerefMut},
    time::Instant,
};

use invitation_core::StoreError;
use sqlx::pool::PoolConnection;
use sqlx_core::transaction::TransactionManager;

use crate::dialect::Dialect;

/// A connection on loan. It goes back to its pool only when its transaction is known to
/// have ended; otherwise it is closed.
pub(crate) struct Lent<DB: Dialect> {
    conn: PoolConnection<DB>,
    since: Instant,
    only_reads: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No transaction is open.
    Settled,
    /// A call uses it, or was dropped while it did.
    InUse,
    /// Its transaction could not be ended.
    Broken,
}

impl<DB: Dialect> Lent<DB> {
    /// Takes a connection from the pool, if no transaction is open on it or that one can be
    /// ended. SQLite may have ended a host's transaction without the driver's knowledge, and
    /// the driver then begins no other one.
    pub(crate) async fn new(conn: PoolConnection<DB>) -> Option<Self> {
        let state = State::Settled;
        let mut lent = Self { conn, since: Instant::now(), only_reads: false, state };
        if DB::TransactionManager::get_transaction_depth(&lent.conn) > 0 {
            lent.end().await;
        }
        lent.is_settled().then_some(lent)
    }

    /// The same, for a call that begins no transaction.
    pub(crate) fn reading_only(mut self) -> Self {
        self.only_reads = true;
        self
    }

    /// The call has come to this end.
    pub(crate) async fn settle<T>(
        &mut self,
        answer: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match answer {
            Ok(_) => self.state = State::Settled,
            // It may have left its transaction open, or the database has ended it.
            Err(_) => self.end().await,
        }
        answer
    }

    async fn end(&mut self) {
        // This may be dropped while it waits.
        self.state = State::InUse;
        let has_ended = DB::end_transaction(&mut self.conn).await;
        self.state = if has_ended { State::Settled } else { State::Broken };
    }

    /// Whether no transaction is open on it, so that it can serve another call as it is.
    pub(crate) fn is_settled(&self) -> bool {
        self.state == State::Settled
    }

    /// When the pool gave it out.
    pub(crate) fn lent_since(&self) -> Instant {
        self.since
    }
}

impl<DB: Dialect> Deref for Lent<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.conn
    }
}

impl<DB: Dialect> DerefMut for Lent<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        // Whatever it is used for next has its own end to come to.
        self.state = State::InUse;
        &mut self.conn
    }
}

impl<DB: Dialect> Drop for Lent<DB> {
    fn drop(&mut self) {
        let is_undone = DB::UNDOES_DROPS || (DB::SURVIVES_DROPS && self.only_reads);
        match self.state {
            State::Settled => {}
            State::InUse if is_undone => {}
            State::InUse | State::Broken => self.conn.close_on_drop(),
        }
    }
}
