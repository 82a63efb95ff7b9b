//! Migrations on PostgreSQL.

use invitation_sqlx::sqlx::{self, PgPool, Postgres};

use crate::{
    promises::{Migrating, promises},
    support::host::{Kind, number},
    upgrades::{Upgrading, upgrades},
};

promises!(Postgres);
upgrades!(Postgres);

impl Migrating for Postgres {
    const LAST: &'static str = "search_terms";
    const UNDOES_TABLES: bool = true;

    async fn is_free(pool: &PgPool) -> bool {
        let held = "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
             WHERE l.locktype = 'advisory' AND d.datname = current_database()";
        number(pool, held).await == 0
    }
}

impl Upgrading for Postgres {
    const SECOND: &'static str = "
        ALTER TABLE {prefix}codes ADD COLUMN note TEXT;
        ALTER TABLE {prefix}codes ADD COLUMN weight BIGINT NOT NULL DEFAULT 1;
        CREATE INDEX {prefix}codes_note ON {prefix}codes (note);
        ALTER TABLE {prefix}redemptions ADD COLUMN note TEXT;
        ALTER TABLE {prefix}events ADD COLUMN country TEXT;
        CREATE TABLE IF NOT EXISTS {prefix}upgrades (runs BIGINT NOT NULL);
        INSERT INTO {prefix}upgrades (runs) VALUES (1);";
}

/// A migration and a transaction lock two tables in opposite orders.
#[tokio::test(flavor = "multi_thread")]
async fn migration_gives_way_to_a_transaction_that_it_would_deadlock_with() {
    const EVENTS_FIRST: &str = "ALTER TABLE {prefix}events ADD COLUMN country TEXT;
        ALTER TABLE {prefix}codes ADD COLUMN note TEXT";
    // The migration waits for the table that the transaction has read.
    const WAITING: &str = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted
        AND relation = 'invitation_codes'::regclass";
    let database = Postgres::empty();
    let [old, new] = [Postgres::process(&database).await, Postgres::process(&database).await];
    old.migrate().await.unwrap();
    let mut tx = old.pool().begin().await.unwrap();
    // Without the migration's own limit, the transaction would be the one to find the deadlock.
    sqlx::raw_sql("SET LOCAL deadlock_timeout = '600ms'").execute(&mut *tx).await.unwrap();
    sqlx::raw_sql("SELECT * FROM invitation_codes").execute(&mut *tx).await.unwrap();

    let migration = tokio::spawn(async move { new.migrate_with(&[EVENTS_FIRST]).await });
    while number(old.pool(), WAITING).await == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::raw_sql("SELECT * FROM invitation_events").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    migration.await.unwrap().unwrap();
    assert_eq!(number(old.pool(), "SELECT COUNT(*) FROM invitation_migrations").await, 2);
}
