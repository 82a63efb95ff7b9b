//! The pools of connections to the SQL databases, with the settings that the library's store needs.

use std::{
    fs::OpenOptions,
    io,
    path::Path,
    str::FromStr,
    time::{Duration, Instant},
};

use invitation::{
    SqliteStore,
    sql::{
        is_conflict,
        sqlx::{
            self, Executor, Pool,
            mysql::{MySql, MySqlConnectOptions},
            pool::PoolOptions,
            postgres::{PgConnectOptions, Postgres},
            sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
        },
    },
};

/// The timeout for a connection from the pool, and for connecting to a database at the
/// start.
const ACQUIRE: Duration = Duration::from_secs(5);

/// The pause before a SQLite file that is locked is opened again.
const PAUSE: Duration = Duration::from_millis(20);

/// Opens a SQLite file, or creates it.
pub(crate) async fn sqlite_file(options: SqliteConnectOptions) -> sqlx::Result<Pool<Sqlite>> {
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(ACQUIRE);
    create(options.get_filename())?;
    let begun = Instant::now();
    loop {
        // Processes that create the file together also turn on its write-ahead log together.
        // For that, SQLite does not wait for the other's lock.
        match sqlite_options().connect_with(options.clone()).await {
            Err(error) if is_conflict::<Sqlite>(&error) && begun.elapsed() < ACQUIRE => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

/// Returns the options of each pool on SQLite. After a full disk, sqlx may keep a connection that
/// begins no transaction any more: such a one is not reused.
fn sqlite_options() -> PoolOptions<Sqlite> {
    PoolOptions::new()
        .acquire_timeout(ACQUIRE)
        .after_release(|conn, _| Box::pin(SqliteStore::may_be_reused(conn)))
}

/// Creates the file of a database, if it does not exist. Only its owner can read and write it, and
/// SQLite gives the files beside it the same mode.
///
/// An existing file is not even opened. Closing it again would release all locks that the process
/// holds on it (<https://www.sqlite.org/howtocorrupt.html>).
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens a SQLite database in memory. It belongs to one connection and ends with it.
pub(crate) async fn sqlite_in_memory() -> sqlx::Result<Pool<Sqlite>> {
    let pool = sqlite_options().max_connections(1).idle_timeout(None).max_lifetime(None);
    pool.connect_with(SqliteConnectOptions::new().in_memory(true)).await
}

pub(crate) async fn postgres(url: &str) -> sqlx::Result<Pool<Postgres>> {
    // Waits for a lock are bounded, and so is the time of a statement on the server. The store
    // bounds the wait for an answer.
    let options = PgConnectOptions::from_str(url)?
        .options([("lock_timeout", "5s"), ("statement_timeout", "15s")]);
    PoolOptions::new().acquire_timeout(ACQUIRE).connect_with(options).await
}

pub(crate) async fn mysql(url: &str) -> sqlx::Result<Pool<MySql>> {
    let options = MySqlConnectOptions::from_str(url)?;
    // Waits for the lock of a row and of a table are bounded.
    let pool = PoolOptions::<MySql>::new().acquire_timeout(ACQUIRE).after_connect(|conn, _| {
        Box::pin(async move {
            let limits = "SET SESSION innodb_lock_wait_timeout = 5, lock_wait_timeout = 5";
            conn.execute(limits).await.map(drop)
        })
    });
    pool.connect_with(options).await
}
