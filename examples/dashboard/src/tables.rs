//! The host's own tables, beside the library's in the same database: so that a user's
//! row and a redemption can commit together.
//!
//! This example runs on whichever database it is given, so that its statements are
//! generic. A host with one database writes them as it always does; the example
//! `join_transaction` shows that.

use invitation::{Dialect, sqlx};
use sqlx::{AssertSqlSafe, Executor, Pool};

use crate::accounts::column;

/// The tables, by the pool that the store is on too.
pub(crate) struct Tables<DB: Dialect> {
    pool: Pool<DB>,
}

impl<DB: Dialect> Clone for Tables<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone() }
    }
}

/// What marks a database as this demonstration's. A database that has users but not
/// this is somebody's, and nothing is touched there.
const MARKER: &str = "invitation_demonstration";

/// Of types that all the databases understand. A user who has a reservation is not in
/// yet: see `reserving.rs`.
const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS invitation_demonstration (seeded BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS users (
        id VARCHAR(128) NOT NULL PRIMARY KEY,
        username VARCHAR(128) NOT NULL,
        name_key VARCHAR(768) NOT NULL UNIQUE,
        role VARCHAR(64) NOT NULL,
        division VARCHAR(64),
        reservation VARCHAR(128)
    )",
    "CREATE TABLE IF NOT EXISTS registrations (
        id VARCHAR(64) NOT NULL PRIMARY KEY,
        token_hash VARCHAR(64) NOT NULL,
        account VARCHAR(128) NOT NULL,
        username VARCHAR(128) NOT NULL,
        address VARCHAR(254) NOT NULL,
        attempts BIGINT NOT NULL,
        expires_at BIGINT NOT NULL
    )",
];

impl<DB: Dialect> Tables<DB> {
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self { pool }
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Makes the tables that are missing; with `reset`, after removing all of the
    /// demonstration's.
    pub(crate) async fn prepare(&self, reset: bool) -> Result<(), PrepareError> {
        let mut conn = self.pool.acquire().await?;
        let present = names::<DB>(&mut conn, Kind::Table).await?;
        let is_ours = present.iter().any(|name| name == MARKER);
        if !is_ours && present.iter().any(|name| name == "users" || name == "registrations") {
            return Err(PrepareError::NotOurs);
        }
        if reset && is_ours {
            remove::<DB>(&mut conn, &present).await?;
        }
        for table in SCHEMA {
            let table = match DB::NAME {
                // Bytes: its text would be compared without regard to case.
                "MySQL" => table.replace("VARCHAR", "VARBINARY"),
                _ => table.to_owned(),
            };
            run::<DB>(&mut conn, table).await?;
        }
        Ok(())
    }

    /// Whether the demonstration's data are all there.
    pub(crate) async fn is_seeded(&self) -> sqlx::Result<bool> {
        let mut conn = self.pool.acquire().await?;
        let question = sqlx::query("SELECT seeded FROM invitation_demonstration");
        Ok(DB::exec(&mut conn).fetch_optional(question).await?.is_some())
    }

    /// Remembers that they are.
    pub(crate) async fn set_seeded(&self) -> sqlx::Result<()> {
        let mut conn = self.pool.acquire().await?;
        let sql = "INSERT INTO invitation_demonstration (seeded) VALUES (1)";
        run::<DB>(&mut conn, sql.to_owned()).await
    }
}

/// What has a name in a database.
#[derive(Clone, Copy)]
enum Kind {
    Table,
    View,
}

/// The names of the tables, or views, that there are.
async fn names<DB: Dialect>(conn: &mut DB::Connection, kind: Kind) -> sqlx::Result<Vec<String>> {
    let question = match (DB::NAME, kind) {
        ("SQLite", Kind::Table) => "SELECT name FROM sqlite_master WHERE type = 'table'",
        ("SQLite", Kind::View) => "SELECT name FROM sqlite_master WHERE type = 'view'",
        ("PostgreSQL", Kind::Table) => {
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()"
        }
        ("PostgreSQL", Kind::View) => {
            "SELECT CAST(viewname AS TEXT) FROM pg_views WHERE schemaname = current_schema()"
        }
        (_, Kind::Table) => {
            "SELECT CAST(table_name AS BINARY) FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
        }
        (_, Kind::View) => {
            "SELECT CAST(table_name AS BINARY) FROM information_schema.views \
             WHERE table_schema = DATABASE()"
        }
    };
    let rows = DB::exec(conn).fetch_all(sqlx::query(question)).await?;
    rows.iter().map(|row| column::<DB, DB::Text>(row, 0).map(Into::into)).collect()
}

/// Removes the demonstration's tables and the library's, the marker last: what breaks
/// off is then taken up again.
async fn remove<DB: Dialect>(conn: &mut DB::Connection, tables: &[String]) -> sqlx::Result<()> {
    let is_librarys = |name: &&String| name.starts_with("invitation_") && *name != MARKER;
    for view in names::<DB>(conn, Kind::View).await?.iter().filter(is_librarys) {
        run::<DB>(conn, format!("DROP VIEW {view}")).await?;
    }
    let is_own = |name: &&String| *name == "users" || *name == "registrations";
    for table in tables.iter().filter(|name| is_own(name) || is_librarys(name)) {
        run::<DB>(conn, format!("DROP TABLE {table}")).await?;
    }
    run::<DB>(conn, format!("DROP TABLE {MARKER}")).await
}

async fn run<DB: Dialect>(conn: &mut DB::Connection, sql: String) -> sqlx::Result<()> {
    // Made of constants, and of names that the database itself gave.
    DB::exec(conn).execute(sqlx::query(AssertSqlSafe(sql))).await.map(drop)
}

/// Why the tables could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error(
        "the database has tables `users` or `registrations` that are not this demonstration's; \
         give it a database of its own"
    )]
    NotOurs,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
