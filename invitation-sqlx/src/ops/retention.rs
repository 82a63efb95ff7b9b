//! Removal of old events, and of cursors.

use invitation_core::{
    StoreError,
    feed::{CursorName, EventRemoval, EventsRemoved, FeedCursor},
};

use super::{Session, apply, purge::delete_in};
use crate::{dialect::Dialect, row, statement::Statement};

pub(crate) async fn cursors<DB: Dialect>(
    on: &mut Session<'_, DB>,
) -> Result<Vec<FeedCursor>, StoreError> {
    let s = Statement::new(format!("SELECT {} FROM {}", row::CURSOR, on.names.cursors));
    s.all(on, row::cursor).await
}

/// Removes the cursor of a name if it has this version. Returns whether it did.
pub(crate) async fn remove_cursor<DB: Dialect>(
    on: &mut Session<'_, DB>,
    name: &CursorName,
    version: u64,
) -> Result<bool, StoreError> {
    let Ok(version) = i64::try_from(version) else { return Ok(false) };
    let mut step = on.begin().await?;
    let mut s = Statement::new(format!("DELETE FROM {} WHERE name = ", step.names.cursors));
    s.text(name.as_str()).sql(" AND version = ").int(version);
    let is_removed = s.run(&mut step).await? == 1;
    step.commit().await?;
    Ok(is_removed)
}

/// Removes events by their ids, so that no lock covers the place of new events.
pub(crate) async fn remove_events<DB: Dialect>(
    on: &mut Session<'_, DB>,
    removal: &EventRemoval,
) -> Result<EventsRemoved, StoreError> {
    let mut step = on.begin().await?;
    // On SQLite, a position would come again if the last row was removed. This event is behind
    // the removed ones.
    if !apply::write_event(&mut step, removal.event()).await? {
        step.rollback().await?;
        return Ok(EventsRemoved::Before);
    }
    let (table, ids) = (&step.names.events, removal.ids());
    let removed = delete_in(&mut step, table, "id", ids, |id| id.as_bytes()).await?;
    if removed != ids.len() as u64 {
        step.rollback().await?;
        return Ok(EventsRemoved::Changed);
    }
    step.commit().await?;
    Ok(EventsRemoved::Done)
}
