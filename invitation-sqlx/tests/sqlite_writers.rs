//! Writers of one process that wait for a SQLite file which another process has locked.

#![cfg(feature = "sqlite")]

mod support;

use std::time::{Duration, Instant};

use invitation_core::{Draft, Error, Invitations, StoreErrorKind};
use invitation_sqlx::{
    SqliteStore,
    sqlx::{
        Connection, SqliteConnection, raw_sql,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
    },
};
use support::manager;

const WRITERS: u32 = 16;
const BUSY_TIMEOUT: Duration = Duration::from_millis(300);

/// Each writer waits for at most two lock timeouts in one try, and tries again for a second. If the
/// waits of queued writers added up, the last one would wait for 16 lock timeouts in its first try.
const BOUND: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn waits_of_queued_writers_do_not_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("test.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = SqlitePoolOptions::new().max_connections(WRITERS);
    let store = SqliteStore::new(pool.connect_with(options.clone()).await.unwrap());
    store.migrate().await.unwrap();
    let invitations = Invitations::new(store);
    let create = || {
        let invitations = invitations.clone();
        tokio::spawn(async move { invitations.create(&manager(), Draft::new()).await })
    };

    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let begun = Instant::now();
    let calls: Vec<_> = (0..WRITERS).map(|_| create()).collect();
    for call in calls {
        let Err(Error::Store(error)) = call.await.unwrap() else {
            panic!("an invitation is created while the file is locked")
        };
        assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error:?}");
    }
    let waited = begun.elapsed();
    assert!(waited < BOUND, "{waited:?}");

    raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    for call in (0..WRITERS).map(|_| create()).collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
}
