//! The databases of the races, and the host's work on each.

use std::{str::FromStr, time::Duration};

use invitation_core::{Invitations, Limits};
use invitation_sqlx::{
    SqlStore,
    sqlx::{
        Connection, MySql, Postgres, Sqlite, mysql::MySqlConnectOptions, pool::PoolOptions,
        postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
    },
};

use crate::{
    setup::{Level, Setup},
    support::host::{Empty, Kind, run},
};

/// The number of connections of a process, one for each member.
pub(crate) const CONNECTIONS: u32 = 16;

/// Returns an empty database of each kind.
pub(crate) fn all() -> [(&'static str, Empty); 3] {
    [("PostgreSQL", Postgres::empty()), ("SQLite", Sqlite::empty()), ("MariaDB", MySql::empty())]
}

/// The differences between the databases for the host of a race.
pub(crate) trait Host: Kind {
    fn options(url: &str, level: Level) -> <Self::Connection as Connection>::Options;

    /// Returns the statement that begins a host's transaction at an isolation level.
    fn beginning(level: Level) -> String;
}

impl Host for Postgres {
    fn options(url: &str, level: Level) -> PgConnectOptions {
        let level = level.as_sql().to_lowercase();
        let options = PgConnectOptions::from_str(url).unwrap();
        // Sets the level for the whole session, so that it also applies outside of
        // transactions.
        options.options([("default_transaction_isolation", level.as_str())])
    }

    fn beginning(level: Level) -> String {
        format!("BEGIN ISOLATION LEVEL {}", level.as_sql())
    }
}

impl Host for MySql {
    fn options(url: &str, _: Level) -> MySqlConnectOptions {
        MySqlConnectOptions::from_str(url).unwrap()
    }

    fn beginning(level: Level) -> String {
        let level = level.as_sql();
        format!("SET TRANSACTION ISOLATION LEVEL {level}; START TRANSACTION")
    }
}

impl Host for Sqlite {
    fn options(url: &str, _: Level) -> SqliteConnectOptions {
        Self::unsynced(url).busy_timeout(Duration::from_secs(30))
    }

    fn beginning(_: Level) -> String {
        "BEGIN IMMEDIATE".to_owned()
    }
}

/// Opens the service on a pool with the isolation level of `setup`.
pub(crate) async fn open<DB: Host>(url: &str, setup: Setup) -> Invitations<SqlStore<DB>> {
    let pool = PoolOptions::<DB>::new()
        .max_connections(CONNECTIONS)
        .min_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_mins(1))
        .connect_with(DB::options(url, setup.level))
        .await
        .unwrap();
    let limits = Limits::default().with_denials_per_minute(1_000_000.try_into().unwrap());
    Invitations::new(SqlStore::new(pool)).with_limits(limits)
}

/// Creates the tables of the library and of the host.
pub(crate) async fn prepare<DB: Host>(invitations: &Invitations<SqlStore<DB>>) {
    invitations.store().migrate().await.unwrap();
    let pool = invitations.store().pool();
    run(pool, "DROP TABLE IF EXISTS users").await;
    run(pool, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
}
