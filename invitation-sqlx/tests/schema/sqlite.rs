//! Migrations on SQLite.

use invitation_sqlx::sqlx::{Sqlite, SqlitePool};

use crate::promises::{Migrating, promises};

promises!(Sqlite);

impl Migrating for Sqlite {
    const LAST: &'static str = "search_terms";
    const UNDOES_TABLES: bool = true;

    async fn is_free(pool: &SqlitePool) -> bool {
        // A running migration holds the only write lock.
        pool.begin_with("BEGIN IMMEDIATE").await.is_ok()
    }
}
