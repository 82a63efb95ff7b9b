//! Removal of old events, and of cursors.

use invitation_core::{
    StoreError,
    feed::{CursorName, EventRemoval, EventsRemoved, FeedCursor},
};

use super::{Begin, Step, apply, purge::delete_in};
use crate::{
    dialect::Dialect,
    error::{commit_error, store_error},
    names::Names,
    row,
    statement::Statement,
};

pub(crate) async fn cursors<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
) -> Result<Vec<FeedCursor>, StoreError> {
    let s = Statement::<DB>::new(format!("SELECT {} FROM {}", row::CURSOR, names.cursors));
    let found = s.all(conn).await.map_err(|error| store_error::<DB>("cursors", error))?;
    found.iter().map(row::cursor::<DB>).collect()
}

/// Removes the cursor of a name if it has this version. Returns whether it did.
pub(crate) async fn remove_cursor<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    name: &CursorName,
    version: u64,
) -> Result<bool, StoreError> {
    let failed = |error| store_error::<DB>("remove_cursor", error);
    let Ok(version) = i64::try_from(version) else { return Ok(false) };
    let mut step = Step::<DB>::begin(conn, Begin::Own).await.map_err(failed)?;
    let mut s = Statement::<DB>::new(format!("DELETE FROM {} WHERE name = ", names.cursors));
    s.text(name.as_str()).sql(" AND version = ").int(version);
    let is_removed = s.run(step.conn()).await.map_err(failed)? == 1;
    step.commit().await.map_err(|error| commit_error::<DB>("remove_cursor", error))?;
    Ok(is_removed)
}

/// Removes events by their ids, so that no lock covers the place of new events.
pub(crate) async fn remove_events<DB: Dialect>(
    conn: &mut DB::Connection,
    names: &Names,
    removal: &EventRemoval,
) -> Result<EventsRemoved, StoreError> {
    let failed = |error| store_error::<DB>("remove_events", error);
    let mut step = Step::<DB>::begin(conn, Begin::Own).await.map_err(failed)?;
    // On SQLite, a position would come again if the last row was removed. This event is behind
    // the removed ones.
    let is_new = apply::write_event::<DB>(step.conn(), names, removal.event()).await;
    if !is_new.map_err(failed)? {
        step.rollback().await.map_err(failed)?;
        return Ok(EventsRemoved::Before);
    }
    let (table, ids) = (&names.events, removal.ids());
    let removed = delete_in::<DB, _>(step.conn(), table, "id", ids, |id| id.as_bytes()).await;
    if removed.map_err(failed)? != ids.len() as u64 {
        step.rollback().await.map_err(failed)?;
        return Ok(EventsRemoved::Changed);
    }
    step.commit().await.map_err(|error| commit_error::<DB>("remove_events", error))?;
    Ok(EventsRemoved::Done)
}
