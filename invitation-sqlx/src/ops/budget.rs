//! The budgets of failed guesses: one row for each key with failures in the last two minutes.

use std::num::NonZeroU32;

use invitation_core::{
    StoreError,
    throttle::{BudgetKey, BudgetWindow},
};

use super::Session;
use crate::{dialect::Dialect, statement::Statement};

/// Takes tokens of a budget. Returns how many were taken in its window.
pub(crate) async fn take_tokens<DB: Dialect>(
    on: &mut Session<'_, DB>,
    key: &BudgetKey,
    window: BudgetWindow,
    tokens: NonZeroU32,
) -> Result<u64, StoreError> {
    let (table, tokens) = (&on.names.budgets, i64::from(tokens.get()));
    let mut step = on.begin().await?;
    let mut s = Statement::new(format!("INSERT INTO {table} (id, minute, taken) VALUES ("));
    s.blob(key.as_bytes()).sql(", ").int(window.minute()).sql(", ").int(tokens).sql(")");
    s.sql(count_tokens::<DB>(table));
    s.run(&mut step).await?;
    // The row is locked until the commit.
    let mut s = Statement::new(format!("SELECT taken FROM {table} WHERE id = "));
    s.blob(key.as_bytes());
    let taken = s.only(&mut step, |c| c.in_table("budgets").count("taken")).await?;
    step.commit().await?;
    Ok(taken)
}

/// Removes the rows of windows before the last two. It is a transaction of its own, so that no call
/// that waits for a row here holds another one.
pub(crate) async fn remove_old_budgets<DB: Dialect>(
    on: &mut Session<'_, DB>,
    window: BudgetWindow,
) -> Result<(), StoreError> {
    let mut s = Statement::new(format!("DELETE FROM {} WHERE minute < ", on.names.budgets));
    s.int(window.minute().saturating_sub(1));
    DB::run_as_transaction(on, s).await
}

/// Returns the clause that counts further tokens of a key, as `BudgetCount::after_taking`
/// specifies.
fn count_tokens<DB: Dialect>(table: &str) -> String {
    let [minute, taken] = ["minute", "taken"].map(DB::new_value);
    let (clause, is_later) = (DB::on_conflict("id"), format!("{minute} > {table}.minute"));
    // MySQL assigns from left to right. So the number comes first, and sees the minute before.
    format!(
        "{clause}taken = CASE WHEN {is_later} THEN 0 ELSE {table}.taken END + {taken}, \
         minute = CASE WHEN {is_later} THEN {minute} ELSE {table}.minute END"
    )
}
