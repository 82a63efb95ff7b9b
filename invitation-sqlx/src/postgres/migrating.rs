//! Migrations on PostgreSQL, in one transaction. Processes of the host redeem meanwhile.

use std::time::{Duration, Instant};

use sqlx::{
    Connection, PgConnection, Postgres,
    migrate::{MigrateError, Migrator},
};

use crate::dialect::{Dialect, Migrate};

/// The advisory lock that keeps other migrations out. PostgreSQL wants a number, so it is the
/// first eight bytes of "invitati".
const LOCK: &str = "SELECT pg_advisory_xact_lock(7597139816716792937)";

/// The limit of a migration's wait for the lock of a table. All later statements on the table
/// wait behind it. It is shorter than PostgreSQL's `deadlock_timeout`, 1 s by default: a deadlock
/// with a redemption then ends the migration's try, never the redemption.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '300ms'";

/// The pause between two tries, in which the statements that waited get their locks.
const PAUSE: Duration = Duration::from_millis(100);

/// The time after which no further try begins.
const MAX_ELAPSED: Duration = Duration::from_mins(1);

impl Migrate for Postgres {
    const MIGRATIONS: &'static [&'static str] =
        &[include_str!("../../schema/postgres/0001_init.sql")];

    async fn migrate(
        conn: &mut PgConnection,
        migrator: &Migrator,
        _: &str,
    ) -> Result<(), MigrateError> {
        let started = Instant::now();
        loop {
            match attempt(conn, migrator).await {
                Err(error) if is_lock_conflict(&error) && started.elapsed() < MAX_ELAPSED => {
                    sqlx_core::rt::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }
}

async fn attempt(conn: &mut PgConnection, migrator: &Migrator) -> Result<(), MigrateError> {
    // One transaction contains all migrations and a lock that ends with it. A second process
    // waits for the lock and then finds all migrations done.
    let mut tx = conn.begin_with(sqlx::Postgres::BEGIN).await?;
    sqlx::query(LOCK).execute(&mut *tx).await?;
    sqlx::query(LOCK_TIMEOUT).execute(&mut *tx).await?;
    if let Err(error) = migrator.run_direct(None, &mut *tx, false).await {
        // The rollback runs at once, so that the lock is free when this function returns.
        tx.rollback().await?;
        return Err(error);
    }
    tx.commit().await?;
    Ok(())
}

/// Whether other work held a lock for too long, or the migration was the victim of a deadlock.
fn is_lock_conflict(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["55P03", "40P01"].contains(&&*code))
}
