//! Migrations on SQLite.

use invitation_sqlx::sqlx::{Sqlite, SqlitePool};

use crate::{
    promises::{Migrating, promises},
    upgrades::{Upgrading, upgrades},
};

promises!(Sqlite);
upgrades!(Sqlite);

impl Migrating for Sqlite {
    const LAST: &'static str = "search_terms";
    const UNDOES_TABLES: bool = true;

    async fn is_free(pool: &SqlitePool) -> bool {
        // A running migration holds the only write lock.
        pool.begin_with("BEGIN IMMEDIATE").await.is_ok()
    }
}

impl Upgrading for Sqlite {
    const SECOND: &'static str = "
        ALTER TABLE {prefix}codes ADD COLUMN note TEXT;
        ALTER TABLE {prefix}codes ADD COLUMN weight INTEGER NOT NULL DEFAULT 1;
        CREATE INDEX {prefix}codes_note ON {prefix}codes (note);
        ALTER TABLE {prefix}redemptions ADD COLUMN note TEXT;
        ALTER TABLE {prefix}events ADD COLUMN country TEXT;
        CREATE TABLE IF NOT EXISTS {prefix}upgrades (runs INTEGER NOT NULL);
        INSERT INTO {prefix}upgrades (runs) VALUES (1);";
}
