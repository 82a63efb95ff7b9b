//! Reading the feed, where the position of an event is in its row.

use std::num::NonZeroU32;

use invitation_core::{
    StoreError,
    feed::{FeedEpoch, FeedPage, FeedPosition},
};

use super::Session;
use crate::{dialect::Dialect, names::Names, row, statement::Statement};

/// Writes the query of events `e` up to its condition. The arguments are the expressions of the
/// two parts of a position.
pub(crate) fn select<DB: Dialect>(
    names: &Names,
    transaction: &str,
    sequence: &str,
    use_index: &str,
) -> Statement<DB> {
    let columns = row::qualified(row::EVENT, "e");
    let events = &names.events;
    Statement::new(format!(
        "SELECT {columns}, {transaction}, {sequence} FROM {events} e{use_index} WHERE "
    ))
}

/// Returns the page of a query that is complete but for its limit.
pub(crate) async fn page<DB: Dialect>(
    on: &mut Session<'_, DB>,
    mut s: Statement<DB>,
    limit: NonZeroU32,
) -> Result<FeedPage, StoreError> {
    s.sql(" LIMIT ").sql(FeedPage::one_more(limit));
    let events = s.all(on, row::feed_event).await?;
    Ok(FeedPage::from_one_more(FeedEpoch::FIRST, events, limit))
}

/// Returns the events behind a position, where the column `position` has the sequence.
pub(crate) async fn page_by_position<DB: Dialect>(
    on: &mut Session<'_, DB>,
    after: Option<FeedPosition>,
    limit: NonZeroU32,
) -> Result<FeedPage, StoreError> {
    let mut s = select(on.names, "0", "e.position", "");
    s.sql("e.position > ").int(sequence_after(after)).sql(" ORDER BY e.position");
    page(on, s, limit).await
}

/// Returns the sequence after which a page begins, where all events are in transaction 0.
fn sequence_after(after: Option<FeedPosition>) -> i64 {
    let after = after.map_or(0, |after| after.sequence_within(FeedEpoch::FIRST.number, 0));
    i64::try_from(after).unwrap_or(i64::MAX)
}
