//! The budgets of failed guesses that processes share.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    StoreError,
    throttle::{BudgetKey, BudgetWindow, SharedBudgets},
};

use crate::{SqlStore, calls::change, dialect::Dialect, ops};

#[async_trait]
impl<DB: Dialect> SharedBudgets for SqlStore<DB> {
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError> {
        change!(self, "take_tokens", None, on => ops::take_tokens(on, key, window, tokens))
    }
}
