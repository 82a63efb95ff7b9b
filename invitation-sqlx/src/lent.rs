//! A connection of the store's pool, for one call or for some that follow each other.

use std::{
    ops::{Deref, DerefMut},
    time::Instant,
};

use invitation_core::StoreError;
use sqlx::pool::PoolConnection;

use crate::{dialect::Dialect, ops};

/// A connection on loan. Where connections do not survive that a call is dropped, it goes
/// back to its pool only once the call has come to its end, with nothing left open.
pub(crate) struct Lent<DB: Dialect> {
    conn: PoolConnection<DB>,
    since: Instant,
    /// Whether its last call has come to its end, with nothing left open.
    is_settled: bool,
}

impl<DB: Dialect> Lent<DB> {
    pub(crate) fn new(conn: PoolConnection<DB>) -> Self {
        Self { conn, since: Instant::now(), is_settled: false }
    }

    /// The call has come to this end.
    pub(crate) async fn settle<T>(
        &mut self,
        answer: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // What failed may have left its transaction open.
        self.is_settled = answer.is_ok()
            || (!DB::SURVIVES_DROPS
                && ops::plainly::<DB>(&mut self.conn, DB::ROLLBACK).await.is_ok());
        answer
    }

    /// Whether it can serve another call as it is, without its pool's having looked at it.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled
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
        self.is_settled = false;
        &mut self.conn
    }
}

impl<DB: Dialect> Drop for Lent<DB> {
    fn drop(&mut self) {
        if !self.is_settled && !DB::SURVIVES_DROPS {
            self.conn.close_on_drop();
        }
    }
}
