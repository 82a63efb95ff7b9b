//! SQLite does what the model says, over 10,000 random sequences. Split over two
//! tests, so that they share the machine's cores.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{path::PathBuf, sync::Arc};

use invitation_core::{Store, testing::model};
use invitation_sqlx::{
    SqliteStore,
    sqlx::{
        self,
        sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
    },
};

/// One file for all sequences: emptied for each, closed and opened again within.
struct File {
    path: PathBuf,
    store: Option<SqliteStore>,
}

const EMPTY: &str = "DELETE FROM invitation_codes; DELETE FROM invitation_redemptions; \
     DELETE FROM invitation_leases; DELETE FROM invitation_requests; \
     DELETE FROM invitation_standings; DELETE FROM invitation_words; DELETE FROM invitation_events;";

#[async_trait::async_trait]
impl model::Harness for File {
    async fn open(&mut self) -> Arc<dyn Store> {
        let first = self.store.is_none();
        if let Some(former) = self.store.take() {
            former.pool().close().await;
        }
        // What a power cut leaves is not what is tested here.
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .synchronous(SqliteSynchronous::Off);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let store = SqliteStore::new(pool.unwrap());
        store.migrate().await.unwrap();
        if first {
            sqlx::raw_sql(EMPTY).execute(store.pool()).await.unwrap();
        }
        self.store = Some(store.clone());
        Arc::new(store)
    }
}

fn check(seed: u64, cases: u32, max_len: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    model::check(seed, cases, max_len, &runtime, || File { path: path.clone(), store: None });
}

#[test]
fn short_sequences_agree() {
    check(11, 7_000, 10);
}

#[test]
fn long_sequences_agree() {
    check(12, 3_000, 25);
}
