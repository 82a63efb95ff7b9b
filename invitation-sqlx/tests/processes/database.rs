//! The databases that the crowds meet on, and what a host does on each.

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
    support::host::{Empty, Kind, run},
    way::{Level, Way},
};

/// One connection for each member of a crowd.
pub(crate) const CONNECTIONS: u32 = 16;

/// An empty database of each kind.
pub(crate) fn all() -> [(&'static str, Empty); 3] {
    [("PostgreSQL", Postgres::empty()), ("SQLite", Sqlite::empty()), ("MariaDB", MySql::empty())]
}

/// What differs between the databases for a host of crowds.
pub(crate) trait Host: Kind {
    fn options(url: &str, level: Level) -> <Self::Connection as Connection>::Options;

    /// How a transaction of the host's begins at a level.
    fn beginning(level: Level) -> String;
}

impl Host for Postgres {
    fn options(url: &str, level: Level) -> PgConnectOptions {
        let level = level.as_sql().to_lowercase();
        let options = PgConnectOptions::from_str(url).unwrap();
        // The whole session, so that what is no transaction has the level too.
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
        Self::careless(url).busy_timeout(Duration::from_secs(30))
    }

    fn beginning(_: Level) -> String {
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
    let pool = invitations.store().pool();
    run(pool, "DROP TABLE IF EXISTS users").await;
    run(pool, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
}
