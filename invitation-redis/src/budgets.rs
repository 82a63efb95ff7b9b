//! The budgets of failed guesses that processes share.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    StoreError,
    throttle::{BudgetKey, BudgetWindow, SharedBudgets},
};

use crate::{calls::Answer, script::TAKE_TOKENS, store::RedisStore};

#[async_trait]
impl SharedBudgets for RedisStore {
    async fn take_tokens(
        &self,
        key: &BudgetKey,
        window: BudgetWindow,
        tokens: NonZeroU32,
    ) -> Result<u64, StoreError> {
        let (minute, tokens) = (window.minute().to_string(), tokens.to_string());
        let arguments = [key.as_bytes().to_vec(), minute.into_bytes(), tokens.into_bytes()];
        let answer = self.calls.write("take_tokens", &TAKE_TOKENS, &arguments).await?;
        let mut answer = Answer::of("take_tokens", answer)?;
        match answer.word() {
            b"taken" => Ok(u64::try_from(answer.number()?).unwrap_or(u64::MAX)),
            _ => Err(answer.odd()),
        }
    }
}
