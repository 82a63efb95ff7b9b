//! The feed of the in-memory store: the order of writing. And the cursors of consumers.

use std::num::NonZeroU32;

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    event::Event,
    feed::{
        CursorName, EventRemoval, EventsRemoved, Feed, FeedCursor, FeedCursors, FeedEpoch,
        FeedEvent, FeedPage, FeedPosition, FeedRetention,
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
        let (removed, left) = (state.removed_events, state.events.len());
        let first = after.map_or(0, |after| events_until(after, removed + left)).max(removed);
        let event = |(n, event): (usize, &Event)| FeedEvent {
            position: position(first + n),
            event: event.clone(),
        };
        let rest = state.events.range(first - removed..).enumerate().map(event);
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

#[async_trait]
impl FeedRetention for MemoryStore {
    async fn cursors(&self) -> Result<Vec<FeedCursor>, StoreError> {
        Ok(self.state().cursors.values().cloned().collect())
    }

    async fn remove_cursor(&self, name: &CursorName, version: u64) -> Result<bool, StoreError> {
        let mut state = self.state();
        let is_it = state.cursors.get(name).is_some_and(|cursor| cursor.version == version);
        if is_it {
            state.cursors.remove(name);
        }
        Ok(is_it)
    }

    async fn remove_events(&self, removal: &EventRemoval) -> Result<EventsRemoved, StoreError> {
        Ok(self.state().remove_events(removal))
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
