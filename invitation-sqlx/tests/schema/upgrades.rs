//! Tests of upgrades that hold on every database: a library with a made-up second migration
//! beside one without it, on the same tables.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use invitation_core::{Criteria, Draft, Invitations, Paging, Role, Status};
use invitation_sqlx::{SqlStore, sqlx::migrate::Migrate};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    promises::Migrating,
    support::{
        admin, create,
        host::{Empty, number, run, tables, unsynced_pool},
        redeemer, redemptions_on_record,
    },
};

/// Creates a test of each promise, on one database.
macro_rules! upgrades {
    ($database:ty) => {
        $crate::support::host::tests!($database, upgrades:
            old_library_works_on_a_newer_schema
            new_library_migrates_while_an_old_one_redeems
            old_and_new_libraries_that_migrate_together_run_each_migration_once
            newer_migration_that_fails_leaves_the_old_library_working
            library_refuses_a_schema_with_another_second_migration
        );
    };
}

pub(crate) use upgrades;

/// The number of migrations of this version of the library.
const SHIPPED: i64 = 1;

/// A made-up second migration, as a later version of the library may have one. It adds columns
/// that may be NULL or have a default, an index and a table, and it counts its runs in that
/// table.
pub(crate) trait Upgrading: Migrating<Connection: Migrate> {
    const SECOND: &'static str;

    /// Opens a store on a pool of its own, as each process of a host does.
    fn process(database: &Empty) -> impl Future<Output = SqlStore<Self>> + Send {
        async move { SqlStore::new(unsynced_pool::<Self>(&database.url, 4).await) }
    }
}

/// Returns the versions of the migrations on record.
async fn recorded<DB: Upgrading>(store: &SqlStore<DB>) -> i64 {
    number(store.pool(), "SELECT COUNT(*) FROM invitation_migrations WHERE success").await
}

/// Returns how often the second migration has run.
async fn runs<DB: Upgrading>(store: &SqlStore<DB>) -> i64 {
    number(store.pool(), "SELECT COUNT(*) FROM invitation_upgrades").await
}

pub(crate) async fn old_library_works_on_a_newer_schema<DB: Upgrading>() {
    let database = DB::empty();
    let [old, new] = [DB::process(&database).await, DB::process(&database).await];
    old.migrate().await.unwrap();
    let [old, new] = [Invitations::new(old), Invitations::new(new)];
    let (_, before) = create(&old).await;
    new.store().migrate_with(&[DB::SECOND]).await.unwrap();

    // An old process that starts again leaves the newer migration alone.
    old.store().migrate().await.unwrap();
    assert_eq!([recorded(old.store()).await, runs(old.store()).await], [SHIPPED + 1, 1]);
    let (_, of_old) = create(&old).await;
    let (_, of_new) = create(&new).await;
    let several = Draft::new().for_uses(2.try_into().unwrap());
    let several =
        old.create(&admin(), several.with_role(Role::new("staff").unwrap())).await.unwrap();
    let several = several.code().reveal().to_string();
    for (library, code, name) in [
        (&old, &before, "anna"),
        (&new, &of_old, "ben"),
        (&old, &of_new, "cleo"),
        (&old, &several, "dora"),
        (&new, &several, "emil"),
    ] {
        library.redeem(code, &redeemer(name)).await.unwrap();
    }
    for library in [&old, &new] {
        let used = Criteria::new().with_status(Status::Used);
        let page = library.list(&admin(), &used, Paging::default()).await.unwrap();
        assert_eq!(page.items().len(), 4);
        assert_eq!(redemptions_on_record(library).await, 5);
    }
}

pub(crate) async fn new_library_migrates_while_an_old_one_redeems<DB: Upgrading>() {
    const CALLERS: usize = 4;
    let database = DB::empty();
    let [old, new] = [DB::process(&database).await, DB::process(&database).await];
    old.migrate().await.unwrap();
    let old = Arc::new(Invitations::new(old));
    let (is_migrated, at_work) =
        (Arc::new(AtomicBool::new(false)), Arc::new(Barrier::new(CALLERS + 1)));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (old, is_migrated) = (Arc::clone(&old), Arc::clone(&is_migrated));
        let at_work = Arc::clone(&at_work);
        callers.spawn(async move {
            let mut redeemed = 0_usize;
            loop {
                // The last round begins after the migration.
                let is_last = is_migrated.load(Ordering::SeqCst);
                let (_, code) = create(&old).await;
                let newcomer = redeemer(&format!("person{caller}x{redeemed}"));
                let fresh = old.redeem(&code, &newcomer).await.unwrap();
                assert!(!fresh.is_replayed());
                redeemed += 1;
                if redeemed == 1 {
                    at_work.wait().await;
                }
                if is_last {
                    return redeemed;
                }
            }
        });
    }
    // All callers have redeemed once, and go on.
    at_work.wait().await;
    new.migrate_with(&[DB::SECOND]).await.unwrap();
    is_migrated.store(true, Ordering::SeqCst);
    let redeemed: usize = callers.join_all().await.into_iter().sum();

    assert_eq!([recorded(&new).await, runs(&new).await], [SHIPPED + 1, 1]);
    let used = "SELECT COUNT(*) FROM invitation_codes WHERE uses = max_uses";
    let redemptions = "SELECT COUNT(*) FROM invitation_events WHERE action = 'redeem'";
    let redeemed = i64::try_from(redeemed).unwrap();
    assert_eq!(number(new.pool(), used).await, redeemed);
    assert_eq!(number(new.pool(), redemptions).await, redeemed);
}

pub(crate) async fn old_and_new_libraries_that_migrate_together_run_each_migration_once<
    DB: Upgrading,
>() {
    const OF_EACH: usize = 4;
    let database = DB::empty();
    let together = Arc::new(Barrier::new(2 * OF_EACH));
    let mut starting = JoinSet::new();
    for number in 0..2 * OF_EACH {
        let (store, together) = (DB::process(&database).await, Arc::clone(&together));
        starting.spawn(async move {
            let newer: &[&str] = if number % 2 == 0 { &[] } else { &[DB::SECOND] };
            together.wait().await;
            store.migrate_with(newer).await
        });
    }
    for started in starting.join_all().await {
        started.unwrap();
    }
    let store = DB::process(&database).await;
    assert_eq!([recorded(&store).await, runs(&store).await], [SHIPPED + 1, 1]);
    create(&Invitations::new(store)).await;
}

pub(crate) async fn newer_migration_that_fails_leaves_the_old_library_working<DB: Upgrading>() {
    let database = DB::empty();
    let [old, new] = [DB::process(&database).await, DB::process(&database).await];
    old.migrate().await.unwrap();
    // A table of that name exists already, without the column.
    run(old.pool(), "CREATE TABLE invitation_upgrades (x INT)").await;
    new.migrate_with(&[DB::SECOND]).await.unwrap_err();

    let old = Invitations::new(old);
    let (_, code) = create(&old).await;
    old.redeem(&code, &redeemer("anna")).await.unwrap();
    if DB::UNDOES_TABLES {
        old.store().migrate().await.unwrap();
    } else {
        // Some statements of the migration were committed. Only a library that has the
        // migration can finish it.
        let error = old.store().migrate().await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("migration 2 of a newer version has not ended"), "{cause}");
    }
    run(new.pool(), "DROP TABLE invitation_upgrades").await;
    new.migrate_with(&[DB::SECOND]).await.unwrap();
    old.store().migrate().await.unwrap();
    assert_eq!([recorded(&new).await, runs(&new).await], [SHIPPED + 1, 1]);
    let (_, code) = create(&old).await;
    old.redeem(&code, &redeemer("ben")).await.unwrap();
}

pub(crate) async fn library_refuses_a_schema_with_another_second_migration<DB: Upgrading>() {
    let database = DB::empty();
    let store = DB::process(&database).await;
    store.migrate_with(&[DB::SECOND]).await.unwrap();
    let before = tables(store.pool()).await;
    let another = store.migrate_with(&["CREATE TABLE {prefix}others (x INT)"]).await.unwrap_err();
    let cause = std::error::Error::source(&another).unwrap().to_string();
    assert!(cause.contains("migration 2 was previously applied but has been modified"), "{cause}");
    assert_eq!(tables(store.pool()).await, before);
    create(&Invitations::new(store)).await;
}
