//! The cursors of consumers of the feed.

use invitation_core::{
    StoreError,
    feed::{CursorName, FeedCursor},
};

use super::Session;
use crate::{dialect::Dialect, row, statement::Statement, values::InputRow};

pub(crate) async fn cursor<DB: Dialect>(
    on: &mut Session<'_, DB>,
    name: &CursorName,
) -> Result<Option<FeedCursor>, StoreError> {
    let mut s =
        Statement::new(format!("SELECT {} FROM {} WHERE name = ", row::CURSOR, on.names.cursors));
    s.text(name.as_str());
    s.first(on, row::cursor).await
}

/// Stores a cursor in place of the one with the version before, unless that has a later claim.
/// Returns whether it did.
pub(crate) async fn replace_cursor<DB: Dialect>(
    on: &mut Session<'_, DB>,
    cursor: &FeedCursor,
) -> Result<bool, StoreError> {
    let before = cursor.version.checked_sub(1).map(i64::try_from);
    let Some(Ok(before)) = before else { return Ok(false) };
    let mut step = on.begin().await?;
    let is_replaced = if before == 0 {
        let sql = format!("INSERT INTO {} ({}) VALUES (", step.names.cursors, row::CURSOR);
        let mut s = Statement::new(sql);
        s.values(cursor.values()).sql(")");
        s.run_unless_taken(&mut step, "name").await?
    } else {
        let mut s = Statement::new(format!("UPDATE {} SET ", step.names.cursors));
        s.assignments(row::CURSOR.split(", ").zip(cursor.values()));
        s.sql(" WHERE name = ").text(cursor.name.as_str()).sql(" AND version = ").int(before);
        s.sql(" AND claims <= ").int(row::cursor_number(cursor.claims));
        s.run(&mut step).await? == 1
    };
    step.commit().await?;
    Ok(is_replaced)
}
