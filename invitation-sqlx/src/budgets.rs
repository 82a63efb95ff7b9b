//! The budgets of failed guesses that processes share.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    StoreError,
    throttle::{BudgetKey, BudgetWindow, SharedBudgets},
};

use crate::{SqlStore, dialect::Dialect, ops, store::retried};

#[async_trait]
impl<DB: Dialect> SharedBudgets for SqlStore<DB> {
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError> {
        let names = &self.names;
        let mut conn = self.connections.acquire("take_tokens").await?;
        retried!(self, conn, None, ops::take_tokens::<DB>(&mut conn, names, key, window, tokens))
    }
}
