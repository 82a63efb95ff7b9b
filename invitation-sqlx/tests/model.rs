//! Every database agrees with the model over random sequences: SQLite over 10,000, the
//! servers over 500. Each is split in two, to use both cores of the machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;

use invitation_conformance::model;
use invitation_core::Store;
use invitation_sqlx::SqlStore;
use support::host::{Kind, run, tables, unsynced_pool};

/// One database for all sequences: emptied for each, and closed and reopened within it.
struct Database<DB: Kind> {
    url: Arc<str>,
    store: Option<SqlStore<DB>>,
}

#[async_trait::async_trait]
impl<DB: Kind> model::StoreProvider for Database<DB> {
    async fn open(&mut self) -> Arc<dyn Store> {
        let first = self.store.is_none();
        if let Some(former) = self.store.take() {
            former.pool().close().await;
        }
        let store = SqlStore::<DB>::new(unsynced_pool(&self.url, 1).await);
        store.migrate().await.unwrap();
        if first {
            empty(&store).await;
        }
        self.store = Some(store.clone());
        Arc::new(store)
    }
}

/// Deletes all data except the record of the migrations.
async fn empty<DB: Kind>(store: &SqlStore<DB>) {
    let names = tables(store.pool()).await.into_iter();
    let names = names.filter(|name| name != "invitation_migrations");
    let emptied: Vec<_> = names.map(|name| format!("DELETE FROM {name};")).collect();
    run(store.pool(), &emptied.concat()).await;
}

fn check<DB: Kind>(seed: u64, cases: u32, max_len: usize) {
    let database = DB::empty();
    let url: Arc<str> = database.url.as_str().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = || Database::<DB> { url: Arc::clone(&url), store: None };
    model::check(seed, cases, max_len, &runtime, database);
}

macro_rules! sequences {
    ($name:ident, $database:ty: short $short:expr, long $long:expr) => {
        mod $name {
            #[test]
            fn short_sequences_agree() {
                let (seed, cases) = $short;
                super::check::<$database>(seed, cases, 10);
            }

            #[test]
            fn long_sequences_agree() {
                let (seed, cases) = $long;
                super::check::<$database>(seed, cases, 25);
            }
        }
    };
}

#[cfg(feature = "mysql")]
sequences!(mysql, invitation_sqlx::sqlx::MySql: short (15, 350), long (16, 150));
#[cfg(feature = "postgres")]
sequences!(postgres, invitation_sqlx::sqlx::Postgres: short (13, 350), long (14, 150));
#[cfg(feature = "sqlite")]
sequences!(sqlite, invitation_sqlx::sqlx::Sqlite: short (11, 7_000), long (12, 3_000));
