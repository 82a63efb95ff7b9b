//! Migrations where each statement commits by itself: under a lock, and each of them such
//! that it can be said twice.

use sqlx::{
    AssertSqlSafe, MySqlConnection, RawSql, Row,
    migrate::{MigrateError, Migrator},
    raw_sql,
};

/// Keeps others out who migrate the same database. The lock is the connection's, which is
/// closed in any case.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('invitation ', MD5(DATABASE())), 60)";
const UNLOCK: &str = "DO RELEASE_LOCK(CONCAT('invitation ', MD5(DATABASE())))";

pub(super) async fn run(
    conn: &mut MySqlConnection,
    migrator: &Migrator,
    table: &str,
) -> Result<(), MigrateError> {
    let locked = match raw_sql(LOCK).fetch_one(&mut *conn).await {
        Ok(row) if row.try_get::<Option<i64>, _>(0)? == Some(1) => true,
        Ok(_) => {
            let waited = "somebody else has been migrating this database for a minute";
            return Err(sqlx::Error::Protocol(waited.into()).into());
        }
        // Some clusters have no such locks. There, one process migrates.
        Err(sqlx::Error::Database(_)) => false,
        Err(error) => return Err(error.into()),
    };
    // What was begun and not finished begins anew: whoever began it is gone.
    if exists(conn, table).await? {
        let newest = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
        let sql = format!("DELETE FROM {table} WHERE success = FALSE AND version <= {newest}");
        trusted(sql).execute(&mut *conn).await?;
    }
    migrator.run_direct(None, &mut *conn, false).await?;
    if locked {
        raw_sql(UNLOCK).execute(conn).await?;
    }
    Ok(())
}

async fn exists(conn: &mut MySqlConnection, table: &str) -> sqlx::Result<bool> {
    let sql = format!(
        "SELECT 1 FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = '{table}'"
    );
    Ok(trusted(sql).fetch_optional(conn).await?.is_some())
}

/// The only name in it is that of the table, a checked identifier.
fn trusted(sql: String) -> RawSql {
    raw_sql(AssertSqlSafe(sql))
}
