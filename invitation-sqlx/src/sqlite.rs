//! SQLite: files and in-memory databases.

mod file;
mod transaction;

use std::{borrow::Cow, path::Path, time::Duration};

use invitation_core::{StoreError, StoreErrorKind};
use sqlx::{
    Connection, Sqlite, SqliteConnection,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteQueryResult,
        SqliteSynchronous, SqliteTransactionManager,
    },
};
use sqlx_core::transaction::TransactionManager;

use crate::{Joined, SqlStore, dialect::Dialect, error::store_error, values::PushColumn};

/// A store in a SQLite database.
pub type SqliteStore = SqlStore<Sqlite>;

/// A store inside a host's SQLite transaction.
///
/// Begin the transaction with `BEGIN IMMEDIATE`
/// (`pool.begin_with("BEGIN IMMEDIATE")`): SQLite refuses to let a transaction
/// write that has only read so far, when another one wrote in between.
///
/// SQLite may end a whole transaction by itself: when the disk is full, after an I/O error,
/// without memory, after an interrupt. Each call looks whether that has happened, also by a
/// statement of the host's. If it has, the call fails, and so does the host's commit;
/// statements in between are undone, and a rollback leaves the connection fit for use. Where
/// that cannot be arranged, as with `foreign_keys` turned off, the connection is closed.
///
/// If a call is dropped before its end, roll the host's transaction back. Nobody has looked
/// then whether SQLite has ended it; only the next call of the store would notice, and
/// statements of the host before that could commit by themselves.
///
/// For a pool that the host makes itself, see
/// [`may_be_reused`](SqliteStore::may_be_reused).
pub type SqliteJoined<'t> = Joined<'t, Sqlite>;

/// How long a connection waits for the database's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl SqlStore<Sqlite> {
    /// Opens a database file, creates it if there is none, and brings the tables
    /// up to date.
    ///
    /// Write-ahead log, `synchronous = FULL` (an acknowledged redemption survives
    /// a power cut), a busy timeout of 5 seconds.
    ///
    /// On Unix, a new file can be read and written by its owner only (mode 0600), and so can
    /// the files that SQLite keeps beside it (`-wal`, `-shm`). The mode of a file that exists
    /// is left as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be opened or migrated.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        file::create(path).map_err(|error| store_error::<Sqlite>("open", error.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .after_release(|conn, _| Box::pin(Self::may_be_reused(conn)))
            .connect_with(options)
            .await;
        let store = Self::new(pool.map_err(|error| store_error::<Sqlite>("open", error))?);
        store.migrate().await?;
        Ok(store)
    }

    /// A new database in memory, which lives as long as the store.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be made.
    pub async fn in_memory() -> Result<Self, StoreError> {
        // One connection, never given up: the database is the connection's.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|conn, _| Box::pin(Self::may_be_reused(conn)))
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await;
        let store = Self::new(pool.map_err(|error| store_error::<Sqlite>("open", error))?);
        store.migrate().await?;
        Ok(store)
    }
}

impl SqlStore<Sqlite> {
    /// For the `after_release` of a pool that the host makes itself: ends what is left of a
    /// transaction, and returns whether the connection can be used again. The pools of
    /// [`open`](Self::open) and [`in_memory`](Self::in_memory) do this.
    ///
    /// When a disk is full, SQLite may roll back a whole transaction by itself, also one of
    /// the host's. sqlx does not notice, and never begins another transaction on that
    /// connection.
    ///
    /// ```
    /// # async fn host() -> Result<(), invitation_sqlx::sqlx::Error> {
    /// use invitation_sqlx::{SqliteStore, sqlx::sqlite::SqlitePoolOptions};
    ///
    /// let pool = SqlitePoolOptions::new()
    ///     .after_release(|conn, _| Box::pin(SqliteStore::may_be_reused(conn)))
    ///     .connect("sqlite:host.db")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// None; the type is the one that `after_release` wants.
    pub async fn may_be_reused(conn: &mut SqliteConnection) -> sqlx::Result<bool> {
        // The driver counts what is queued, too: most connections come back without it.
        let is_counted = SqliteTransactionManager::get_transaction_depth(conn) > 0;
        Ok(!is_counted || transaction::end(conn).await)
    }
}

impl Dialect for Sqlite {
    type Int = i64;
    type OptInt = Option<i64>;
    type Text = String;
    type OptText = Option<String>;
    type Blob = Vec<u8>;
    type OptBlob = Option<Vec<u8>>;
    type ColumnNumber = usize;
    type Exec<'c> = &'c mut SqliteConnection;

    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const CANCEL_SAFE_SAVEPOINTS: bool = true;
    const CANCEL_SAFE: bool = true;
    const CANCEL_ROLLS_BACK: bool = true;
    const SINGLE_WRITER: bool = true;
    const RETURNING: bool = true;
    const ROW_COMPARISON: bool = true;
    const INDEX_HINTS: bool = false;
    const STATS_SENSITIVE_PLANNER: bool = false;
    const LATERAL_JOINS: bool = false;
    const SAMPLED_COUNTS: bool = false;
    const ON_CONFLICT: bool = true;
    const SKIP_EXISTING_EVENT: &'static str = " ON CONFLICT (id) DO NOTHING";
    const LOCK_BY_UPDATE: &'static str = "held = held";
    // An update of the row that is there locks it; doing nothing would not.
    const LOCK_QUOTA: &'static str = " ON CONFLICT (kind, name) DO UPDATE SET kind = excluded.kind";
    const FOR_SHARE: &'static str = "";
    const FOR_UPDATE: &'static str = "";
    const WRITING_CTES: bool = false;
    const MULTI_STATEMENTS: bool = false;
    const PUSH_COLUMN: Option<PushColumn<Self>> = None;
    // SQLITE_MAX_VARIABLE_NUMBER, since 3.32.
    const MAX_BINDS: usize = 32_766;
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../schema/sqlite/0001_init.sql")];

    fn exec(conn: &mut SqliteConnection) -> &mut SqliteConnection {
        conn
    }

    fn affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    fn locking_read(_: &SqliteConnection) -> &'static str {
        ""
    }

    fn classify(error: &dyn DatabaseError) -> StoreErrorKind {
        // The low byte of an extended result code is the primary one:
        // https://www.sqlite.org/rescode.html
        let code = error.code().and_then(|code: Cow<'_, str>| code.parse::<u32>().ok());
        match code.map(|code| code & 0xff) {
            // BUSY, LOCKED
            Some(5 | 6) => StoreErrorKind::Conflict,
            // NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL
            Some(7..=10 | 13..=15) => StoreErrorKind::Unavailable,
            // CORRUPT, NOTADB
            Some(11 | 26) => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Other,
        }
    }

    async fn end_transaction(conn: &mut SqliteConnection) -> bool {
        transaction::end(conn).await
    }

    async fn host_depth(conn: &mut SqliteConnection) -> sqlx::Result<usize> {
        transaction::host_depth(conn).await
    }

    async fn fail_closed(conn: &mut SqliteConnection, depth: usize) -> bool {
        transaction::fail_closed(conn, depth).await
    }

    async fn migrate(
        conn: &mut SqliteConnection,
        migrator: &Migrator,
        _: &str,
    ) -> Result<(), MigrateError> {
        // One transaction around all of it: whoever comes second waits for the
        // lock, and then finds everything done.
        let mut tx = conn.begin_with(Self::BEGIN).await?;
        // What `run` calls once it has a connection; its own bounds are not general
        // enough for a future that must be `Send`.
        migrator.run_direct(None, &mut *tx, false).await?;
        tx.commit().await?;
        Ok(())
    }
}
