//! The cursors of consumers of the feed.

use invitation_core::{
    StoreError,
    feed::{CursorName, FeedCursor},
};

use super::{Begin, Step};
use crate::{
    dialect::Dialect,
    error::{commit_error, store_error},
    names::Names,
    row,
    statement::Statement,
    values::InputRow,
};

pub(crate) async fn cursor<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    name: &CursorName,
) -> Result<Option<FeedCursor>, StoreError> {
    let mut s = Statement::<DB>::new(format!(
        "SELECT {} FROM {} WHERE name = ",
        row::CURSOR,
        names.cursors
    ));
    s.text(name.as_str());
    let found = s.first(conn).await.map_err(|error| store_error::<DB>("cursor", error))?;
    found.as_ref().map(row::cursor::<DB>).transpose()
}

/// Stores a cursor in place of the one with the version before, unless that has a later claim.
/// Returns whether it did.
pub(crate) async fn replace_cursor<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    cursor: &FeedCursor,
) -> Result<bool, StoreError> {
    let failed = |error| store_error::<DB>("replace_cursor", error);
    let before = cursor.version.checked_sub(1).map(i64::try_from);
    let Some(Ok(before)) = before else { return Ok(false) };
    let mut step = Step::<DB>::begin(conn, Begin::Own).await.map_err(failed)?;
    let is_replaced = if before == 0 {
        let sql = format!("INSERT INTO {} ({}) VALUES (", names.cursors, row::CURSOR);
        let mut s = Statement::<DB>::new(sql);
        s.values(cursor.values()).sql(")");
        s.run_unless_taken(step.conn(), "name").await.map_err(failed)?
    } else {
        let mut s = Statement::<DB>::new(format!("UPDATE {} SET ", names.cursors));
        s.assignments(row::CURSOR.split(", ").zip(cursor.values()));
        let claims = i64::try_from(cursor.claims).unwrap_or(i64::MAX);
        s.sql(" WHERE name = ").text(cursor.name.as_str()).sql(" AND version = ").int(before);
        s.sql(" AND claims <= ").int(claims);
        s.run(step.conn()).await.map_err(failed)? == 1
    };
    step.commit().await.map_err(|error| commit_error::<DB>("replace_cursor", error))?;
    Ok(is_replaced)
}
