//! On SQLite, which ends a whole transaction by itself after some errors: a full disk, an
//! interrupt.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use invitation_core::{Error, Invitations, Redeemed, StoreError};
use invitation_sqlx::{
    SqliteStore,
    sqlx::{
        self, Connection, SqliteConnection, SqlitePool,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
    },
};
use tempfile::TempDir;

use crate::support::{
    create,
    host::{add_user, number, run, try_to_add_user},
    redeemer, redemptions_on_record, uses,
};

/// Where the database is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    File(SqliteJournalMode),
    Memory,
}

const KEPT: [Kept; 3] =
    [Kept::File(SqliteJournalMode::Wal), Kept::File(SqliteJournalMode::Delete), Kept::Memory];

const ROOM: &str = "PRAGMA max_page_count = 1000000";

/// A host with one connection and small pages, so that little fills one.
struct Host {
    invitations: Invitations<SqliteStore>,
    pool: SqlitePool,
    _folder: TempDir,
}

impl Host {
    async fn new(kept: Kept) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().page_size(512);
        let options = match kept {
            Kept::File(mode) => options
                .filename(folder.path().join("host.db"))
                .create_if_missing(true)
                .journal_mode(mode),
            Kept::Memory => options.in_memory(true),
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await
            .unwrap();
        let store = SqliteStore::new(pool.clone());
        store.migrate().await.unwrap();
        run(&pool, "CREATE TABLE users (name TEXT PRIMARY KEY)").await;
        Self { invitations: Invitations::new(store), pool, _folder: folder }
    }

    /// Leaves no room for another page on the one connection.
    async fn fill(&self) {
        let pages = number(&self.pool, "PRAGMA page_count").await;
        run(&self.pool, &format!("PRAGMA max_page_count = {pages}")).await;
    }

    async fn make_room(&self) {
        run(&self.pool, ROOM).await;
    }

    async fn users(&self) -> i64 {
        number(&self.pool, "SELECT COUNT(*) FROM users").await
    }

    /// What is redeemed has its evidence and its account, one to one.
    async fn is_consistent(&self, accounts: i64) {
        assert_eq!(self.users().await, accounts);
        assert_eq!(i64::from(uses(&self.invitations).await), accounts);
        let on_record = redemptions_on_record(&self.invitations).await;
        assert_eq!(i64::try_from(on_record).unwrap(), accounts);
    }
}

async fn begin(pool: &SqlitePool) -> sqlx::Transaction<'static, sqlx::Sqlite> {
    pool.begin_with("BEGIN IMMEDIATE").await.unwrap()
}

fn ended(told: Result<Redeemed, Error>) -> StoreError {
    let Err(Error::Store(error)) = told else { panic!("there is no room: {told:?}") };
    assert!(error.transaction_ended(), "{error:?}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn store_works_again_after_a_full_disk() {
    for kept in KEPT {
        let host = Host::new(kept).await;
        let (_, code) = create(&host.invitations).await;
        host.fill().await;
        let mut failed = 0;
        for _ in 0..20 {
            let draft = invitation_core::Draft::new();
            let made = host.invitations.create(&crate::support::manager(), draft).await;
            failed += u32::from(made.is_err());
        }
        assert!(failed > 10, "{kept:?}: there is no room for 20");
        host.make_room().await;
        host.invitations.redeem(&code, &redeemer("anna")).await.unwrap();
        create(&host.invitations).await;
        assert_eq!(redemptions_on_record(&host.invitations).await, 1);
    }
}

/// What a host does after the error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    Commits,
    RollsBack,
    Drops,
}

/// Redeems where there is no room, and goes on as a host does that looks at no error.
async fn redeem_in_vain(host: &Host, code: &str, conn: &mut SqliteConnection) {
    // Each search term is a row.
    let anna = redeemer(&format!("anna {}", ["x1 x2 x3"; 9].join(" and ")));
    {
        let joined = host.invitations.on(host.invitations.store().join_connection(conn));
        ended(joined.redeem(code, &anna).await);
        ended(joined.redeem(code, &anna).await);
    }
    // Space is there again before the host goes on.
    sqlx::raw_sql(ROOM).execute(&mut *conn).await.unwrap();
    ended(
        host.invitations
            .on(host.invitations.store().join_connection(conn))
            .redeem(code, &anna)
            .await,
    );
    sqlx::raw_sql("INSERT INTO users VALUES ('ben')").execute(conn).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_keeps_no_work_of_the_hosts_transaction() {
    for kept in KEPT {
        for then in [Then::Commits, Then::RollsBack, Then::Drops] {
            for is_nested in [false, true] {
                let what = format!("{kept:?} {then:?} nested: {is_nested}");
                let host = Host::new(kept).await;
                let (_, code) = create(&host.invitations).await;
                host.fill().await;
                let mut tx = begin(&host.pool).await;
                add_user(&mut tx, "anna").await;
                if is_nested {
                    let mut inner = tx.begin().await.unwrap();
                    redeem_in_vain(&host, &code, &mut inner).await;
                    match then {
                        Then::Commits => inner.commit().await.unwrap(),
                        Then::RollsBack => inner.rollback().await.unwrap(),
                        Then::Drops => drop(inner),
                    }
                } else {
                    redeem_in_vain(&host, &code, &mut tx).await;
                }
                match then {
                    Then::Commits => drop(tx.commit().await.expect_err(&what)),
                    Then::RollsBack => tx.rollback().await.unwrap(),
                    Then::Drops => drop(tx),
                }
                host.is_consistent(0).await;

                // The host repeats its whole transaction, on the same connection.
                let mut tx = begin(&host.pool).await;
                add_user(&mut tx, "anna").await;
                let joined = host.invitations.on(host.invitations.store().join(&mut tx));
                joined.redeem(&code, &redeemer("anna")).await.unwrap();
                tx.commit().await.unwrap();
                host.is_consistent(1).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_ended_by_the_hosts_statement_is_not_joined() {
    for kept in KEPT {
        let host = Host::new(kept).await;
        let (_, code) = create(&host.invitations).await;
        host.fill().await;
        let mut tx = begin(&host.pool).await;
        let long = "x".repeat(5_000);
        try_to_add_user(&mut tx, &long).await.expect_err("there is no room");
        sqlx::raw_sql(ROOM).execute(&mut *tx).await.unwrap();
        let joined = host.invitations.on(host.invitations.store().join(&mut tx));
        ended(joined.redeem(&code, &redeemer("anna")).await);
        tx.commit().await.unwrap_err();
        host.is_consistent(0).await;
        host.invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_after_a_failed_commit_of_the_host_is_reusable() {
    let host = Host::new(Kept::File(SqliteJournalMode::Wal)).await;
    let (_, code) = create(&host.invitations).await;
    // The driver counts a transaction that SQLite has ended.
    host.fill().await;
    let mut tx = begin(&host.pool).await;
    try_to_add_user(&mut tx, &"x".repeat(5_000)).await.expect_err("there is no room");
    tx.rollback().await.expect_err("there is nothing to roll back");
    host.pool.begin_with("BEGIN IMMEDIATE").await.expect_err("the driver counts one");

    host.make_room().await;
    host.invitations.redeem(&code, &redeemer("anna")).await.unwrap();
    let mut tx = begin(&host.pool).await;
    add_user(&mut tx, "anna").await;
    tx.commit().await.unwrap();
    host.is_consistent(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_of_an_opened_file_repairs_ended_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("host.db")).await.unwrap();
    for store in [store, SqliteStore::in_memory().await.unwrap()] {
        let pool = store.pool();
        run(pool, "CREATE TABLE users (name TEXT PRIMARY KEY)").await;
        for end in ["rollback", "commit", "drop"] {
            let mut tx = begin(pool).await;
            // What a full disk does.
            sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.unwrap();
            match end {
                "rollback" => drop(tx.rollback().await),
                "commit" => drop(tx.commit().await),
                _ => drop(tx),
            }
            for _ in 0..pool.size() {
                let mut tx = begin(pool).await;
                try_to_add_user(&mut tx, "anna").await.unwrap();
                tx.rollback().await.unwrap();
            }
        }
    }
}

/// Interrupts SQLite once, in the middle of a statement, after this number of steps.
async fn interrupt_after(conn: &mut SqliteConnection, steps: i64) -> Arc<AtomicI64> {
    let left = Arc::new(AtomicI64::new(steps));
    let counted = Arc::clone(&left);
    let mut handle = conn.lock_handle().await.unwrap();
    handle.set_progress_handler(1, move || counted.fetch_sub(1, Ordering::Relaxed) != 0);
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_call_interrupted_anywhere_keeps_all_or_nothing() {
    for kept in [Kept::File(SqliteJournalMode::Wal), Kept::Memory] {
        let host = Host::new(kept).await;
        let mut accounts = 0;
        let mut interrupted = 0;
        for step in (0..).step_by(7) {
            let (_, code) = create(&host.invitations).await;
            let person = format!("person-{step}");
            let mut tx = begin(&host.pool).await;
            add_user(&mut tx, &person).await;
            let left = interrupt_after(&mut tx, step).await;
            let told = host
                .invitations
                .on(host.invitations.store().join(&mut tx))
                .redeem(&code, &redeemer(&person))
                .await;
            let is_over = left.load(Ordering::Relaxed) >= 0;
            // The connection may have been closed.
            if let Ok(mut handle) = tx.lock_handle().await {
                handle.remove_progress_handler();
            }
            // A host that looks at no error.
            let more = try_to_add_user(&mut tx, &format!("{person}-more")).await;
            let done = tx.commit().await;
            let after = host.users().await;
            let made = i64::from(uses(&host.invitations).await);
            match (&told, &done) {
                (Ok(_), Ok(())) => {
                    assert_eq!(after, accounts + 2, "{kept:?} {step}");
                    let on_record = redemptions_on_record(&host.invitations).await;
                    assert_eq!(made, i64::try_from(on_record).unwrap());
                }
                (Err(_), Ok(())) => {
                    interrupted += 1;
                    let Err(Error::Store(error)) = &told else { panic!("{told:?}") };
                    assert!(!error.transaction_ended(), "{kept:?} {step}: it was committed");
                    more.unwrap();
                    assert_eq!(after, accounts + 2, "{kept:?} {step}: the transaction was open");
                }
                (_, Err(_)) => {
                    interrupted += 1;
                    assert!(told.is_err());
                    assert_eq!(after, accounts, "{kept:?} {step}: nothing is kept");
                }
            }
            accounts = after;
            host.invitations.redeem(&code, &redeemer(&person)).await.unwrap();
            if is_over {
                break;
            }
            assert!(step < 20_000, "a redemption is not that long");
            if accounts > 150 {
                run(&host.pool, "DELETE FROM users").await;
                accounts = 0;
            }
        }
        assert!(interrupted > 20, "{kept:?}: {interrupted}");
    }
}
