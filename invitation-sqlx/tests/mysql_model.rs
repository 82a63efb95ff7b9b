//! MariaDB does what the model says, over 500 random sequences.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "mysql")]

use std::sync::Arc;

use invitation_core::{Store, testing::model};
use invitation_sqlx::{
    MySqlStore,
    sqlx::{self, mysql::MySqlPoolOptions},
};
use invitation_testkit::MariaDb;

/// One database for all sequences: emptied for each, connected to anew within.
struct Database {
    url: Arc<str>,
    store: Option<MySqlStore>,
}

const EMPTY: &str = "DELETE FROM invitation_codes; DELETE FROM invitation_redemptions; \
     DELETE FROM invitation_leases; DELETE FROM invitation_requests; \
     DELETE FROM invitation_standings; DELETE FROM invitation_words; DELETE FROM invitation_events;";

#[async_trait::async_trait]
impl model::Harness for Database {
    async fn open(&mut self) -> Arc<dyn Store> {
        let first = self.store.is_none();
        if let Some(former) = self.store.take() {
            former.pool().close().await;
        }
        let pool = MySqlPoolOptions::new().max_connections(1).connect(&self.url).await;
        let store = MySqlStore::new(pool.unwrap());
        if first {
            store.migrate().await.unwrap();
            sqlx::raw_sql(EMPTY).execute(store.pool()).await.unwrap();
        }
        self.store = Some(store.clone());
        Arc::new(store)
    }
}

#[test]
fn sequences_agree() {
    let url: Arc<str> = MariaDb::shared().create_database().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = || Database { url: Arc::clone(&url), store: None };
    model::check(15, 350, 10, &runtime, database);
    model::check(16, 150, 25, &runtime, database);
}
