//! The budgets of failed guesses that processes share.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    StoreError,
    throttle::{BudgetKey, BudgetWindow, SharedBudgets},
};

use crate::{
    SqlStore,
    calls::{attempt, retried},
    dialect::Dialect,
    ops,
};

#[async_trait]
impl<DB: Dialect> SharedBudgets for SqlStore<DB> {
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError> {
        let mut conn = self.connections.acquire("take_tokens").await?;
        let taken = retried!(
            self, conn, "take_tokens", None, on => ops::take_tokens(on, key, window, tokens)
        )?;
        if taken == u64::from(tokens.get()) {
            // The first tokens of a window. They are committed, so the call succeeds even if this
            // fails. The first tokens of another window then remove the rest.
            let removed =
                attempt!(self, conn, "take_tokens", on => ops::remove_old_budgets(on, window));
            removed.ok();
        }
        Ok(taken)
    }
}
