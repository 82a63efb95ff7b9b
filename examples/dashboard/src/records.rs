//! The host's tables, independent of the database that they are in.

use async_trait::async_trait;
use invitation::{
    UserId, Username,
    sql::{Dialect, sqlx},
};

use crate::{accounts::Account, registrations::Registration, tables::Tables};

/// The operations on the tables that handlers need.
#[async_trait]
pub(crate) trait Records: Send + Sync {
    async fn account(&self, id: &UserId) -> sqlx::Result<Option<Account>>;
    async fn account_named(&self, name: &Username) -> sqlx::Result<Option<Account>>;
    async fn open(&self, registration: &Registration, now: i64) -> sqlx::Result<()>;
    async fn close(&self, id: &str) -> sqlx::Result<()>;
    async fn attempt(&self, id: &str, now: i64) -> sqlx::Result<Option<Registration>>;
}

#[async_trait]
impl<DB: Dialect> Records for Tables<DB> {
    async fn account(&self, id: &UserId) -> sqlx::Result<Option<Account>> {
        self.account(id).await
    }

    async fn account_named(&self, name: &Username) -> sqlx::Result<Option<Account>> {
        self.account_named(name).await
    }

    async fn open(&self, registration: &Registration, now: i64) -> sqlx::Result<()> {
        self.open(registration, now).await
    }

    async fn close(&self, id: &str) -> sqlx::Result<()> {
        self.close(id).await
    }

    async fn attempt(&self, id: &str, now: i64) -> sqlx::Result<Option<Registration>> {
        self.attempt(id, now).await
    }
}
