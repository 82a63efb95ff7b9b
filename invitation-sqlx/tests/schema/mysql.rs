//! Migrations on MariaDB, where each statement commits by itself.

use invitation_core::StoreErrorKind;
use invitation_sqlx::{
    MySqlStore, SqlStore,
    sqlx::{self, MySql, MySqlPool, mysql::MySqlPoolOptions},
};
use invitation_testkit::MariaDb;

use crate::{
    promises::{Migrating, promises},
    support::host::{Kind, number, run, tables},
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

/// Without autocommit, a read leaves a transaction open in the pool, and later reads of its
/// connection would show the state at its beginning.
#[tokio::test(flavor = "multi_thread")]
async fn pool_without_autocommit_is_refused() {
    let database = MySql::empty();
    let options = MySqlPoolOptions::new().after_connect(|conn, _| {
        Box::pin(async { sqlx::raw_sql("SET autocommit = 0").execute(conn).await.map(drop) })
    });
    let store = SqlStore::new(options.connect(&database.url).await.unwrap());
    let error = store.migrate().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Other);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("SET autocommit = 1"), "{source}");
    let pool = MySqlPool::connect(&database.url).await.unwrap();
    assert_eq!(tables(&pool).await, [""; 0], "nothing was created");
}

/// The server turns autocommit off. The library's own connections turn it on.
#[tokio::test(flavor = "multi_thread")]
async fn library_turns_autocommit_on_for_its_own_pool() {
    let server = MariaDb::with(&[("autocommit", "0")]).unwrap();
    let url = server.create_database();
    let store = MySqlStore::connect(&url).await.unwrap();
    let autocommit = "SELECT CAST(@@autocommit AS SIGNED)";
    assert_eq!(number(store.pool(), autocommit).await, 1);
    let others = MySqlPool::connect(&url).await.unwrap();
    assert_eq!(number(&others, autocommit).await, 0);
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
