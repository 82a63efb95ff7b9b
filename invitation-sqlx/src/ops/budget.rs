//! The budgets of failed guesses: one row for each key with failures in the last two minutes.

use std::num::NonZeroU32;

use invitation_core::{
    StoreError,
    throttle::{BudgetKey, BudgetWindow},
};

use super::{Begin, Step};
use crate::{
    dialect::Dialect,
    error::{commit_error, store_error},
    names::Names,
    row,
    statement::Statement,
};

/// Takes tokens of a budget. Returns how many were taken in its window.
pub(crate) async fn take_tokens<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    key: &BudgetKey,
    window: BudgetWindow,
    tokens: NonZeroU32,
) -> Result<u64, StoreError> {
    let failed = |error| store_error::<DB>("take_tokens", error);
    let (table, tokens) = (&names.budgets, i64::from(tokens.get()));
    let mut step = Step::<DB>::begin(conn, Begin::Own).await.map_err(failed)?;
    let (alias, then) = DB::COUNT_TOKENS;
    let mut s =
        Statement::<DB>::new(format!("INSERT INTO {table}{alias} (id, minute, taken) VALUES ("));
    s.blob(key.as_bytes()).sql(", ").int(window.minute()).sql(", ").int(tokens).sql(")").sql(then);
    s.run(step.conn()).await.map_err(failed)?;
    // The row is locked until the commit.
    let mut s = Statement::<DB>::new(format!("SELECT taken FROM {table} WHERE id = "));
    s.blob(key.as_bytes());
    let found = s.only(step.conn()).await.map_err(failed)?;
    let taken = row::taken_tokens::<DB>(&found)?;
    step.commit().await.map_err(|error| commit_error::<DB>("take_tokens", error))?;
    Ok(taken)
}

/// Removes the rows of windows before the last two. It is a transaction of its own, so that no call
/// that waits for a row here holds another one.
pub(crate) async fn remove_old_budgets<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    window: BudgetWindow,
) -> Result<(), StoreError> {
    let mut s = Statement::<DB>::new(format!("DELETE FROM {} WHERE minute < ", names.budgets));
    s.int(window.minute().saturating_sub(1));
    DB::run_as_transaction(conn, "take_tokens", s).await
}
