//! Migrations on PostgreSQL: once, whoever starts first, and next to the host's own.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "postgres")]

mod support;

use invitation_core::Invitations;
use invitation_sqlx::{
    PgStore, TablePrefix, migrations,
    sqlx::{
        self, AssertSqlSafe, PgPool, Postgres, SqlSafeStr,
        migrate::{Migration, MigrationType, Migrator},
    },
};
use invitation_testkit::Postgres as Server;
use support::{create, redeemer};
use tokio::task::JoinSet;

async fn tables(pool: &PgPool) -> Vec<String> {
    let sql = "SELECT tablename::TEXT FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
}

async fn held_locks(pool: &PgPool) -> i64 {
    let sql = "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
         WHERE l.locktype = 'advisory' AND d.datname = current_database()";
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_empty_and_again() {
    let pool = PgPool::connect(&Server::shared().create_database()).await.unwrap();
    let store = PgStore::new(pool);
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store.clone());
    let (_, code) = create(&invitations).await;
    store.migrate().await.unwrap();
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn from_eight_at_once() {
    let url = Server::shared().create_database();
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        // Each with a pool of its own, as processes have.
        starting.spawn(async move {
            let store = PgStore::new(PgPool::connect(&url).await.unwrap());
            store.migrate().await
        });
    }
    while let Some(started) = starting.join_next().await {
        started.unwrap().unwrap();
    }
    create(&Invitations::new(PgStore::new(PgPool::connect(&url).await.unwrap()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_one_that_failed() {
    let pool = PgPool::connect(&Server::shared().create_database()).await.unwrap();
    // Something of that name is in the way.
    sqlx::raw_sql("CREATE TABLE invitation_words (x INT)").execute(&pool).await.unwrap();
    let store = PgStore::new(pool.clone());
    store.migrate().await.unwrap_err();
    assert_eq!(tables(&pool).await, ["invitation_words"], "all of it was undone");
    assert_eq!(held_locks(&pool).await, 0);
    sqlx::raw_sql("DROP TABLE invitation_words").execute(&pool).await.unwrap();
    store.migrate().await.unwrap();
    create(&Invitations::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_to_the_hosts_own_migrations_and_under_any_prefix() {
    let pool = PgPool::connect(&Server::shared().create_database()).await.unwrap();
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
    let stores = [PgStore::new(pool.clone()), PgStore::new(pool.clone()).with_prefix(acme)];
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
    let pool = PgPool::connect(&Server::shared().create_database()).await.unwrap();
    for sql in migrations::<Postgres>(&TablePrefix::default()) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    let invitations = Invitations::new(PgStore::new(pool));
    let (_, code) = create(&invitations).await;
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
}
