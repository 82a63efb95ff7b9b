//! The files and the logs of servers that log everything, and the log of this library.

use std::{
    fs,
    path::{Path, PathBuf},
};

use invitation_core::{Criteria, Invitations, Paging, Reserved, Sealing};
use invitation_sqlx::{
    Dialect, MySqlStore, PgStore, SqlStore, SqliteStore,
    sqlx::{MySqlPool, PgPool},
};
use invitation_testkit::{Canaries, Canary, MariaDb, Postgres};

use crate::{
    Secrets, live, log,
    support::{host::run, manager, redeemer},
};

/// Returns a file of this name among others.
fn named(files: &[PathBuf], name: &str) -> PathBuf {
    let found = files.iter().find(|file| file.file_name().is_some_and(|own| own == name));
    found.unwrap_or_else(|| panic!("no {name} in {files:?}")).clone()
}

/// Searches for a code, and reserves, redeems and refuses it.
async fn present<DB: Dialect>(invitations: &Invitations<SqlStore<DB>>, code: &str) {
    for text in [&code[..4], &code[..9], code] {
        let criteria = Criteria::new().matching(text);
        let found = invitations.list(&manager(), &criteria, Paging::default()).await.unwrap();
        assert_eq!(found.items().len(), 1);
    }
    invitations.check(code, &redeemer("anna"), None).await.unwrap();
    let reserved = invitations.reserve(code, &redeemer("anna")).await.unwrap();
    assert!(matches!(reserved, Reserved::Open(_)));
    invitations.redeem(code, &redeemer("anna")).await.unwrap();
    invitations.redeem(code, &redeemer("late")).await.unwrap_err();
}

/// A server is sent a code only to store it, and only without a keyring. Calls that present a code
/// send its digest.
async fn statements_contain_only_digests<DB: Dialect>(
    store: &SqlStore<DB>,
    statements: &Path,
) -> Secrets {
    let secrets = live(store, async |invitations, code, readable| {
        let created = fs::read(statements).unwrap();
        assert!(readable.trace_in(&created).is_some(), "values are logged");
        present(invitations, code).await;
        let logged = fs::read(statements).unwrap();
        let later = &logged[created.len()..];
        let digest = Sealing::readable().digest(&invitations.parse_code(code).unwrap());
        let digest = Canaries::new([Canary::of_key(digest.as_bytes())]);
        assert!(digest.trace_in(later).is_some(), "the digest is looked up");
        assert_eq!(readable.trace_in(later), None, "the code is not");
    })
    .await;
    let logged = fs::read(statements).unwrap();
    assert_eq!(secrets.sealed.trace_in(&logged), None, "not even to be stored");
    secrets
}

/// No file has a code that was created under a key, or a key. The search finds a code that was
/// created without one.
fn assert_files_contain_no_code(secrets: &Secrets, files: &[PathBuf]) {
    let mut with_readable = 0;
    for file in files {
        let contents = fs::read(file).unwrap();
        assert_eq!(secrets.sealed.trace_in(&contents), None, "{}", file.display());
        with_readable += usize::from(secrets.readable.trace_in(&contents).is_some());
    }
    assert!(with_readable > 0, "the files are those of the store: {files:?}");
    let logged = log().text();
    assert!(logged.contains("invitation_codes"), "statements are logged at this level");
    assert_eq!(secrets.sealed.trace_in(logged.as_bytes()), None, "the log of the program");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_files_and_log_contain_no_code() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("test.db")).await.unwrap();
    let secrets = live(&store, async |_, _, _| {}).await;
    // The database is open: most of it is in its write-ahead log.
    let files: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().path()).collect();
    named(&files, "test.db-wal");
    assert_files_contain_no_code(&secrets, &files);
    run(store.pool(), "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let contents = fs::read(named(&files, "test.db")).unwrap();
    assert_eq!(secrets.sealed.trace_in(&contents), None, "the file with everything in it");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_files_and_logs_contain_no_code() {
    let server = Postgres::with(&[
        ("log_statement", "all"),
        ("log_min_duration_statement", "0"),
        ("log_parameter_max_length", "-1"),
        ("log_parameter_max_length_on_error", "-1"),
        ("log_min_messages", "debug1"),
        ("wal_level", "logical"),
    ])
    .unwrap();
    let store = PgStore::new(PgPool::connect(&server.create_database()).await.unwrap());
    store.migrate().await.unwrap();
    let statements = named(&server.files().unwrap(), "log");
    let secrets = statements_contain_only_digests(&store, &statements).await;
    run(store.pool(), "CHECKPOINT").await;
    let files = server.files().unwrap();
    assert!(
        files.iter().any(|file| file.parent().is_some_and(|folder| folder.ends_with("pg_wal")))
    );
    assert_files_contain_no_code(&secrets, &files);
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_files_and_logs_contain_no_code() {
    let server = MariaDb::with(&[
        ("general-log", "1"),
        ("general-log-file", "general.log"),
        ("log-output", "FILE"),
        ("slow-query-log", "1"),
        ("slow-query-log-file", "slow.log"),
        ("long-query-time", "0"),
        ("log-bin", "binlog"),
        ("binlog-format", "MIXED"),
        ("innodb-flush-log-at-trx-commit", "1"),
    ])
    .unwrap();
    let store = MySqlStore::new(MySqlPool::connect(&server.create_database()).await.unwrap());
    store.migrate().await.unwrap();
    let statements = named(&server.files().unwrap(), "general.log");
    let secrets = statements_contain_only_digests(&store, &statements).await;
    let files = server.files().unwrap();
    for name in ["slow.log", "binlog.000001", "ib_logfile0"] {
        named(&files, name);
    }
    assert_files_contain_no_code(&secrets, &files);
}
