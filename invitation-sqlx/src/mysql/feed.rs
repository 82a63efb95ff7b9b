//! The feed by positions that are assigned after the commit.
//!
//! An auto-increment is no order of commits, and on a cluster its numbers interleave over the
//! nodes. So `feed` assigns positions to events that are committed and have none yet. It locks
//! the row with the last position meanwhile, so that positions become visible in their order. On
//! a cluster, two nodes that assign at once conflict on that row, and one of them is undone.
//!
//! The lock begins and ends within one message. So a process that freezes or loses its network
//! does not hold it, and cannot stop the feed of the others.

use std::num::NonZeroU32;

use invitation_core::{
    EventId, StoreError, StoreErrorKind,
    feed::{FeedPage, FeedPosition},
};
use sqlx::MySql;

use super::message::Message;
use crate::{
    dialect::{FeedRead, Syntax},
    names::Names,
    ops::{Session, feed::page_by_position, unprepared},
    statement::Statement,
};

/// The maximum number of events that one call assigns positions to.
const MAX_ASSIGNED: usize = 500;

impl FeedRead for MySql {
    /// Returns a page. It takes one round trip if the page is full, two if all events have positions,
    /// and otherwise four.
    async fn feed(
        on: &mut Session<'_, Self>,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let page = page_by_position(on, after, limit).await?;
        if page.more {
            return Ok(page);
        }
        let ids = unassigned(on).await?;
        if ids.is_empty() {
            return Ok(page);
        }
        let may_be_more = match assign(on, &ids).await {
            Ok(()) => ids.len() == MAX_ASSIGNED,
            // Another call assigns positions. If it was undone, a later call repeats its work. This
            // call does not say that there is more, because its consumer would ask again at once for
            // as long as the other call works.
            Err(error) if error.kind() == StoreErrorKind::Conflict => {
                let ended = unprepared::<Self>(on.conn(), super::ROLLBACK).await;
                ended.map_err(|error| on.failed(error))?;
                false
            }
            Err(error) => return Err(error),
        };
        let page = page_by_position(on, after, limit).await?;
        Ok(FeedPage { more: page.more || may_be_more, ..page })
    }
}

/// Returns the ids of committed events without a position, in their order. A plain read neither
/// sees uncommitted events nor waits for them.
async fn unassigned(on: &mut Session<'_, MySql>) -> Result<Vec<EventId>, StoreError> {
    let index = MySql::use_index(&format!("{}events_feed", on.names.prefix()));
    let s = Statement::new(format!(
        "SELECT id FROM {}{index} WHERE position IS NULL ORDER BY id LIMIT {MAX_ASSIGNED}",
        on.names.events
    ));
    s.all(on, |c| c.in_table("events").bytes("id").map(EventId::from_bytes)).await
}

/// Assigns the next positions to committed events, in this order. An event that another call has
/// given a position meanwhile keeps that one.
///
/// # Errors
///
/// Of the kind *conflict*, if another call assigns positions at the same time.
async fn assign(on: &mut Session<'_, MySql>, ids: &[EventId]) -> Result<(), StoreError> {
    let feed = format!("{}feed", on.names.prefix());
    let mut message = Message::beginning();
    let lock = message.len();
    message.add_sql(&format!("SELECT last FROM {feed} WHERE id = 1 FOR UPDATE NOWAIT"));
    message.add(positions(on.names, &feed, ids));
    message.add_sql(&format!("UPDATE {feed} SET last = last + {} WHERE id = 1", ids.len()));
    message.commit();
    let answers = message.send(on.conn()).await;
    let answers = answers.map_err(|error| error.into_store_error(on.operation))?;
    // Without the row, the message has changed nothing.
    let is_locked = answers.get(lock).is_some_and(|rows| !rows.is_empty());
    if is_locked { Ok(()) } else { Err(StoreError::new(StoreErrorKind::Corrupt, "feed")) }
}

/// Writes the statement that assigns the positions behind the last one.
fn positions(names: &Names, feed: &str, ids: &[EventId]) -> Statement<MySql> {
    // By any other index, the update would lock events of open transactions, and wait for them.
    let (events, index) = (&names.events, MySql::use_index("PRIMARY"));
    let mut s = Statement::new(format!(
        "UPDATE {events}{index} SET position = COALESCE(position, \
         (SELECT last FROM {feed} WHERE id = 1) + FIELD(id"
    ));
    for id in ids {
        s.sql(", ").blob(id.as_bytes());
    }
    s.sql(")) WHERE id IN ").list(ids, |s, id| {
        s.blob(id.as_bytes());
    });
    s
}
