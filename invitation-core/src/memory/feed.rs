//! The feed of the in-memory store: the order of writing. And the cursors of consumers.

use std::num::NonZeroU32;

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    event::Event,
    feed::{
        CursorName, Feed, FeedCursor, FeedCursors, FeedEpoch, FeedEvent, FeedPage, FeedPosition,
    },
    store_error::StoreError,
};

/// The epoch and the transaction of every position.
const GROUP: (u64, u64) = (FeedEpoch::FIRST.number, 0);

/// Returns the position of the event at this index.
fn position(index: usize) -> FeedPosition {
    let (epoch, transaction) = GROUP;
    let sequence = u64::try_from(index).map_or(u64::MAX, |index| index.saturating_add(1));
    FeedPosition { epoch, transaction, sequence }
}

/// Returns how many of `count` events stand at or before a position.
fn events_until(after: FeedPosition, count: usize) -> usize {
    let (epoch, transaction) = GROUP;
    let until = after.sequence_within(epoch, transaction);
    usize::try_from(until).map_or(count, |until| until.min(count))
}

#[async_trait]
impl Feed for MemoryStore {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let state = self.state();
        let first = after.map_or(0, |after| events_until(after, state.events.len()));
        let event = |(n, event): (usize, &Event)| FeedEvent {
            position: position(first + n),
            event: event.clone(),
        };
        let rest = state.events[first..].iter().enumerate().map(event);
        let size = usize::try_from(FeedPage::one_more(limit)).unwrap_or(usize::MAX);
        let events = rest.take(size).collect();
        Ok(FeedPage::from_one_more(FeedEpoch::FIRST, events, limit))
    }
}

#[async_trait]
impl FeedCursors for MemoryStore {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
        Ok(self.state().cursors.get(name).cloned())
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
        let mut state = self.state();
        let is_next = cursor.replaces(state.cursors.get(&cursor.name));
        if is_next {
            state.cursors.insert(cursor.name.clone(), cursor.clone());
        }
        Ok(is_next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u64, transaction: u64, sequence: u64) -> FeedPosition {
        FeedPosition { epoch, transaction, sequence }
    }

    #[test]
    fn position_of_any_epoch_and_transaction_has_its_place_in_the_order() {
        for count in 0..4 {
            for index in 0..count {
                assert_eq!(events_until(position(index), count), index + 1);
            }
            assert_eq!(events_until(at(0, 9, 9), count), 0);
            assert_eq!(events_until(at(1, 0, 0), count), 0);
            for beyond in [at(1, 0, u64::MAX), at(1, 1, 0), at(2, 0, 0)] {
                assert_eq!(events_until(beyond, count), count);
            }
        }
    }
}
