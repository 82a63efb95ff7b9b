//! The host's accounts, in SQLite. There is one account per key, however often it is
//! requested, and each step is committed before the next.

use std::path::Path;

use invitation::{reserve::ReservationId, sql::sqlx};
use sqlx::{Row, SqlitePool, sqlite::SqliteConnectOptions};

use crate::{
    Result,
    registration::{Account, Accounts},
};

/// The table of accounts.
pub(crate) struct Table(SqlitePool);

impl Table {
    pub(crate) async fn open(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await?;
        let table = "CREATE TABLE IF NOT EXISTS accounts \
             (key TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, active INT NOT NULL)";
        sqlx::query(table).execute(&pool).await?;
        Ok(Self(pool))
    }
}

impl Accounts for Table {
    async fn create(&self, key: ReservationId, name: &str, role: &str) -> Result {
        let sql = "INSERT INTO accounts (key, name, role, active) VALUES (?, ?, ?, 0) \
             ON CONFLICT (key) DO NOTHING";
        sqlx::query(sql).bind(key.to_string()).bind(name).bind(role).execute(&self.0).await?;
        Ok(())
    }

    async fn activate(&self, key: ReservationId) -> Result {
        let sql = "UPDATE accounts SET active = 1 WHERE key = ?";
        sqlx::query(sql).bind(key.to_string()).execute(&self.0).await?;
        Ok(())
    }

    async fn remove(&self, key: ReservationId) -> Result {
        let sql = "DELETE FROM accounts WHERE key = ?";
        sqlx::query(sql).bind(key.to_string()).execute(&self.0).await?;
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Account>> {
        let sql = "SELECT key, name, role, active FROM accounts ORDER BY name";
        let rows = sqlx::query(sql).fetch_all(&self.0).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let key: String = row.try_get("key")?;
            let active: i64 = row.try_get("active")?;
            Ok(Account {
                key: key.parse()?,
                name: row.try_get("name")?,
                role: row.try_get("role")?,
                active: active == 1,
            })
        };
        rows.iter().map(read).collect()
    }
}
