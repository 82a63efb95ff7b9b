//! The feed by transactions.
//!
//! A sequence alone gives no order of commits: PostgreSQL assigns its numbers before the commit.
//! So the order is that of transaction ids, up to the oldest transaction that is still open. All
//! transactions before that one have ended, and no event is added to them.

use std::{cmp::Ordering, num::NonZeroU32};

use invitation_core::{
    StoreError, StoreErrorKind,
    feed::{FeedEpoch, FeedPage, FeedPosition},
};
use sqlx::Postgres;

use crate::{
    dialect::FeedRead,
    ops::{self, Session},
    statement::Statement,
};

/// The cause of the error for tables of another server.
const FOREIGN: &str = "the events have transaction ids of another server";

impl FeedRead for Postgres {
    async fn feed(
        on: &mut Session<'_, Self>,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let (transaction, sequence) = after.map_or((0, 0), place);
        let mut s = ops::feed::select(on.names, "e.transaction::TEXT::BIGINT", "e.sequence", "");
        // The snapshot is that of this statement, because the transaction has no other.
        s.sql("e.transaction < pg_snapshot_xmin(pg_current_snapshot()) AND ");
        // There is no cast from numbers to transaction ids.
        s.sql("(e.transaction, e.sequence) > (").int(transaction).sql("::BIGINT::TEXT::XID8, ");
        s.int(sequence).sql(") ORDER BY e.transaction, e.sequence");
        let page = ops::feed::page(on, s, limit).await?;
        if !page.more {
            refuse_foreign_events(on).await?;
        }
        Ok(page)
    }
}

/// Returns an error if the table has events of transactions that this server has not begun: the
/// tables were restored from another server. They would stay out of the feed, or stand in it
/// behind later events.
async fn refuse_foreign_events(on: &mut Session<'_, Postgres>) -> Result<(), StoreError> {
    let s = Statement::new(format!(
        "SELECT 1 FROM {} e WHERE e.transaction >= pg_snapshot_xmax(pg_current_snapshot()) \
         ORDER BY e.transaction LIMIT 1",
        on.names.events
    ));
    match s.first(on, |_| Ok(())).await? {
        None => Ok(()),
        Some(()) => Err(StoreError::new(StoreErrorKind::Corrupt, on.operation).because(FOREIGN)),
    }
}

/// Returns the transaction and the sequence after which a page begins.
fn place(after: FeedPosition) -> (i64, i64) {
    let part = |part| i64::try_from(part).unwrap_or(i64::MAX);
    match after.epoch.cmp(&FeedEpoch::FIRST.number) {
        Ordering::Less => (0, 0),
        Ordering::Equal => (part(after.transaction), part(after.sequence)),
        Ordering::Greater => (i64::MAX, i64::MAX),
    }
}
