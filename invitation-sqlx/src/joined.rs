//! The store inside a host's own transaction.

use std::fmt;

use async_lock::Mutex;
use invitation_core::{StoreError, StoreErrorKind};
use sqlx::Transaction;
use sqlx_core::transaction::TransactionManager;

use crate::{
    SqlStore,
    dialect::Dialect,
    error::store_error,
    names::Names,
    ops::{Begin, Session},
};

/// A store that works inside a transaction of the host. Its changes commit or roll back together
/// with the host's own work.
///
/// - The store never commits or rolls back the host's transaction. Each step runs behind a
///   savepoint.
/// - A refusal leaves the transaction usable.
/// - The store does not write the evidence of a refusal here, because the host may roll back. The
///   error carries it ([`Refused`](invitation_core::Refused)), and `Invitations::record`, on a
///   service outside of the transaction, writes it.
/// - It has no [feed](invitation_core::feed). The positions of the transaction's own events are
///   known after its commit, and the cursor of a consumer must not depend on a host's rollback.
///   Read the feed of the [`SqlStore`].
/// - Nothing is retried. A conflict with concurrent work is an error whose
///   [`is_retryable`](StoreError::is_retryable) is true. The host repeats its whole work in a new
///   transaction. Never repeat the failed call alone.
/// - An error may have ended the transaction. The database ends it by itself when its disk is
///   full (SQLite) or after a deadlock (MySQL). Then
///   [`transaction_ended`](StoreError::transaction_ended) is true, further calls fail, and the
///   host's commit fails. The database keeps neither the host's earlier nor its later work. Where
///   the database would commit later statements by themselves, the store prevents that. On MySQL
///   and PostgreSQL, and in the worst case on SQLite, it ends the connection.
/// - On PostgreSQL and MySQL, a host that ignores the error sees one case differently. If the
///   connection breaks while the call sets its savepoint, sqlx counts no transaction any more.
///   The host's commit then sends nothing and returns `Ok`, and the database keeps nothing. So
///   after an error with `transaction_ended`, roll back, and never commit.
///
/// The host must have begun the transaction through sqlx (`pool.begin()` and similar functions),
/// which counts the nesting.
///
/// ```
/// # mod invitation {
/// #     pub use invitation_core::*;
/// #     pub use invitation_sqlx::{self as sql, SqliteStore};
/// # }
/// # use invitation::{Actor, Division, Draft, Invitations, Redeemer, Role, UserId, Username};
/// use invitation::{SqliteStore, sql::sqlx};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = SqliteStore::in_memory().await?;
/// # let pool = store.pool().clone();
/// # let invitations = Invitations::new(store);
/// # let boss = Actor::in_division(UserId::new("u-1")?, Role::new("manager")?, Division::new("sales")?);
/// # let code = invitations.create(&boss, Draft::new()).await?.code().reveal();
/// # sqlx::raw_sql("CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT)").execute(&pool).await?;
/// let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
///
/// let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
/// let redeemed = invitations.on(invitations.store().join(&mut tx)).redeem(&code, &anna).await?;
/// sqlx::query("INSERT INTO users (name, role) VALUES (?, ?)")
///     .bind(redeemed.username().as_str())
///     .bind(redeemed.role().as_str())
///     .execute(&mut *tx)
///     .await?;
/// tx.commit().await?; // the account and the redemption, or neither
/// # Ok(())
/// # }
/// ```
pub struct Joined<'t, DB: Dialect> {
    pub(crate) host: Mutex<HostConnection<'t, DB>>,
    pub(crate) names: Names,
}

/// The host's connection, with its transaction.
pub(crate) struct HostConnection<'t, DB: Dialect> {
    conn: &'t mut DB::Connection,
    /// Whether the transaction can no longer be committed.
    has_ended: bool,
}

impl<DB: Dialect> HostConnection<'_, DB> {
    pub(crate) fn session<'c>(
        &'c mut self,
        names: &'c Names,
        operation: &'static str,
    ) -> Session<'c, DB> {
        Session::new(self.conn, names, Begin::Nested, operation)
    }

    /// Begins a call. Returns the depth of the transaction, if it can still be committed.
    pub(crate) async fn enter(&mut self, operation: &'static str) -> Result<usize, StoreError> {
        if self.has_ended {
            let error = StoreError::new(StoreErrorKind::Unavailable, operation);
            return Err(error.ending_transaction());
        }
        match DB::host_depth(self.conn).await {
            Ok(depth) => Ok(depth),
            Err(error) => {
                let depth = DB::TransactionManager::get_transaction_depth(self.conn);
                let failed = Err(store_error::<DB>(operation, error));
                self.leave(depth, failed).await
            }
        }
    }

    /// Ends a call that had this result. If the call failed and the database has ended the
    /// transaction, later work on the connection cannot be committed.
    pub(crate) async fn leave<T>(
        &mut self,
        depth: usize,
        answer: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Err(error) = answer else { return answer };
        if depth == 0 || DB::fail_closed(self.conn, depth).await {
            return Err(error);
        }
        self.has_ended = true;
        // Nothing was committed, and nothing will be, so the outcome is known.
        Err(match error.kind() {
            StoreErrorKind::OutcomeUnknown => {
                let operation = error.operation();
                StoreError::new(StoreErrorKind::Unavailable, operation).because(error)
            }
            _ => error,
        }
        .ending_transaction())
    }
}

/// Runs a call inside the host's transaction, unless that has ended. This is a macro, because the
/// compiler cannot prove that the future of a function over an async closure is `Send`.
macro_rules! in_host {
    // Nothing is repeated here, so the id that spreads the pauses between retries is not needed.
    ($joined:expr, $operation:literal, $id:expr, $on:ident => $work:expr) => {{
        let _ = $id;
        $crate::joined::in_host!($joined, $operation, $on => $work)
    }};
    ($joined:expr, $operation:literal, $on:ident => $work:expr) => {{
        let mut host = $joined.host.lock().await;
        match host.enter($operation).await {
            Ok(depth) => {
                let answer = {
                    let $on = &mut host.session(&$joined.names, $operation);
                    $work.await
                };
                host.leave(depth, answer).await
            }
            Err(error) => Err(error),
        }
    }};
}

pub(crate) use in_host;

impl<'t, DB: Dialect> Joined<'t, DB> {
    pub(crate) fn new(conn: &'t mut DB::Connection, names: Names) -> Self {
        Self { host: Mutex::new(HostConnection { conn, has_ended: false }), names }
    }
}

impl<DB: Dialect> SqlStore<DB> {
    /// Returns this store inside a transaction of the host. It uses the same tables.
    ///
    /// For a registration, [`Invitations::admit`](invitation_core::Invitations::admit) owns the
    /// transaction, and so leaves the host less to get right.
    #[must_use]
    pub fn join<'t>(&self, tx: &'t mut Transaction<'_, DB>) -> Joined<'t, DB> {
        self.join_connection(&mut **tx)
    }

    /// Returns this store inside the transaction that is open on the host's connection. The host
    /// must have begun it through sqlx. Without a transaction, every call that would change
    /// something is an error.
    #[must_use]
    pub fn join_connection<'t>(&self, conn: &'t mut DB::Connection) -> Joined<'t, DB> {
        Joined::new(conn, self.names().clone())
    }
}

impl<DB: Dialect> fmt::Debug for Joined<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined")
            .field("database", &DB::NAME)
            .field("prefix", &self.names.prefix())
            .finish_non_exhaustive()
    }
}
