//! Migrations on MariaDB, where each statement commits by itself.

use invitation_sqlx::{
    MySqlStore, SqlStore,
    sqlx::{MySql, MySqlPool, mysql::MySqlPoolOptions},
};

use crate::{
    promises::{Migrating, promises},
    support::host::{Kind, number, run},
    upgrades::{Upgrading, upgrades},
};

promises!(MySql);
upgrades!(MySql);

impl Migrating for MySql {
    const LAST: &'static str = "overview";
    const UNDOES_TABLES: bool = false;

    async fn is_free(pool: &MySqlPool) -> bool {
        let free = "SELECT IS_FREE_LOCK(CONCAT('invitation ', LEFT(SHA2(DATABASE(), 256), 48)))";
        number(pool, free).await == 1
    }
}

/// The lock of a migration belongs to its connection. If it could not be released, the connection
/// must not go back to the pool with it.
#[tokio::test(flavor = "multi_thread")]
async fn failed_migration_closes_its_connection() {
    let database = MySql::empty();
    let pool = MySqlPoolOptions::new().max_connections(1).connect(&database.url).await.unwrap();
    run(&pool, &format!("CREATE TABLE invitation_{} (x INT)", MySql::LAST)).await;
    let connection = async || number(&pool, "SELECT CAST(CONNECTION_ID() AS SIGNED)").await;
    let before = connection().await;
    SqlStore::new(pool.clone()).migrate().await.unwrap_err();
    assert_ne!(connection().await, before);
}

/// A call does not wait a day for a table that another session alters.
#[tokio::test(flavor = "multi_thread")]
async fn connect_bounds_the_wait_for_a_table() {
    let store = MySqlStore::connect(&MySql::empty().url).await.unwrap();
    let limits = "SELECT CAST(@@lock_wait_timeout - @@innodb_lock_wait_timeout AS SIGNED)";
    assert_eq!(number(store.pool(), limits).await, 0);
}

impl Upgrading for MySql {
    // Each statement can be repeated, because it commits by itself. MySQL has no `ADD COLUMN IF
    // NOT EXISTS`, so a statement that depends on the present columns is prepared from a text.
    const SECOND: &'static str = "
        SET @is_done = (SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
            AND table_name = '{prefix}codes' AND column_name = 'note');
        SET @change = IF(@is_done, 'DO 0', 'ALTER TABLE {prefix}codes ADD COLUMN note VARBINARY(100),
            ADD COLUMN weight BIGINT NOT NULL DEFAULT 1, ADD KEY {prefix}codes_note (note)');
        PREPARE change_codes FROM @change; EXECUTE change_codes; DEALLOCATE PREPARE change_codes;
        SET @is_done = (SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
            AND table_name = '{prefix}events' AND column_name = 'country');
        SET @change = IF(@is_done, 'DO 0', 'ALTER TABLE {prefix}events ADD COLUMN country VARBINARY(2)');
        PREPARE change_events FROM @change; EXECUTE change_events; DEALLOCATE PREPARE change_events;
        CREATE TABLE IF NOT EXISTS {prefix}upgrades (runs BIGINT NOT NULL) ENGINE = InnoDB;
        INSERT INTO {prefix}upgrades (runs) VALUES (1);";
}
