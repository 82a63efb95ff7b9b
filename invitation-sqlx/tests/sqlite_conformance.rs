//! SQLite keeps every promise of the conformance suite, in memory and on a file.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use invitation_core::testing::{Fixture, conformance::race_rounds};
use invitation_sqlx::SqliteStore;

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
