//! A connection of the store's pool, for one call.

use std::ops::{Deref, DerefMut};

use invitation_core::StoreError;
use sqlx::pool::PoolConnection;

use crate::{dialect::Dialect, ops};

/// A connection on loan. Where connections do not survive that a call is dropped, it goes
/// back to its pool only once the call has come to its end, with nothing left open.
pub(crate) struct Lent<DB: Dialect> {
    conn: PoolConnection<DB>,
    settled: bool,
}

impl<DB: Dialect> Lent<DB> {
    pub(crate) fn new(conn: PoolConnection<DB>) -> Self {
        Self { conn, settled: DB::SURVIVES_DROPS }
    }

    /// The call has come to this end.
    pub(crate) async fn settle<T>(
        &mut self,
        answer: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // What failed may have left its transaction open.
        self.settled = DB::SURVIVES_DROPS
            || answer.is_ok()
            || ops::plainly::<DB>(&mut self.conn, DB::ROLLBACK).await.is_ok();
        answer
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
        self.settled = DB::SURVIVES_DROPS;
        &mut self.conn
    }
}

impl<DB: Dialect> Drop for Lent<DB> {
    fn drop(&mut self) {
        if !self.settled {
            self.conn.close_on_drop();
        }
    }
}
