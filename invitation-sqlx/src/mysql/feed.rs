//! The feed by positions that are assigned after the commit.
//!
//! An auto-increment is no order of commits, and on a cluster its numbers interleave over the
//! nodes. So `feed` assigns positions to events that are committed and have none yet. It locks
//! the row with the last position meanwhile, so that positions become visible in their order. On
//! a cluster, two nodes that assign at once conflict on that row, and one of them is undone.

use std::num::NonZeroU32;

use invitation_core::{
    EventId, StoreError, StoreErrorKind,
    feed::{FeedPage, FeedPosition},
};
use sqlx::{MySql, MySqlConnection};

use super::message::Message;
use crate::{
    dialect::Dialect,
    error::store_error,
    names::Names,
    ops::{feed::page_by_position, unprepared},
    row,
    statement::Statement,
};

/// The maximum number of events that one call assigns positions to.
const MAX_ASSIGNED: usize = 500;

/// Returns a page. It takes one round trip if the page is full, two if all events have positions,
/// and otherwise five.
pub(super) async fn feed(
    conn: &mut MySqlConnection,
    names: &Names,
    after: Option<FeedPosition>,
    limit: NonZeroU32,
) -> Result<FeedPage, StoreError> {
    let page = page_by_position::<MySql>(conn, names, after, limit).await?;
    if page.more || !is_any_unassigned(conn, names).await? {
        return Ok(page);
    }
    let is_all = match assign(conn, names).await {
        Ok(is_all) => is_all,
        // Another call assigns positions. If it was undone, the next call repeats its work.
        Err(error) if error.kind() == StoreErrorKind::Conflict => {
            let ended = unprepared::<MySql>(conn, super::ROLLBACK).await;
            ended.map_err(|error| store_error::<MySql>("feed", error))?;
            false
        }
        Err(error) => return Err(error),
    };
    let page = page_by_position::<MySql>(conn, names, after, limit).await?;
    Ok(FeedPage { more: page.more || !is_all, ..page })
}

/// Writes the query of committed events without a position. A plain read neither sees uncommitted
/// events nor waits for them.
fn unassigned(names: &Names, limit: usize) -> String {
    let index = MySql::use_index(&format!("{}events_feed", names.prefix()));
    format!(
        "SELECT id FROM {}{index} WHERE position IS NULL ORDER BY id LIMIT {limit}",
        names.events
    )
}

async fn is_any_unassigned(conn: &mut MySqlConnection, names: &Names) -> Result<bool, StoreError> {
    let found = Statement::<MySql>::new(unassigned(names, 1)).first(conn).await;
    Ok(found.map_err(|error| store_error::<MySql>("feed", error))?.is_some())
}

/// Assigns the next positions to committed events, in the order of their ids. Returns whether
/// none is left.
///
/// # Errors
///
/// Of the kind *conflict*, if another call assigns positions at the same time.
async fn assign(conn: &mut MySqlConnection, names: &Names) -> Result<bool, StoreError> {
    let corrupt = || StoreError::new(StoreErrorKind::Corrupt, "feed");
    let feed = format!("{}feed", names.prefix());
    let mut message = Message::beginning();
    message.add_sql(&format!("SELECT last FROM {feed} WHERE id = 1 FOR UPDATE NOWAIT"));
    message.add_sql(&unassigned(names, MAX_ASSIGNED));
    let answers = message.send(conn).await.map_err(|error| error.into_store_error("feed"))?;
    let [.., last, ids] = &answers[..] else { return Err(corrupt()) };
    let last = last.first().map(row::last_position::<MySql>).transpose()?.ok_or_else(corrupt)?;
    let ids = ids.iter().map(row::event_id::<MySql>).collect::<Result<Vec<_>, _>>()?;
    let added = i64::try_from(ids.len()).ok();
    let next = added.and_then(|added| last.checked_add(added)).ok_or_else(corrupt)?;

    let mut message = Message::default();
    if !ids.is_empty() {
        message.add(positions(names, last, &ids));
        message.add_sql(&format!("UPDATE {feed} SET last = {next} WHERE id = 1"));
    }
    message.commit();
    message.send(conn).await.map_err(|error| error.into_store_error("feed"))?;
    Ok(ids.len() < MAX_ASSIGNED)
}

/// Writes the statement that assigns the positions behind `last`.
fn positions(names: &Names, last: i64, ids: &[EventId]) -> Statement<MySql> {
    let mut s = Statement::new(format!("UPDATE {} SET position = {last} + FIELD(id", names.events));
    for id in ids {
        s.sql(", ").blob(id.as_bytes());
    }
    s.sql(") WHERE id IN ").list(ids, |s, id| {
        s.blob(id.as_bytes());
    });
    s
}
