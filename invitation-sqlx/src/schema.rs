//! Migrations of the tables.

use invitation_core::{StoreError, StoreErrorKind};
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use crate::{TablePrefix, dialect::Dialect, error::store_error, names::Names};

/// Returns the SQL that creates the tables, for a host that migrates with a tool of its own.
/// There is one text for each version, in order. Such a host does not call
/// [`SqlStore::migrate`](crate::SqlStore::migrate).
///
/// # While versions of the library run side by side
///
/// A version's tables serve the previous version of the library too, so that a host can replace
/// its processes one by one. Migrate first, and then replace the processes. For that, a migration
/// only adds tables, indexes, and columns that may be NULL or have a default. A column that no
/// code reads any more is removed one version later. A library leaves migrations alone that are
/// newer than its own. To go back, replace the processes and leave the tables. So far there is
/// one migration.
///
/// A migration that fails leaves the running processes at work. On SQLite and PostgreSQL it is
/// undone. On MySQL and MariaDB its first statements may stay. Then
/// [`SqlStore::migrate`](crate::SqlStore::migrate) of an older library is an error, until the
/// newer library has migrated.
///
/// On PostgreSQL, a migration waits at most 300 ms for the lock of a table, because redemptions
/// queue behind it. It then undoes its work and starts again, for a minute. So migrate while no
/// long transaction of the host uses the tables.
///
/// ```
/// # mod invitation { pub use invitation_sqlx as sql; }
/// # #[cfg(feature = "sqlite")] {
/// use invitation::sql::{TablePrefix, migrations, sqlx::Sqlite};
///
/// let sql = migrations::<Sqlite>(&TablePrefix::default());
/// assert!(sql[0].contains("CREATE TABLE invitation_codes"));
/// # }
/// ```
#[must_use]
pub fn migrations<DB: Dialect>(prefix: &TablePrefix) -> Vec<String> {
    DB::MIGRATIONS.iter().map(|sql| sql.replace("{prefix}", prefix.as_str())).collect()
}

pub(crate) async fn migrate<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    newer: &[&str],
) -> Result<(), StoreError> {
    let prefix = names.prefix();
    let migrations = (1..).zip(DB::MIGRATIONS.iter().chain(newer)).map(|(version, sql)| {
        // The text changes by the prefix only, which is a checked identifier.
        let sql = AssertSqlSafe(sql.replace("{prefix}", prefix)).into_sql_str();
        Migration::new(version, "invitation".into(), MigrationType::Simple, sql, false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(names.migrations());
    // A newer library that runs beside this one may have applied newer migrations.
    migrator.set_ignore_missing(true);
    // The driver's lock would outlive a failure, so each dialect has a lock of its own.
    migrator.set_locking(false);
    DB::migrate(conn, &migrator, &names.migrations()).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            store_error::<DB>("migrate", error)
        }
        // The driver's message names another table and no way out.
        MigrateError::Dirty(version) => StoreError::new(StoreErrorKind::Other, "migrate").because(
            format!("migration {version} of a newer version has not ended; migrate with that one"),
        ),
        error => StoreError::new(StoreErrorKind::Other, "migrate").because(error),
    })
}
