//! SQLite: files and in-memory databases.

use std::{borrow::Cow, path::Path, time::Duration};

use invitation_core::{StoreError, StoreErrorKind};
use sqlx::{
    Connection, Sqlite, SqliteConnection,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteQueryResult,
        SqliteSynchronous,
    },
};

use crate::{Joined, SqlStore, dialect::Dialect, error::store_error, values::PushColumn};

/// A store in a SQLite database.
pub type SqliteStore = SqlStore<Sqlite>;

/// A store inside a host's SQLite transaction.
///
/// Begin the transaction with `BEGIN IMMEDIATE`
/// (`pool.begin_with("BEGIN IMMEDIATE")`): SQLite refuses to let a transaction
/// write that has only read so far, when another one wrote in between.
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
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be opened or migrated.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new().connect_with(options).await;
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
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await;
        let store = Self::new(pool.map_err(|error| store_error::<Sqlite>("open", error))?);
        store.migrate().await?;
        Ok(store)
    }
}

impl Dialect for Sqlite {
    type Int = i64;
    type OptInt = Option<i64>;
    type Text = String;
    type OptText = Option<String>;
    type Blob = Vec<u8>;
    type OptBlob = Option<Vec<u8>>;
    type Place = usize;
    type Exec<'c> = &'c mut SqliteConnection;

    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const COUNTS_DROPPED_SAVEPOINTS: bool = true;
    const SURVIVES_DROPS: bool = true;
    const ONE_WRITER: bool = true;
    const RETURNING: bool = true;
    const COMPARES_ROWS: bool = true;
    const NAMES_INDEXES: bool = false;
    const GUESSES: bool = false;
    const LATERAL: bool = false;
    const SAMPLES: bool = false;
    const SKIPS_TAKEN: bool = true;
    const KEEP_KNOWN_EVENT: &'static str = " ON CONFLICT (id) DO NOTHING";
    const TOUCH: &'static str = "held = held";
    // An update of the row that is there locks it; doing nothing would not.
    const LOCK_QUOTA: &'static str = " ON CONFLICT (kind, name) DO UPDATE SET kind = excluded.kind";
    const FOR_SHARE: &'static str = "";
    const FOR_UPDATE: &'static str = "";
    const CHANGES_AS_ONE: bool = false;
    const TAKES_MESSAGES: bool = false;
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

    fn fresh(_: &SqliteConnection) -> &'static str {
        ""
    }

    fn classify(error: &dyn DatabaseError) -> StoreErrorKind {
        // The low byte of an extended result code is the primary one:
        // https://www.sqlite.org/rescode.html
        let code = error.code().and_then(|code: Cow<'_, str>| code.parse::<u32>().ok());
        match code.map(|code| code & 0xff) {
            // BUSY, LOCKED
            Some(5 | 6) => StoreErrorKind::Conflict,
            // READONLY, IOERR, FULL, CANTOPEN
            Some(8 | 10 | 13 | 14) => StoreErrorKind::Unavailable,
            // CORRUPT, NOTADB
            Some(11 | 26) => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Other,
        }
    }

    async fn fail_closed(_: &mut SqliteConnection) {
        // What fails for others' sake fails alone.
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
