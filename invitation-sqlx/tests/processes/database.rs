//! The databases that the crowds meet on, and what a host does on each.

use std::{str::FromStr, time::Duration};

use invitation_core::{Invitations, Limits};
use invitation_sqlx::{
    Dialect, SqlStore,
    sqlx::{
        self, AssertSqlSafe, Connection, Executor, MySql, Pool, Postgres, Sqlite,
        mysql::MySqlConnectOptions,
        pool::{PoolConnection, PoolOptions},
        postgres::PgConnectOptions,
        sqlite::SqliteConnectOptions,
    },
};
use tempfile::TempDir;

use crate::way::{Level, Way};

/// One connection for each member of a crowd.
pub(crate) const CONNECTIONS: u32 = 16;

/// A URL of an empty database of each kind; of those that are files, in this folder.
pub(crate) fn all(folder: &TempDir) -> Vec<(&'static str, String)> {
    let postgres = invitation_testkit::Postgres::shared().create_database();
    let sqlite = format!("sqlite:{}", folder.path().join("crowds.db").display());
    let mariadb = invitation_testkit::MariaDb::shared().create_database();
    vec![("PostgreSQL", postgres), ("SQLite", sqlite), ("MariaDB", mariadb)]
}

/// What differs between the databases for a host.
pub(crate) trait Host: Dialect {
    fn options(url: &str, level: Level) -> <Self::Connection as Connection>::Options;

    /// Begins a transaction of the host's at a level.
    fn begin(level: Level) -> String;
}

impl Host for Postgres {
    fn options(url: &str, level: Level) -> PgConnectOptions {
        let level = level.as_sql().to_lowercase();
        let options = PgConnectOptions::from_str(url).unwrap();
        // The whole session, so that what is no transaction has the level too.
        options.options([("default_transaction_isolation", level.as_str())])
    }

    fn begin(level: Level) -> String {
        format!("BEGIN ISOLATION LEVEL {}", level.as_sql())
    }
}

impl Host for MySql {
    fn options(url: &str, _: Level) -> MySqlConnectOptions {
        MySqlConnectOptions::from_str(url).unwrap()
    }

    fn begin(level: Level) -> String {
        let level = level.as_sql();
        format!("SET TRANSACTION ISOLATION LEVEL {level}; START TRANSACTION")
    }
}

impl Host for Sqlite {
    fn options(url: &str, _: Level) -> SqliteConnectOptions {
        let options = SqliteConnectOptions::from_str(url).unwrap().create_if_missing(true);
        options
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            // Nobody pulls the plug on a test.
            .synchronous(sqlx::sqlite::SqliteSynchronous::Off)
            .busy_timeout(Duration::from_secs(30))
    }

    fn begin(_: Level) -> String {
        "BEGIN IMMEDIATE".to_owned()
    }
}

/// The service on a pool at the way's level.
pub(crate) async fn open<DB: Host>(url: &str, way: Way) -> Invitations<SqlStore<DB>> {
    let pool = PoolOptions::<DB>::new()
        .max_connections(CONNECTIONS)
        .min_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_mins(1))
        .connect_with(DB::options(url, way.level))
        .await
        .unwrap();
    let limits = Limits::default().with_denials_per_minute(1_000_000.try_into().unwrap());
    Invitations::new(SqlStore::new(pool)).with_limits(limits)
}

/// The tables of both the library and the host.
pub(crate) async fn prepare<DB: Host>(invitations: &Invitations<SqlStore<DB>>) {
    invitations.store().migrate().await.unwrap();
    let mut conn = invitations.store().pool().acquire().await.unwrap();
    run::<DB>(&mut conn, "DROP TABLE IF EXISTS users").await.unwrap();
    run::<DB>(&mut conn, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await.unwrap();
}

pub(crate) async fn run<DB: Host>(conn: &mut DB::Connection, sql: &str) -> sqlx::Result<()> {
    DB::exec(conn).execute(AssertSqlSafe(sql)).await.map(|_| ())
}

/// How many accounts there are.
pub(crate) async fn users<DB: Host>(pool: &Pool<DB>) -> usize {
    let mut conn: PoolConnection<DB> = pool.acquire().await.unwrap();
    let rows = DB::exec(&mut conn).fetch_all(AssertSqlSafe("SELECT name FROM users")).await;
    rows.unwrap().len()
}
