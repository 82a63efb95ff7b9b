//! Opens the store that `DATABASE_URL` names.

use std::{env, str::FromStr, sync::Arc};

use invitation::{
    PgStore, RedisStore, SqliteStore, Store,
    redis_store::RedisOptions,
    sql::sqlx::{
        PgPool, SqlitePool,
        sqlite::{SqliteConnectOptions, SqliteJournalMode},
    },
};

use crate::Result;

pub(crate) async fn open() -> Result<Arc<dyn Store>> {
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite:bulk_import.db".to_owned());
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "sqlite" => {
            let options = SqliteConnectOptions::from_str(&url)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal);
            let store = SqliteStore::new(SqlitePool::connect_with(options).await?);
            store.migrate().await?;
            Ok(Arc::new(store))
        }
        "postgres" | "postgresql" => {
            let store = PgStore::new(PgPool::connect(&url).await?);
            store.migrate().await?;
            Ok(Arc::new(store))
        }
        "redis" => Ok(Arc::new(RedisStore::connect(&url, RedisOptions::new()).await?)),
        _ => Err("DATABASE_URL: must begin with sqlite:, postgres: or redis:".into()),
    }
}
