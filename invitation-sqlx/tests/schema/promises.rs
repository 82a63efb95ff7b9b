//! Tests of migrations that hold on every database.

use std::{future::Future, sync::Arc, time::Duration};

use invitation_core::{Criteria, Draft, Error, Invitations, OsEntropy, Paging, StoreErrorKind};
use invitation_sqlx::{
    SqlStore, TablePrefix, migrations,
    sqlx::{
        Pool, SqlSafeStr,
        migrate::{Migrate, Migration, MigrationType, Migrator},
    },
};
use tokio::task::JoinSet;

use crate::support::{
    create,
    host::{Kind, number, run, tables},
    manager, redeemer,
};

/// Creates a test of each promise, on one database.
macro_rules! promises {
    ($database:ty) => {
        $crate::support::host::tests!($database, promises:
            store_without_tables_says_to_migrate
            repeated_migration_changes_nothing
            eight_concurrent_migrations_run_each_step_once
            after_one_that_failed
            migration_under_any_prefix_leaves_the_hosts_migrations_alone
            migration_by_the_hosts_own_tool_works
        );
    };
}

pub(crate) use promises;

/// The differences between the databases for migrations.
pub(crate) trait Migrating: Kind<Connection: Migrate> {
    /// The name, without the prefix, of a table or view that the migration creates late.
    const LAST: &'static str;
    /// Whether a failing migration rolls back the tables that it has created.
    const UNDOES_TABLES: bool;

    /// Returns whether the migration lock is free.
    fn is_free(pool: &Pool<Self>) -> impl Future<Output = bool> + Send;
}

pub(crate) async fn store_without_tables_says_to_migrate<DB: Migrating>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(Pool::connect(&database.url).await.unwrap());
    let (invitations, manager) = (Invitations::new(store.clone()), manager());
    let code = invitations.code_format().generate(&OsEntropy).unwrap().reveal();
    let criteria = Criteria::new();
    let list = invitations.list(&manager, &criteria, Paging::default());
    for error in [
        invitations.create(&manager, Draft::new()).await.err(),
        invitations.redeem(&code, &redeemer("anna")).await.err(),
        list.await.err(),
    ] {
        let Some(Error::Store(error)) = error else { panic!("{error:?}") };
        assert_eq!(error.kind(), StoreErrorKind::NotMigrated);
        assert!(error.to_string().contains("call `migrate`"), "{error}");
        assert!(!error.is_retryable());
    }
    store.migrate().await.unwrap();
    invitations.create(&manager, Draft::new()).await.unwrap();
}

pub(crate) async fn repeated_migration_changes_nothing<DB: Migrating>() {
    let database = DB::empty();
    let store = SqlStore::<DB>::new(Pool::connect(&database.url).await.unwrap());
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store.clone());
    let (_, code) = create(&invitations).await;
    store.migrate().await.unwrap();
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    assert!(DB::is_free(store.pool()).await);
}

pub(crate) async fn eight_concurrent_migrations_run_each_step_once<DB: Migrating>() {
    let database = DB::empty();
    let url: Arc<str> = database.url.as_str().into();
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let url = Arc::clone(&url);
        starting.spawn(async move { DB::open(&url).await.map(|_| ()) });
    }
    while let Some(started) = starting.join_next().await {
        started.unwrap().unwrap();
    }
    let pool = Pool::<DB>::connect(&url).await.unwrap();
    let recorded = "SELECT COUNT(*) FROM invitation_migrations WHERE success";
    let all = migrations::<DB>(&TablePrefix::default()).len();
    assert_eq!(number(&pool, recorded).await, i64::try_from(all).unwrap());
    create(&Invitations::new(SqlStore::new(pool))).await;
}

pub(crate) async fn after_one_that_failed<DB: Migrating>() {
    let database = DB::empty();
    let pool = Pool::<DB>::connect(&database.url).await.unwrap();
    // A table of that name exists already.
    let in_the_way = format!("invitation_{}", DB::LAST);
    run(&pool, &format!("CREATE TABLE {in_the_way} (x INT)")).await;
    let store = SqlStore::new(pool.clone());
    store.migrate().await.unwrap_err();
    if DB::UNDOES_TABLES {
        assert_eq!(tables(&pool).await, [in_the_way.as_str()], "all of it was undone");
        assert!(DB::is_free(&pool).await);
    } else {
        // Some statements were committed, because each commits by itself. The lock is
        // released.
        let until_free = async {
            while !DB::is_free(&pool).await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), until_free).await.unwrap();
    }
    run(&pool, &format!("DROP TABLE {in_the_way}")).await;
    store.migrate().await.unwrap();
    create(&Invitations::new(store)).await;
}

pub(crate) async fn migration_under_any_prefix_leaves_the_hosts_migrations_alone<DB: Migrating>() {
    let database = DB::empty();
    let pool = Pool::<DB>::connect(&database.url).await.unwrap();
    let host = Migrator::with_migrations(vec![Migration::new(
        1,
        "users".into(),
        MigrationType::Simple,
        "CREATE TABLE users (name TEXT)".into_sql_str(),
        false,
    )]);
    host.run(&pool).await.unwrap();
    let recorded = ["SELECT COUNT(*)", "SELECT MAX(version)"]
        .map(|what| format!("{what} FROM _sqlx_migrations"));
    let recorded = async || [number(&pool, &recorded[0]).await, number(&pool, &recorded[1]).await];
    let before = recorded().await;
    let prefixes = ["acme_".to_owned(), "a".repeat(TablePrefix::MAX_BYTES)];
    let [acme, longest] = prefixes.map(|prefix| TablePrefix::new(&prefix).unwrap());
    let store = SqlStore::new(pool.clone());
    let stores =
        [store.clone(), store.clone().with_prefix(acme), store.with_prefix(longest.clone())];
    for store in &stores {
        store.migrate().await.unwrap();
    }
    assert_eq!(recorded().await, before);
    host.run(&pool).await.unwrap();

    let [first, second, third] = stores.map(Invitations::new);
    let (_, code) = create(&first).await;
    for other in [&second, &third] {
        assert!(other.redeem(&code, &redeemer("anna")).await.is_err(), "two prefixes, two worlds");
    }
    let names = tables(&pool).await;
    for table in ["codes", "events", "migrations", "redemptions", "search_terms"] {
        for prefix in ["invitation_", "acme_", longest.as_str()] {
            assert!(names.contains(&format!("{prefix}{table}")), "{names:?}");
        }
    }
    // Inside a transaction, the store's own prefix is used.
    let mut tx = DB::begin(&pool).await;
    second.on(second.store().join(&mut tx)).create(&manager(), Draft::new()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(number(&pool, "SELECT COUNT(*) FROM acme_codes").await, 1);
}

pub(crate) async fn migration_by_the_hosts_own_tool_works<DB: Migrating>() {
    let database = DB::empty();
    let pool = Pool::<DB>::connect(&database.url).await.unwrap();
    for sql in migrations::<DB>(&TablePrefix::default()) {
        run(&pool, &sql).await;
    }
    let invitations = Invitations::new(SqlStore::new(pool));
    let (_, code) = create(&invitations).await;
    invitations.redeem(&code, &redeemer("anna")).await.unwrap();
}
