//! The SQLite dialect, for files and in-memory databases.

mod batch;
mod file;
mod transaction;

use std::{borrow::Cow, path::Path, time::Duration};

use invitation_core::{StoreError, StoreErrorKind, admit::Attempts};
use sqlx::{
    Connection, QueryBuilder, Sqlite, SqliteConnection,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteQueryResult,
        SqliteSynchronous, SqliteTransactionManager,
    },
};
use sqlx_core::transaction::TransactionManager;

use crate::{
    Joined, SqlAttempts, SqlStore,
    dialect::{Dialect, FeedRead, Migrate, Steps, Syntax},
    error::store_error,
    names::names_a_table,
};

/// A store in a SQLite database.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_sqlx::SqliteStore; }
/// use invitation::{Draft, Invitations, SqliteStore};
/// # use invitation::{Actor, Division, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("invitations.db");
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let store = SqliteStore::open(&file).await?; // creates the file and its tables
/// let created = Invitations::new(store).create(&manager, Draft::new()).await?;
///
/// // After a restart of the host, the invitation is there.
/// let invitations = Invitations::new(SqliteStore::open(&file).await?);
/// let row = invitations.get(&manager, created.invitation().id()).await?;
/// assert_eq!(row.invitation(), created.invitation());
/// # Ok(())
/// # }
/// ```
pub type SqliteStore = SqlStore<Sqlite>;

/// A store inside a host's SQLite transaction.
///
/// Begin the transaction with `BEGIN IMMEDIATE` (`pool.begin_with("BEGIN IMMEDIATE")`). SQLite
/// does not let a transaction write that has only read so far, if another one wrote meanwhile.
///
/// SQLite may end a whole transaction by itself: when the disk is full, after an I/O error,
/// without memory, or after an interrupt. Each call checks whether that has happened, also
/// because of the host's own statements. If it has:
///
/// - The call and the host's commit fail, and later statements are undone.
/// - A rollback makes the connection usable again.
/// - If the store cannot make the commit fail, as with `foreign_keys` turned off, it closes the
///   connection.
///
/// If a call is dropped before its end, roll back the host's transaction. SQLite may have ended
/// it, and only the next call of the store would notice. Statements of the host before that call
/// could commit by themselves.
///
/// If the host creates the pool itself, see [`may_be_reused`](SqliteStore::may_be_reused).
pub type SqliteJoined<'t> = Joined<'t, Sqlite>;

/// The time for which a connection waits for the database's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl SqlStore<Sqlite> {
    /// Opens a database file, or creates it, and brings the tables up to date.
    ///
    /// The database uses a write-ahead log, `synchronous = FULL` and a busy timeout of 5 seconds.
    /// An acknowledged redemption survives a power cut.
    ///
    /// On Unix, only the owner can read and write a new file (mode 0600), and the files that
    /// SQLite keeps beside it (`-wal`, `-shm`). The mode of an existing file stays as it is.
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
        let pool =
            SqlitePoolOptions::new().after_release(|conn, _| Box::pin(Self::may_be_reused(conn)));
        let mut attempts = SqlAttempts::with_random_pauses();
        loop {
            // Processes that create the file together also turn on its write-ahead log together.
            // For that, SQLite does not wait for the other's lock.
            match Self::opened(pool.clone().connect_with(options.clone())).await {
                Err(error) if attempts.again_after(&error).await => {}
                done => return done,
            }
        }
    }

    /// Opens the database of this URL: `sqlite:FILE` as [`open`](Self::open) does, or
    /// `sqlite::memory:` as [`in_memory`](Self::in_memory) does.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the URL has another form, or the database cannot be opened or
    /// migrated.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        match url.strip_prefix("sqlite:") {
            Some(":memory:") => Self::in_memory().await,
            Some(file) if !file.is_empty() && !file.contains('?') => {
                Self::open(file.strip_prefix("//").unwrap_or(file)).await
            }
            _ => Err(StoreError::new(StoreErrorKind::Other, "open")
                .because("the URL must be sqlite:FILE or sqlite::memory:, without parameters")),
        }
    }

    /// Creates a database in memory, which lives as long as the store.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be created.
    pub async fn in_memory() -> Result<Self, StoreError> {
        // The pool has one connection and never closes it, because the database belongs to the
        // connection.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|conn, _| Box::pin(Self::may_be_reused(conn)));
        Self::opened(pool.connect_with(SqliteConnectOptions::new().in_memory(true))).await
    }
}

impl SqlStore<Sqlite> {
    /// Ends a transaction that is still open, and returns whether the connection can be reused.
    ///
    /// Call it in `after_release` of a pool that the host creates itself. The pools of
    /// [`open`](Self::open) and [`in_memory`](Self::in_memory) call it already.
    ///
    /// When a disk is full, SQLite may roll back a whole transaction by itself, also one of the
    /// host's. sqlx does not notice that, and then never begins another transaction on that
    /// connection.
    ///
    /// ```
    /// # mod invitation { pub use invitation_sqlx::{self as sql, SqliteStore}; }
    /// # async fn host() -> Result<(), invitation::sql::sqlx::Error> {
    /// use invitation::{SqliteStore, sql::sqlx::sqlite::SqlitePoolOptions};
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
    /// This function never fails. Its type is the one that `after_release` requires.
    pub async fn may_be_reused(conn: &mut SqliteConnection) -> sqlx::Result<bool> {
        // The driver also counts a transaction whose rollback is queued. Most connections return
        // with a count of zero and need no statement.
        let is_counted = SqliteTransactionManager::get_transaction_depth(conn) > 0;
        Ok(!is_counted || transaction::end(conn).await)
    }
}

impl Dialect for Sqlite {
    type Int = i64;
    type OptInt = Option<i64>;
    type Text = String;
    type OptText = Option<String>;
    type OptBlob = Option<Vec<u8>>;
    type ColumnNumber = usize;
    type Exec<'c> = &'c mut SqliteConnection;
    type Sink = QueryBuilder<Self>;
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    // The limit is SQLITE_MAX_VARIABLE_NUMBER, since SQLite 3.32.
    const MAX_BINDS: usize = 32_766;

    fn exec(conn: &mut SqliteConnection) -> &mut SqliteConnection {
        conn
    }

    fn affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    fn classify(error: &dyn DatabaseError) -> StoreErrorKind {
        // The low byte of an extended result code is the primary code:
        // https://www.sqlite.org/rescode.html
        let code = error.code().and_then(|code: Cow<'_, str>| code.parse::<u32>().ok());
        match code.map(|code| code & 0xff) {
            // BUSY, LOCKED
            Some(5 | 6) => StoreErrorKind::Conflict,
            // NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL
            Some(7..=10 | 13..=15) => StoreErrorKind::Unavailable,
            // CORRUPT, NOTADB
            Some(11 | 26) => StoreErrorKind::Corrupt,
            // ERROR: only its message tells the cause
            Some(1)
                if error.message().starts_with("no such table: ")
                    && names_a_table(error.message()) =>
            {
                StoreErrorKind::NotMigrated
            }
            _ => StoreErrorKind::Other,
        }
    }
}

impl Syntax for Sqlite {
    const FOR_SHARE: &'static str = "";
    const FOR_UPDATE: &'static str = "";
}

impl Steps for Sqlite {}

impl FeedRead for Sqlite {}

impl Migrate for Sqlite {
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../schema/sqlite/0001_init.sql")];

    async fn migrate(
        conn: &mut SqliteConnection,
        migrator: &Migrator,
        _: &str,
    ) -> Result<(), MigrateError> {
        // One transaction contains all migrations. A second process waits for the lock and then
        // finds all migrations done.
        let mut tx = conn.begin_with(Self::BEGIN).await?;
        // `run` calls this function too. The bounds of `run` are not general enough for a future
        // that must be `Send`.
        migrator.run_direct(None, &mut *tx, false).await?;
        tx.commit().await?;
        Ok(())
    }
}
