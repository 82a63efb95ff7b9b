//! MySQL and MariaDB.

mod errors;
mod migrating;
mod text;

use invitation_core::StoreErrorKind;
use sqlx::{
    MySql, MySqlConnection,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
    mysql::{MySqlDatabaseError, MySqlQueryResult},
};
use sqlx_core::transaction::TransactionManager;

use self::text::{OptUtf8, Utf8};
use crate::{Joined, SqlStore, dialect::Dialect, ops, values::PushColumn};

/// A store in a MySQL (8.0.16 or later) or MariaDB (10.5 or later) database, whose
/// character set and collation do not matter. Its tables are kept by `InnoDB`. The tests run on
/// MariaDB, alone and as a Galera cluster.
///
/// Its own transactions are `READ COMMITTED`, whatever the server's default, and never
/// loosen the server's durability. A call waits for a lock that somebody else holds no
/// longer than the server's `innodb_lock_wait_timeout`, 50 seconds by default; set it
/// lower in the pool's `after_connect`.
///
/// A call that is dropped closes its connection, so that nothing of it is left there.
///
/// # Round trips
///
/// These databases give nothing back from an update, and take no two changes as one
/// statement, but several statements as one message. So a redemption is one round trip: one
/// message begins the transaction, makes the guarded update, writes the event, the state,
/// the ledger and the words, asks for the row, and commits. Another one asks why when nothing
/// was done, and a third records the refusal. A code that somebody has reserved a use of
/// takes the long way, statement by statement, as the other changes do. Looking up is one.
///
/// Callers who want the same code while somebody redeems it share the next message: one
/// update counts all of them, and each has its event. All of them are served or none, and
/// then each goes by itself.
///
/// The pool adds one to each call, its own question whether the connection is well, unless
/// `test_before_acquire(false)`. A statement that a connection has not prepared yet costs one
/// more, once.
///
/// In such a message the values are part of the text, in hexadecimal, and sqlx logs the text:
/// at the level `debug`, or `warn` if it was slow. The ids and names of users are in it, the
/// digest of the code, and of a proven address the digest and the domain; never the code or
/// the address.
///
/// # Clusters
///
/// On a Galera cluster, migrate from one process: schema changes on two nodes get in each
/// other's way. What two nodes change at a time is a conflict that is tried again like any
/// other, and reads see what another node committed only with `wsrep_sync_wait`.
pub type MySqlStore = SqlStore<MySql>;

/// A store inside a host's MySQL or MariaDB transaction, of any isolation level.
///
/// A deadlock ends the whole transaction on these servers, the host's work too, and what
/// came after it would commit by itself. So the store ends the connection then: whatever
/// the host still tries on it fails, and nothing of it is kept. A wait for a lock that
/// took too long undoes this call alone.
///
/// A call that is dropped leaves the host's work as it was, and the transaction goes on.
/// After one that carries a code or an address (creating, rotating, binding anew), the next
/// statement fails: the driver cannot go on from where it was interrupted while it prepared
/// a statement.
///
/// On a Galera cluster the server may end a transaction at any time, for what another node
/// committed, and whoever prepares a statement just then does not hear of it: what follows
/// commits by itself. So begin it there with `SET autocommit = 0; START TRANSACTION;
/// SAVEPOINT host`, say `RELEASE SAVEPOINT host` just before the commit, which fails if the
/// transaction is not the same any more, and `SET autocommit = 1` when it is over.
///
/// A redemption is three round trips: a savepoint, one message with all that it changes, and
/// the way back to where that ended, which the next statement on the connection sends ahead.
/// A refusal is four.
pub type MySqlJoined<'t> = Joined<'t, MySql>;

impl Dialect for MySql {
    type Int = i64;
    type OptInt = Option<i64>;
    type Text = Utf8;
    type OptText = OptUtf8;
    type Blob = Vec<u8>;
    type OptBlob = Option<Vec<u8>>;
    type ColumnNumber = usize;
    type Exec<'c> = &'c mut MySqlConnection;

    // What may still be open on the connection is undone: beginning anew would commit it.
    //
    // A cluster ends a transaction that another node gets in the way of at any time, and
    // not every answer says so. Nothing commits by itself then, and the savepoint tells.
    const BEGIN: &'static str = "ROLLBACK; SET autocommit = 0; \
         SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; SAVEPOINT invitation";
    const COMMIT: &'static str = "RELEASE SAVEPOINT invitation; COMMIT; SET autocommit = 1";
    const ROLLBACK: &'static str = "ROLLBACK; SET autocommit = 1";
    const CANCEL_SAFE_SAVEPOINTS: bool = false;
    const CANCEL_SAFE: bool = false;
    const CANCEL_ROLLS_BACK: bool = false;
    const SINGLE_WRITER: bool = false;
    const RETURNING: bool = false;
    const ROW_COMPARISON: bool = false;
    const INDEX_HINTS: bool = true;
    const STATS_SENSITIVE_PLANNER: bool = false;
    const LATERAL_JOINS: bool = false;
    const SAMPLED_COUNTS: bool = false;
    const ON_CONFLICT: bool = false;
    const SKIP_EXISTING_EVENT: &'static str = " ON DUPLICATE KEY UPDATE id = id";
    // Of two nodes of a cluster, only what really changes a row keeps the other from it.
    const LOCK_BY_UPDATE: &'static str = "touched = touched + 1";
    const LOCK_QUOTA: &'static str = " ON DUPLICATE KEY UPDATE counted = counted + 1";
    // MariaDB has no FOR SHARE.
    const FOR_SHARE: &'static str = " LOCK IN SHARE MODE";
    const FOR_UPDATE: &'static str = " FOR UPDATE";
    const WRITING_CTES: bool = false;
    const MULTI_STATEMENTS: bool = true;
    const PUSH_COLUMN: Option<PushColumn<Self>> = None;
    // The protocol counts them in 16 bits. A quarter of that keeps a statement of the
    // longest rows within MariaDB's default max_allowed_packet, 16 MB.
    const MAX_BINDS: usize = 16_384;
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../schema/mysql/0001_init.sql")];

    fn exec(conn: &mut MySqlConnection) -> &mut MySqlConnection {
        conn
    }

    fn affected(result: &MySqlQueryResult) -> u64 {
        // Those that matched: the driver asks for that with CLIENT_FOUND_ROWS.
        result.rows_affected()
    }

    fn locking_read(conn: &MySqlConnection) -> &'static str {
        // A host's transaction may be REPEATABLE READ, where plain questions are answered
        // as of its beginning, but locking ones as of now. The store's own are not.
        let is_hosts = Self::TransactionManager::get_transaction_depth(conn) > 0;
        if is_hosts { Self::FOR_SHARE } else { "" }
    }

    fn classify(error: &dyn DatabaseError) -> StoreErrorKind {
        let error = error.try_downcast_ref::<MySqlDatabaseError>();
        error.map_or(StoreErrorKind::Other, |error| errors::kind(error.number()))
    }

    async fn end_transaction(conn: &mut MySqlConnection) -> bool {
        ops::unprepared::<Self>(conn, Self::ROLLBACK).await.is_ok()
    }

    async fn fail_closed(conn: &mut MySqlConnection, _: usize) -> bool {
        // Goes back to a savepoint set just now, which fails outside of a transaction; and
        // what was queued before, fails here too when its savepoint has gone.
        const IN_TRANSACTION: &str =
            "SAVEPOINT invitation_probe; ROLLBACK TO SAVEPOINT invitation_probe";
        // What was queued may fail on purpose, once.
        for _ in 0..2 {
            if ops::unprepared::<Self>(conn, IN_TRANSACTION).await.is_ok() {
                return true;
            }
        }
        // The answer is that the connection has ended, or nothing at all.
        ops::unprepared::<Self>(conn, "KILL CONNECTION CONNECTION_ID()").await.ok();
        false
    }

    async fn migrate(
        conn: &mut MySqlConnection,
        migrator: &Migrator,
        table: &str,
    ) -> Result<(), MigrateError> {
        migrating::run(conn, migrator, table).await
    }
}
