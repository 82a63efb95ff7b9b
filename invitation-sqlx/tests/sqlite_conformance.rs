//! SQLite keeps every promise of the conformance suite, in memory and on a file.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::num::NonZeroU32;

use invitation_core::testing::{
    Fixture,
    conformance::{race_rounds, race_rounds_for_uses, race_rounds_with_leases},
};
use invitation_sqlx::{
    SqliteStore,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

async fn on_a_file() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("test.db")).await.unwrap();
    Fixture::new(store).keeping(folder)
}

async fn in_memory() -> Fixture {
    Fixture::new(SqliteStore::in_memory().await.unwrap())
}

mod promises_on_a_file {
    invitation_core::conformance!(super::on_a_file);
}

mod promises_in_memory {
    invitation_core::conformance!(super::in_memory);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_redeem_a_thousand_codes_once_each() {
    race_rounds(on_a_file().await, 1_000).await;
}

/// A file that would not survive a power cut, so that many rounds take little time.
async fn on_a_quick_file() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("test.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off);
    let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
    let store = SqliteStore::new(pool);
    store.migrate().await.unwrap();
    Fixture::new(store).keeping(folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_redeem_codes_for_several() {
    for uses in [3, 5] {
        let uses = NonZeroU32::new(uses).unwrap();
        race_rounds_for_uses(on_a_quick_file().await, 1_000, uses).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_crowds_redeem_and_reserve() {
    for uses in [1, 3, 5] {
        let uses = NonZeroU32::new(uses).unwrap();
        race_rounds_with_leases(on_a_quick_file().await, 1_000, uses).await;
    }
}
