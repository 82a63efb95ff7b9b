//! The budgets of failed guesses in the in-memory store.

use std::num::NonZeroU32;

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    store_error::StoreError,
    throttle::{BudgetKey, BudgetWindow, SharedBudgets},
};

#[async_trait]
impl SharedBudgets for MemoryStore {
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError> {
        let budgets = &mut self.state().budgets;
        let count = budgets.get(key).copied().unwrap_or_default().after_taking(window, tokens);
        if budgets.insert(*key, count).is_none() {
            budgets.retain(|_, count| count.window.is_kept_in(window));
        }
        Ok(count.taken)
    }
}
