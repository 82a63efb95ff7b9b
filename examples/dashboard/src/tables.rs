//! The host's own tables, in the same database as the library's, so that a user's row and a
//! redemption can commit together.
//!
//! This example runs on several databases, so its statements are generic. A host with one
//! database writes ordinary SQL, as the example `join_transaction` shows.

use invitation::sql::{Dialect, sqlx};
use sqlx::{AssertSqlSafe, Executor, Pool, error::DatabaseError};

use crate::accounts::column;

/// The host's tables, on the same pool as the store.
pub(crate) struct Tables<DB: Dialect> {
    pool: Pool<DB>,
}

impl<DB: Dialect> Clone for Tables<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone() }
    }
}

/// The table that marks a database as the demonstration's. A database that has users but
/// not this table belongs to another application, and is left untouched.
///
/// It has a row of 1 when the demonstration's data are complete, and one of -1 while all tables are
/// being removed.
const MARKER: &str = "invitation_demonstration";

/// The tables, with column types that all the databases support. A user with a reservation
/// has no access yet: see `reserving.rs`.
///
/// A name of 128 bytes has a comparison key of at most 11 times that length. The index on it stays
/// below the limits of `InnoDB` (3,072 bytes) and PostgreSQL (2,704 bytes).
const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS invitation_demonstration (seeded BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS users (
        id VARCHAR(128) NOT NULL PRIMARY KEY,
        username VARCHAR(128) NOT NULL,
        name_key VARCHAR(1408) NOT NULL UNIQUE,
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

/// The maximum number of tries to create a table.
const MAX_TRIES: u32 = 5;

impl<DB: Dialect> Tables<DB> {
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self { pool }
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Returns whether [`remove`](Self::remove) has to run before [`create`](Self::create): because
    /// of `reset`, or because an earlier removal was interrupted. Marks the removal as begun.
    ///
    /// # Errors
    ///
    /// The database belongs to another application.
    pub(crate) async fn begin_removal(&self, reset: bool) -> Result<bool, PrepareError> {
        let mut conn = self.pool.acquire().await?;
        let present = names::<DB>(&mut conn, Kind::Table).await?;
        if !present.iter().any(|name| name == MARKER) {
            let is_foreign = present.iter().any(|name| name == "users" || name == "registrations");
            return if is_foreign { Err(PrepareError::NotOurs) } else { Ok(reset) };
        }
        let question = sqlx::query("SELECT seeded FROM invitation_demonstration WHERE seeded = -1");
        if DB::exec(&mut conn).fetch_optional(question).await?.is_some() {
            return Ok(true);
        }
        if reset {
            let sql = "INSERT INTO invitation_demonstration (seeded) VALUES (-1)";
            run::<DB>(&mut conn, sql.to_owned()).await?;
        }
        Ok(reset)
    }

    /// Removes the tables of the demonstration and of the library, and the table with the mark
    /// last. So the next start finishes a removal that was interrupted.
    pub(crate) async fn remove(&self) -> sqlx::Result<()> {
        let mut conn = self.pool.acquire().await?;
        let tables = names::<DB>(&mut conn, Kind::Table).await?;
        if !tables.iter().any(|name| name == MARKER) {
            return Ok(());
        }
        let is_librarys = |name: &&String| name.starts_with("invitation_") && *name != MARKER;
        for view in names::<DB>(&mut conn, Kind::View).await?.iter().filter(is_librarys) {
            run::<DB>(&mut conn, format!("DROP VIEW {view}")).await?;
        }
        let is_own = |name: &&String| *name == "users" || *name == "registrations";
        for table in tables.iter().filter(|name| is_own(name) || is_librarys(name)) {
            run::<DB>(&mut conn, format!("DROP TABLE {table}")).await?;
        }
        run::<DB>(&mut conn, format!("DROP TABLE {MARKER}")).await
    }

    /// Creates the missing tables.
    ///
    /// Processes that start together create them together. PostgreSQL then refuses all but one,
    /// despite `IF NOT EXISTS`. The next try finds the table.
    pub(crate) async fn create(&self) -> sqlx::Result<()> {
        let mut conn = self.pool.acquire().await?;
        for table in SCHEMA {
            let table = match DB::NAME {
                // MySQL compares text without regard to case, so the columns are binary.
                "MySQL" => table.replace("VARCHAR", "VARBINARY"),
                _ => table.to_owned(),
            };
            let mut tries = 1;
            while let Err(error) = run::<DB>(&mut conn, table.clone()).await {
                if !exists_meanwhile(&error) || tries >= MAX_TRIES {
                    return Err(error);
                }
                tries += 1;
            }
        }
        Ok(())
    }

    /// Returns whether the demonstration's data are complete.
    pub(crate) async fn is_seeded(&self) -> sqlx::Result<bool> {
        let mut conn = self.pool.acquire().await?;
        let question = sqlx::query("SELECT seeded FROM invitation_demonstration WHERE seeded = 1");
        Ok(DB::exec(&mut conn).fetch_optional(question).await?.is_some())
    }

    /// Forgets that the demonstration's data are complete, so that they are inserted again.
    pub(crate) async fn unset_seeded(&self) -> sqlx::Result<()> {
        let mut conn = self.pool.acquire().await?;
        run::<DB>(&mut conn, "DELETE FROM invitation_demonstration WHERE seeded = 1".to_owned())
            .await
    }

    /// Records that the demonstration's data are complete.
    pub(crate) async fn set_seeded(&self) -> sqlx::Result<()> {
        let mut conn = self.pool.acquire().await?;
        let sql = "INSERT INTO invitation_demonstration (seeded) VALUES (1)";
        run::<DB>(&mut conn, sql.to_owned()).await
    }
}

/// The kinds of named objects in a database.
#[derive(Clone, Copy)]
enum Kind {
    Table,
    View,
}

/// Returns the names of the tables or views.
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

/// Returns whether another process created the table while this one did: a unique key of
/// PostgreSQL's own tables, a table or its row type of this name.
fn exists_meanwhile(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("23505" | "42P07" | "42710"))
}

async fn run<DB: Dialect>(conn: &mut DB::Connection, sql: String) -> sqlx::Result<()> {
    // The SQL consists of constants, and of names that the database itself returned.
    DB::exec(conn).execute(sqlx::query(AssertSqlSafe(sql))).await.map(drop)
}

/// The reasons why the tables could not be prepared.
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
