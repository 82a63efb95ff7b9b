//! The operations of the port, each on one connection. Whose connection it is,
//! the store's or the host's, makes no difference here but for how a transaction
//! begins.

mod apply;
mod insert;
mod read;

use sqlx::{Connection, Transaction};

pub(crate) use self::{
    apply::apply,
    insert::{insert, record},
    read::{count, events, get, list, locate},
};
use crate::dialect::Dialect;

/// How an operation makes its several statements one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begin {
    /// In a transaction of its own.
    Own,
    /// Behind a savepoint of the transaction that is already open.
    Nested,
}

impl Begin {
    async fn on<DB: Dialect>(self, conn: &mut DB::Connection) -> sqlx::Result<Transaction<'_, DB>> {
        match self {
            Self::Own => conn.begin_with(DB::BEGIN).await,
            Self::Nested => conn.begin().await,
        }
    }
}
