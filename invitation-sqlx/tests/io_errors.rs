//! A database whose writes fail: nothing acknowledged is lost, no code is half-redeemed, and the
//! store serves again on the same pool when writes succeed again.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(target_os = "linux", feature = "sqlite", feature = "postgres", feature = "mysql"))]

mod support;

use std::{io, process::Command, time::Duration};

use invitation_core::{Draft, Error, Invitations, Metadata, Role};
use invitation_sqlx::{
    SqlStore,
    sqlx::{self, MySql, Pool, Sqlite, pool::PoolOptions},
};
use invitation_testkit::{MariaDb, Postgres};
use support::{
    admin,
    host::{Kind, number, run, try_to_add_user},
    redeemer,
};
use tokio::time::{sleep, timeout};

/// How long anything may take before the test is given up.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many calls fail while nothing can be written.
const FAILURES: usize = 20;

/// Metadata that make a row long, so that a file soon has to grow.
fn draft() -> Draft {
    let long = format!("{{\"note\": \"{}\"}}", "x".repeat(3_500));
    Draft::new()
        .with_role(Role::new("staff").unwrap())
        .with_metadata(Metadata::from_json(&long).unwrap())
}

/// Creates a code and redeems it with an account, in a transaction of the host's if `n` is
/// even. Returns the code and the person, if all of that was acknowledged.
async fn redeem_new<DB: Kind>(
    invitations: &Invitations<SqlStore<DB>>,
    n: usize,
) -> Result<(String, String), Option<Error>> {
    let created = invitations.create(&admin(), draft()).await.map_err(Some)?;
    let code = created.code().reveal().to_string();
    let is_joined = n.is_multiple_of(2);
    let person = format!("{}-{n}", if is_joined { "host" } else { "own" });
    let who = redeemer(&person);
    if is_joined {
        let begun = DB::try_to_begin(invitations.store().pool()).await;
        let mut tx = begun.map_err(|_| None)?;
        try_to_add_user(&mut tx, &person).await.map_err(|_| None)?;
        invitations
            .on(invitations.store().join(&mut tx))
            .redeem(&code, &who)
            .await
            .map_err(Some)?;
        tx.commit().await.map_err(|_| None)?;
    } else {
        invitations.redeem(&code, &who).await.map_err(Some)?;
    }
    Ok((code, person))
}

/// What is redeemed has its evidence and its account, one to one.
async fn is_consistent<DB: Kind>(pool: &Pool<DB>) {
    let counted = async |sql: &str| number(pool, sql).await;
    let used = counted("SELECT COUNT(*) FROM invitation_codes WHERE uses = 1").await;
    let events = "SELECT COUNT(*) FROM invitation_events WHERE action = 'redeem' \
                  AND reason IS NULL AND outcome = 'succeeded'";
    assert_eq!(used, counted(events).await);
    let hosts = "SELECT COUNT(*) FROM invitation_codes WHERE used_name LIKE 'host-%'";
    assert_eq!(counted(hosts).await, counted("SELECT COUNT(*) FROM users").await);
}

async fn pool<DB: Kind>(url: &str) -> Pool<DB> {
    let options = PoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(10));
    options.connect(url).await.unwrap()
}

/// Calls the store while no file may grow beyond `bytes`, and afterwards. `prepare` runs
/// before.
async fn survives<DB: Kind>(
    store: SqlStore<DB>,
    pool: Pool<DB>,
    prepare: &str,
    bytes: u64,
    limit: impl Fn(Option<u64>) -> io::Result<()>,
) {
    run(&pool, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
    let invitations = Invitations::new(store);
    let mut told = Vec::new();
    for n in 0..10 {
        told.push(redeem_new(&invitations, n).await.unwrap());
    }
    run(&pool, prepare).await;
    limit(Some(bytes)).unwrap();
    let mut failures = 0;
    let failing = async {
        for n in 10.. {
            match redeem_new(&invitations, n).await {
                Ok(redeemed) => told.push(redeemed),
                Err(error) => {
                    failures += 1;
                    if let Some(error) = error {
                        assert!(matches!(error, Error::Store(_)), "no refusal: {error:?}");
                    }
                }
            }
            if failures == FAILURES {
                break;
            }
        }
    };
    timeout(PATIENCE, failing).await.expect("writes fail");
    limit(None).unwrap();
    // The server may recover first.
    let recovering = async {
        while redeem_new(&invitations, 1_000_001).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, recovering).await.expect("it serves again");
    for n in 0..10 {
        told.push(redeem_new(&invitations, 2_000_000 + n).await.unwrap());
    }
    for (code, person) in &told {
        let again = invitations.redeem(code, &redeemer(person)).await.unwrap();
        assert!(again.is_replayed(), "{person}");
    }
    is_consistent(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_with_failing_writes_loses_nothing() {
    let server = MariaDb::start().unwrap();
    let pool = pool::<MySql>(&server.create_database()).await;
    let store = SqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    survives(store, pool, "DO 0", 1, |bytes| server.limit_files(bytes)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_with_failing_writes_loses_nothing() {
    // PostgreSQL stops when it cannot write its log, whose segments have 16 MiB. So the table of
    // events grows beyond that before: by rows of a transaction that is undone. Autovacuum would
    // remove them.
    const PREPARE: &str = "ALTER TABLE invitation_events SET (autovacuum_enabled = false);
         DO $$ BEGIN
             ALTER TABLE invitation_events DROP CONSTRAINT invitation_events_pkey;
             WHILE pg_relation_size('invitation_events') <= 17 << 20 LOOP
                 INSERT INTO invitation_events SELECT * FROM invitation_events;
             END LOOP;
             RAISE EXCEPTION 'undo';
         EXCEPTION WHEN raise_exception THEN NULL;
         END $$";
    let server = Postgres::start().unwrap();
    let pool = pool::<sqlx::Postgres>(&server.create_database()).await;
    let store = SqlStore::new(pool.clone());
    store.migrate().await.unwrap();
    survives(store, pool, PREPARE, 16 << 20, |bytes| server.limit_files(bytes)).await;
}

/// In a process of its own, which has a limit of its own.
#[test]
fn a_sqlite_file_whose_writes_fail_loses_nothing() {
    const FOLDER: &str = "INVITATION_LIMITED_FILES";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let file = std::path::PathBuf::from(folder).join("host.db");
        let limit = |bytes: Option<u64>| {
            let soft = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
            let mut limit = Command::new("prlimit");
            limit.arg(format!("--pid={}", std::process::id()));
            let done = limit.arg(format!("--fsize={soft}:unlimited")).status()?;
            if done.success() { Ok(()) } else { Err(io::Error::other("prlimit")) }
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(async {
            let store = Sqlite::open(&format!("sqlite:{}", file.display())).await.unwrap();
            let pool = store.pool().clone();
            survives(store, pool, "SELECT 1", 1, limit).await;
        });
    }
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new("sh")
        // A write beyond the limit is an error then, and no signal that ends the process.
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "a_sqlite_file_whose_writes_fail_loses_nothing", "--nocapture"])
        .env(FOLDER, folder.path())
        .status()
        .unwrap();
    assert!(done.success());
}
