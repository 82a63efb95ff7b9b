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

/// The kinds of stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Sqlite,
    Postgres,
    Redis,
}

pub(crate) async fn open() -> Result<Arc<dyn Store>> {
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite:bulk_import.db".to_owned());
    match kind_of(&url)? {
        Kind::Sqlite => {
            let options = SqliteConnectOptions::from_str(&url)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal);
            let store = SqliteStore::new(SqlitePool::connect_with(options).await?);
            store.migrate().await?;
            Ok(Arc::new(store))
        }
        Kind::Postgres => {
            let store = PgStore::new(PgPool::connect(&url).await?);
            store.migrate().await?;
            Ok(Arc::new(store))
        }
        Kind::Redis => Ok(Arc::new(RedisStore::connect(&url, RedisOptions::new()).await?)),
    }
}

/// Returns the kind of the store that a URL names.
fn kind_of(url: &str) -> Result<Kind> {
    match url.split(':').next().unwrap_or_default() {
        "sqlite" => Ok(Kind::Sqlite),
        "postgres" | "postgresql" => Ok(Kind::Postgres),
        "redis" => Ok(Kind::Redis),
        "rediss" if cfg!(feature = "redis-tls") => Ok(Kind::Redis),
        "rediss" => {
            Err("DATABASE_URL: begins with rediss:, which needs the feature redis-tls".into())
        }
        _ => Err("DATABASE_URL: must begin with sqlite:, postgres:, redis: or rediss:".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_over_tls_needs_its_feature() {
        let found = kind_of("rediss://127.0.0.1");
        if cfg!(feature = "redis-tls") {
            assert_eq!(found.unwrap(), Kind::Redis);
        } else {
            assert!(found.unwrap_err().to_string().contains("redis-tls"));
        }
        assert_eq!(kind_of("redis://127.0.0.1").unwrap(), Kind::Redis);
        assert!(kind_of("oracle://127.0.0.1").is_err());
    }
}
