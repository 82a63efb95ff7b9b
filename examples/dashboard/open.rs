//! Opening what the configuration names.

use std::{str::FromStr, sync::Arc, time::Duration};

use invitation::{
    Dialect, Invitations, SqlStore, Store,
    sqlx::{
        Executor, Pool,
        mysql::{MySql, MySqlConnectOptions},
        pool::PoolOptions,
        postgres::{PgConnectOptions, Postgres},
        sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
    web::{BaseUrl, Service},
};

use crate::{
    Result,
    admission::{Admission, InOneTransaction},
    app::Host,
    config::{Config, DatabaseUrl},
    records::Records,
    seed,
    tables::Tables,
};

/// How long a request waits for a connection, and a start for a database.
const ACQUIRE: Duration = Duration::from_secs(5);

/// What a database gives the host.
pub(crate) struct Opened {
    pub(crate) invitations: Service,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) admission: Arc<dyn Admission>,
}

/// Opens the database, and fills it if it is new.
pub(crate) async fn open(config: &Config, base: &str) -> Result<Host> {
    match &config.database {
        DatabaseUrl::Sqlite(url) => {
            let tables = Tables::new(named(sqlite(url).await)?);
            prepared(tables, config, base).await
        }
        DatabaseUrl::Postgres(url) => {
            let tables = Tables::new(named(postgres(url).await)?);
            prepared(tables, config, base).await
        }
        DatabaseUrl::MySql(url) => {
            let tables = Tables::new(named(mysql(url).await)?);
            prepared(tables, config, base).await
        }
    }
}

/// Users and invitations in one SQL database.
async fn prepared<DB: Dialect>(tables: Tables<DB>, config: &Config, base: &str) -> Result<Host> {
    named(tables.prepare(config.reset).await)?;
    let store = SqlStore::new(tables.pool().clone());
    named(store.migrate().await)?;
    let store: Arc<dyn Store> = Arc::new(store);
    let invitations = Invitations::new(store);
    let admission = InOneTransaction { tables: tables.clone(), invitations: invitations.clone() };
    let host = Host::new(
        Opened { invitations, records: Arc::new(tables.clone()), admission: Arc::new(admission) },
        BaseUrl::parse(base)?,
    );
    if !tables.is_seeded().await? {
        seed::users(&tables).await?;
        seed::invitations(&host).await?;
        tables.set_seeded().await?;
    }
    Ok(host)
}

/// An error of opening says which variable it is about. What it says of itself has no
/// part of the URL, in which there may be a password.
fn named<T, E: std::fmt::Display>(outcome: std::result::Result<T, E>) -> Result<T> {
    outcome.map_err(|error| format!("DATABASE_URL: {error}").into())
}

async fn sqlite(url: &str) -> Result<Pool<Sqlite>> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(ACQUIRE);
    let pool = PoolOptions::new().acquire_timeout(ACQUIRE);
    // A database in memory is one connection's, and gone with it.
    let pool = if url.contains(":memory:") {
        pool.max_connections(1).idle_timeout(None).max_lifetime(None)
    } else {
        pool
    };
    Ok(pool.connect_with(options).await?)
}

async fn postgres(url: &str) -> Result<Pool<Postgres>> {
    // Nobody waits for a lock, or for an answer, without end.
    let options = PgConnectOptions::from_str(url)?
        .options([("lock_timeout", "5s"), ("statement_timeout", "15s")]);
    Ok(PoolOptions::new().acquire_timeout(ACQUIRE).connect_with(options).await?)
}

async fn mysql(url: &str) -> Result<Pool<MySql>> {
    let options = MySqlConnectOptions::from_str(url)?;
    let pool = PoolOptions::<MySql>::new().acquire_timeout(ACQUIRE).after_connect(|conn, _| {
        Box::pin(async move {
            conn.execute("SET SESSION innodb_lock_wait_timeout = 5").await?;
            Ok(())
        })
    });
    Ok(pool.connect_with(options).await?)
}
