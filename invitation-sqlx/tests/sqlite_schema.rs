//! Migrations: once, whoever starts first, and next to the host's own.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use invitation_core::{Draft, Invitations};
use invitation_sqlx::{
    SqliteStore, TablePrefix, migrations,
    sqlx::{
        self, AssertSqlSafe, SqlSafeStr, Sqlite, SqlitePool,
        migrate::{Migration, MigrationType, Migrator},
        sqlite::{SqliteConnectOptions, SqlitePoolOptions},
    },
};
use support::{create, manager, redeemer};
use tokio::task::JoinSet;

async fn pool(path: &std::path::Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqlitePoolOptions::new().connect_with(options).await.unwrap()
}

async fn tables(pool: &SqlitePool) -> Vec<String> {
    sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_empty_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(pool(&folder.path().join("a.db")).await);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store.clone());
    let (_, code) = create(&invitations).await;
    store.migrate().await.unwrap();
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn from_eight_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let path = path.clone();
        // Each with a pool of its own, as processes have.
        starting.spawn(async move { SqliteStore::open(path).await.map(|_| ()) });
    }
    while let Some(started) = starting.join_next().await {
        started.unwrap().unwrap();
    }
    let invitations = Invitations::new(SqliteStore::open(&path).await.unwrap());
    create(&invitations).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_one_that_failed() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(&folder.path().join("a.db")).await;
    // Something of that name is in the way.
    sqlx::raw_sql("CREATE TABLE invitation_words (x)").execute(&pool).await.unwrap();
    let store = SqliteStore::new(pool.clone());
    store.migrate().await.unwrap_err();
    assert_eq!(tables(&pool).await, ["invitation_words"], "all of it was undone");
    sqlx::raw_sql("DROP TABLE invitation_words").execute(&pool).await.unwrap();
    store.migrate().await.unwrap();
    create(&Invitations::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_to_the_hosts_own_migrations_and_under_any_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(&folder.path().join("a.db")).await;
    let host = Migrator::with_migrations(vec![Migration::new(
        1,
        "users".into(),
        MigrationType::Simple,
        "CREATE TABLE users (name TEXT)".into_sql_str(),
        false,
    )]);
    host.run(&pool).await.unwrap();
    let recorded = "SELECT COUNT(*), MAX(version) FROM _sqlx_migrations";
    let before: (i64, i64) = sqlx::query_as(recorded).fetch_one(&pool).await.unwrap();

    let acme = TablePrefix::new("acme_").unwrap();
    let stores = [SqliteStore::new(pool.clone()), SqliteStore::new(pool.clone()).with_prefix(acme)];
    for store in &stores {
        store.migrate().await.unwrap();
    }
    let after: (i64, i64) = sqlx::query_as(recorded).fetch_one(&pool).await.unwrap();
    assert_eq!(before, after);
    host.run(&pool).await.unwrap();

    let [first, second] = stores.map(Invitations::new);
    let (_, code) = create(&first).await;
    assert!(second.redeem(&code, &redeemer("anna")).await.is_err(), "two prefixes, two worlds");
    let names = tables(&pool).await;
    for table in ["codes", "events", "migrations", "redemptions", "words"] {
        assert!(names.contains(&format!("acme_{table}")), "{names:?}");
        assert!(names.contains(&format!("invitation_{table}")), "{names:?}");
    }
    // Inside a transaction, the store's own prefix is used.
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    second.on(second.store().join(&mut tx)).create(&manager(), Draft::new()).await.unwrap();
    tx.commit().await.unwrap();
    let count = "SELECT COUNT(*) FROM acme_codes";
    let kept: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_tool_of_the_hosts_own() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(&folder.path().join("a.db")).await;
    for sql in migrations::<Sqlite>(&TablePrefix::default()) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    let invitations = Invitations::new(SqliteStore::new(pool));
    let (_, code) = create(&invitations).await;
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
}

#[test]
fn a_prefix_is_a_plain_identifier() {
    for text in ["a", "_x", "inv_2_", &"a".repeat(TablePrefix::MAX_BYTES)] {
        assert!(TablePrefix::new(text).is_ok(), "{text}");
    }
    let long = "a".repeat(TablePrefix::MAX_BYTES + 1);
    for text in ["", "1a", "A", "a-b", "a b", "a;", "a\"", "é", "{prefix}", &long] {
        assert!(TablePrefix::new(text).is_err(), "{text}");
    }
}
