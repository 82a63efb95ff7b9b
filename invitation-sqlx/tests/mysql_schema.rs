//! Migrations on MariaDB: once, whoever starts first, and next to the host's own.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

mod support;

use invitation_core::Invitations;
use invitation_sqlx::{
    MySqlStore, TablePrefix, migrations,
    sqlx::{
        self, AssertSqlSafe, MySql, MySqlPool, SqlSafeStr,
        migrate::{Migration, MigrationType, Migrator},
    },
};
use invitation_testkit::MariaDb;
use support::{create, redeemer};
use tokio::task::JoinSet;

async fn connect() -> MySqlPool {
    MySqlPool::connect(&MariaDb::shared().create_database()).await.unwrap()
}

/// Whether nobody holds the lock that keeps others from migrating.
async fn is_free(pool: &MySqlPool) -> bool {
    let sql = "SELECT IS_FREE_LOCK(CONCAT('invitation ', MD5(DATABASE())))";
    let free: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
    free == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn from_empty_and_again() {
    let store = MySqlStore::new(connect().await);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store.clone());
    let (_, code) = create(&invitations).await;
    store.migrate().await.unwrap();
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    assert!(is_free(store.pool()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_eight_at_once() {
    let url = MariaDb::shared().create_database();
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        // Each with a pool of its own, as processes have.
        starting.spawn(async move {
            let store = MySqlStore::new(MySqlPool::connect(&url).await.unwrap());
            store.migrate().await
        });
    }
    while let Some(started) = starting.join_next().await {
        started.unwrap().unwrap();
    }
    let pool = MySqlPool::connect(&url).await.unwrap();
    let recorded = "SELECT COUNT(*) FROM invitation_migrations WHERE success";
    let recorded: i64 = sqlx::query_scalar(recorded).fetch_one(&pool).await.unwrap();
    assert_eq!(
        recorded,
        i64::try_from(migrations::<MySql>(&TablePrefix::default()).len()).unwrap()
    );
    create(&Invitations::new(MySqlStore::new(pool))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_one_that_failed() {
    let pool = connect().await;
    // Something of that name is in the way.
    sqlx::raw_sql("CREATE TABLE invitation_overview (x INT)").execute(&pool).await.unwrap();
    let store = MySqlStore::new(pool.clone());
    store.migrate().await.unwrap_err();
    // Some of it was done, for each statement commits by itself; but nothing holds on.
    let until_free = async {
        while !is_free(&pool).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), until_free).await.unwrap();
    sqlx::raw_sql("DROP TABLE invitation_overview").execute(&pool).await.unwrap();
    store.migrate().await.unwrap();
    create(&Invitations::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_to_the_hosts_own_migrations_and_under_any_prefix() {
    let pool = connect().await;
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
    let longest = TablePrefix::new(&"a".repeat(TablePrefix::MAX_BYTES)).unwrap();
    let stores =
        [MySqlStore::new(pool.clone()), MySqlStore::new(pool.clone()).with_prefix(longest)];
    for store in &stores {
        store.migrate().await.unwrap();
    }
    let after: (i64, i64) = sqlx::query_as(recorded).fetch_one(&pool).await.unwrap();
    assert_eq!(before, after);
    host.run(&pool).await.unwrap();
    let [first, second] = stores.map(Invitations::new);
    let (_, code) = create(&first).await;
    assert!(second.redeem(&code, &redeemer("anna")).await.is_err(), "two prefixes, two worlds");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_tool_of_the_hosts_own() {
    let pool = connect().await;
    for sql in migrations::<MySql>(&TablePrefix::default()) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    let invitations = Invitations::new(MySqlStore::new(pool));
    let (_, code) = create(&invitations).await;
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
}
