//! The pools of connections to the SQL databases, with the settings that the library's store needs.

use std::{str::FromStr, time::Duration};

use invitation::sql::sqlx::{
    self, Executor, Pool,
    mysql::{MySql, MySqlConnectOptions},
    pool::PoolOptions,
    postgres::{PgConnectOptions, Postgres},
    sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// The timeout for a connection from the pool, and for connecting to a database at the
/// start.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Opens a SQLite file.
pub(crate) async fn sqlite_file(options: SqliteConnectOptions) -> sqlx::Result<Pool<Sqlite>> {
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(ACQUIRE);
    PoolOptions::new().acquire_timeout(ACQUIRE).connect_with(options).await
}

/// Opens a SQLite database in memory. It belongs to one connection and ends with it.
pub(crate) async fn sqlite_in_memory() -> sqlx::Result<Pool<Sqlite>> {
    let pool = PoolOptions::new().acquire_timeout(ACQUIRE);
    let pool = pool.max_connections(1).idle_timeout(None).max_lifetime(None);
    pool.connect_with(SqliteConnectOptions::new().in_memory(true)).await
}

pub(crate) async fn postgres(url: &str) -> sqlx::Result<Pool<Postgres>> {
    // Waits for a lock and for an answer are bounded.
    let options = PgConnectOptions::from_str(url)?
        .options([("lock_timeout", "5s"), ("statement_timeout", "15s")]);
    PoolOptions::new().acquire_timeout(ACQUIRE).connect_with(options).await
}

pub(crate) async fn mysql(url: &str) -> sqlx::Result<Pool<MySql>> {
    let options = MySqlConnectOptions::from_str(url)?;
    let pool = PoolOptions::<MySql>::new().acquire_timeout(ACQUIRE).after_connect(|conn, _| {
        Box::pin(async move {
            conn.execute("SET SESSION innodb_lock_wait_timeout = 5").await?;
            Ok(())
        })
    });
    pool.connect_with(options).await
}
