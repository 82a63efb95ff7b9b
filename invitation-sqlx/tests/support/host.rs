//! A host on any of the databases.

use std::future::Future;

use invitation_core::{Error, Invitations, Redeemed, StoreError, StoreErrorKind};
use invitation_sqlx::{
    Dialect, SqlStore,
    sqlx::{
        self, AssertSqlSafe, Connection, Executor, Pool, QueryBuilder, Row, Transaction,
        pool::PoolOptions,
    },
};
use tempfile::TempDir;

/// An empty database of its own, which exists until this is dropped.
pub struct Empty {
    pub url: String,
    /// The folder, for a database in a file.
    folder: Option<TempDir>,
}

/// A kind of database: the differences for a host.
pub trait Kind: Dialect {
    /// A query for the names of all tables, in order.
    const TABLES: &'static str;

    fn empty() -> Empty;

    /// Returns connection options without durability against a power loss.
    fn unsynced(url: &str) -> <Self::Connection as Connection>::Options {
        url.parse().unwrap()
    }

    /// Opens a store as each process of a host does: on its own pool, and migrated.
    fn open(url: &str) -> impl Future<Output = Result<SqlStore<Self>, StoreError>> + Send {
        async move {
            let store = SqlStore::new(Pool::<Self>::connect(url).await.unwrap());
            store.migrate().await?;
            Ok(store)
        }
    }

    /// Begins a transaction that will write.
    fn begin(pool: &Pool<Self>) -> impl Future<Output = Transaction<'static, Self>> + Send {
        async move { Self::try_to_begin(pool).await.unwrap() }
    }

    /// The same, and returns an error.
    fn try_to_begin(
        pool: &Pool<Self>,
    ) -> impl Future<Output = sqlx::Result<Transaction<'static, Self>>> + Send {
        pool.begin()
    }

    /// Runs one or several statements that may fail.
    fn try_to_run(
        pool: &Pool<Self>,
        sql: &'static str,
    ) -> impl Future<Output = sqlx::Result<()>> + Send {
        async move {
            let mut conn = pool.acquire().await?;
            Self::exec(&mut conn).execute(sql).await.map(|_| ())
        }
    }
}

#[cfg(feature = "mysql")]
impl Kind for sqlx::MySql {
    const TABLES: &'static str = "SELECT table_name FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY 1";

    fn empty() -> Empty {
        Empty { url: invitation_testkit::MariaDb::shared().create_database(), folder: None }
    }
}

#[cfg(feature = "postgres")]
impl Kind for sqlx::Postgres {
    const TABLES: &'static str =
        "SELECT tablename::TEXT FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";

    fn empty() -> Empty {
        Empty { url: invitation_testkit::Postgres::shared().create_database(), folder: None }
    }
}

#[cfg(feature = "sqlite")]
impl Kind for sqlx::Sqlite {
    const TABLES: &'static str = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1";

    fn empty() -> Empty {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}?mode=rwc", folder.path().join("test.db").display());
        Empty { url, folder: Some(folder) }
    }

    fn unsynced(url: &str) -> sqlx::sqlite::SqliteConnectOptions {
        let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
        options
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            .synchronous(sqlx::sqlite::SqliteSynchronous::Off)
    }

    async fn open(url: &str) -> Result<SqlStore<Self>, StoreError> {
        let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
        SqlStore::open(options.get_filename()).await
    }

    async fn try_to_begin(pool: &Pool<Self>) -> sqlx::Result<Transaction<'static, Self>> {
        pool.begin_with("BEGIN IMMEDIATE").await
    }
}

/// A host that keeps its users next to the invitations.
pub struct Host<DB: Kind> {
    pub invitations: Invitations<SqlStore<DB>>,
    database: Empty,
}

impl<DB: Kind> Host<DB> {
    pub async fn new() -> Self {
        let database = DB::empty();
        let invitations = Invitations::new(DB::open(&database.url).await.unwrap());
        let host = Self { invitations, database };
        run(host.pool(), "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
        host
    }

    pub fn url(&self) -> &str {
        &self.database.url
    }

    pub fn pool(&self) -> &Pool<DB> {
        self.invitations.store().pool()
    }

    pub async fn begin(&self) -> Transaction<'static, DB> {
        DB::begin(self.pool()).await
    }

    /// Begins a transaction with these statements.
    pub async fn begin_with(&self, begin: &str) -> Transaction<'static, DB> {
        self.pool().begin_with(AssertSqlSafe(begin.to_owned())).await.unwrap()
    }

    pub async fn users(&self) -> i64 {
        number(self.pool(), "SELECT COUNT(*) FROM users").await
    }
}

pub async fn add_user<DB: Kind>(tx: &mut Transaction<'_, DB>, name: &str) {
    try_to_add_user(tx, name).await.unwrap();
}

pub async fn try_to_add_user<DB: Kind>(
    tx: &mut Transaction<'_, DB>,
    name: &str,
) -> sqlx::Result<()> {
    let mut add = QueryBuilder::<DB>::new("INSERT INTO users (name) VALUES (");
    add.push_bind(DB::Text::from(name.to_owned())).push(")");
    add.build().execute(DB::exec(tx)).await.map(|_| ())
}

/// Runs a statement inside a transaction.
pub async fn inside<DB: Kind>(tx: &mut Transaction<'_, DB>, sql: &str) {
    DB::exec(tx).execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
}

/// Runs one or several statements.
pub async fn run<DB: Kind>(pool: &Pool<DB>, sql: &str) {
    let mut conn = pool.acquire().await.unwrap();
    DB::exec(&mut conn).execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
}

/// Returns the single number that a query selects.
pub async fn number<DB: Kind>(pool: &Pool<DB>, sql: &str) -> i64 {
    let mut conn = pool.acquire().await.unwrap();
    let row = DB::exec(&mut conn).fetch_one(AssertSqlSafe(sql.to_owned())).await.unwrap();
    row.get::<DB::Int, _>(DB::ColumnNumber::from(0)).into()
}

/// Returns the names of all tables.
pub async fn tables<DB: Kind>(pool: &Pool<DB>) -> Vec<String> {
    let mut conn = pool.acquire().await.unwrap();
    let rows = DB::exec(&mut conn).fetch_all(DB::TABLES).await.unwrap();
    rows.iter().map(|row| row.get::<DB::Text, _>(DB::ColumnNumber::from(0)).into()).collect()
}

/// Returns a pool of `connections` connections without durability against a power loss.
pub async fn unsynced_pool<DB: Kind>(url: &str, connections: u32) -> Pool<DB> {
    let options = PoolOptions::new().max_connections(connections);
    options.connect_with(DB::unsynced(url)).await.unwrap()
}

/// Asserts that a redemption failed with a conflict, which is retryable.
#[track_caller]
pub fn assert_conflict(told: Result<Redeemed, Error>) {
    let Err(Error::Store(error)) = told else { panic!("no conflict: {told:?}") };
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    assert!(error.is_retryable());
}

/// Creates a test of each promise in a file, on one database.
macro_rules! tests {
    ($database:ty, $file:ident: $($promise:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                crate::$file::$promise::<$database>().await;
            }
        )+
    };
}

pub(crate) use tests;
