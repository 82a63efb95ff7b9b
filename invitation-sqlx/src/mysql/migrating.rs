//! Migrations on MySQL and MariaDB, where each statement commits by itself. They run under a
//! lock, and each statement can be repeated.

use sqlx::{
    AssertSqlSafe, MySql, MySqlConnection, RawSql, Row,
    migrate::{MigrateError, Migrator},
    mysql::MySqlDatabaseError,
    raw_sql,
};

use crate::dialect::Migrate;

/// The lock that keeps other migrations of the same database out. It belongs to the connection,
/// which is closed if the call is dropped. The name has 59 of 64 allowed characters. Its functions
/// exist on every server; MD5, for example, is missing on MySQL 9.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('invitation ', LEFT(SHA2(DATABASE(), 256), 48)), 60)";
const UNLOCK: &str = "DO RELEASE_LOCK(CONCAT('invitation ', LEFT(SHA2(DATABASE(), 256), 48)))";

impl Migrate for MySql {
    const MIGRATIONS: &'static [&'static str] = &[include_str!("../../schema/mysql/0001_init.sql")];

    async fn migrate(
        conn: &mut MySqlConnection,
        migrator: &Migrator,
        table: &str,
    ) -> Result<(), MigrateError> {
        refuse_without_autocommit(conn).await?;
        let locked = match raw_sql(LOCK).fetch_one(&mut *conn).await {
            Ok(row) => match row.try_get::<Option<i64>, _>(0)? {
                Some(1) => true,
                Some(_) => {
                    let waited = "another process has been migrating this database for a minute";
                    return Err(sqlx::Error::Protocol(waited.into()).into());
                }
                None => {
                    let failed = "the lock for migrations could not be taken";
                    return Err(sqlx::Error::Protocol(failed.into()).into());
                }
            },
            // Such a server needs migrations from one process only.
            Err(sqlx::Error::Database(error))
                if error
                    .try_downcast_ref::<MySqlDatabaseError>()
                    .is_some_and(|error| has_no_locks(error.number(), error.message())) =>
            {
                false
            }
            Err(error) => return Err(error.into()),
        };
        let done = run_locked(conn, migrator, table).await;
        if locked {
            let unlocked = raw_sql(UNLOCK).execute(conn).await;
            done?;
            unlocked?;
            return Ok(());
        }
        done
    }
}

async fn run_locked(
    conn: &mut MySqlConnection,
    migrator: &Migrator,
    table: &str,
) -> Result<(), MigrateError> {
    // A migration that did not finish begins again, because the process that began it is gone.
    if exists(conn, table).await? {
        let newest = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
        let sql = format!("DELETE FROM {table} WHERE success = FALSE AND version <= {newest}");
        trusted(sql).execute(&mut *conn).await?;
    }
    migrator.run_direct(None, &mut *conn, false).await
}

/// Without autocommit, a read begins a transaction that stays open. Later reads on the connection
/// see the state at its beginning.
async fn refuse_without_autocommit(conn: &mut MySqlConnection) -> sqlx::Result<()> {
    let off = raw_sql("SELECT 1 FROM DUAL WHERE @@autocommit = 0").fetch_optional(conn).await?;
    if off.is_none() {
        return Ok(());
    }
    let advice = "autocommit is off: run SET autocommit = 1 in after_connect of the pool";
    Err(sqlx::Error::Configuration(advice.into()))
}

/// Whether an error means that the server has no named locks.
fn has_no_locks(number: u16, message: &str) -> bool {
    match number {
        // The first number means not supported yet (a Galera cluster, by version and settings).
        // The second one is the strict mode of Percona XtraDB Cluster, which has no number of its
        // own.
        1235 | 1105 => message.contains("GET_LOCK"),
        // No function of that name exists.
        1305 => message.to_ascii_uppercase().contains("GET_LOCK"),
        _ => false,
    }
}

async fn exists(conn: &mut MySqlConnection, table: &str) -> sqlx::Result<bool> {
    let sql = format!(
        "SELECT 1 FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = '{table}'"
    );
    Ok(trusted(sql).fetch_optional(conn).await?.is_some())
}

/// The table's name is the only variable part of the text, and it is a checked identifier.
fn trusted(sql: String) -> RawSql {
    raw_sql(AssertSqlSafe(sql))
}

#[cfg(test)]
mod tests {
    use super::has_no_locks;

    #[test]
    fn only_an_error_naming_get_lock_means_no_locks() {
        let cases = [
            (1235, "This version of MariaDB doesn't yet support 'GET_LOCK in cluster'", true),
            (
                1105,
                "Percona-XtraDB-Cluster prohibits use of GET_LOCK with pxc_strict_mode = ENFORCING",
                true,
            ),
            (1305, "FUNCTION test.get_lock does not exist", true),
            // MySQL 9 has no MD5.
            (1305, "FUNCTION test.MD5 does not exist", false),
            (1235, "This version of MySQL doesn't yet support 'something else'", false),
            (1105, "Unknown error", false),
            // These are: too many connections, access denied, deadlock among locks, interrupted.
            (1040, "Too many connections", false),
            (1044, "Access denied", false),
            (3058, "Deadlock found when trying to get user-level lock", false),
            (1317, "Query execution was interrupted", false),
            // The name is too long.
            (4163, "User-level lock name 'GET_LOCK' is too long", false),
        ];
        for (number, message, expected) in cases {
            assert_eq!(has_no_locks(number, message), expected, "{number} {message}");
        }
    }
}
