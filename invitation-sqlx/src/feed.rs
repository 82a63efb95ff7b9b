//! The feed of a store, and the cursors of its consumers.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    StoreError,
    feed::{
        CursorName, EventRemoval, EventsRemoved, Feed, FeedCursor, FeedCursors, FeedPage,
        FeedPosition, FeedRetention,
    },
};

use crate::{
    SqlStore,
    calls::{change, query},
    dialect::Dialect,
    ops,
};

#[async_trait]
impl<DB: Dialect> Feed for SqlStore<DB> {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        query!(self, "feed", on => DB::feed(on, after, limit))
    }
}

#[async_trait]
impl<DB: Dialect> FeedCursors for SqlStore<DB> {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
        query!(self, "cursor", on => ops::cursor(on, name))
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
        change!(self, "replace_cursor", None, on => ops::replace_cursor(on, cursor))
    }
}

#[async_trait]
impl<DB: Dialect> FeedRetention for SqlStore<DB> {
    async fn cursors(&self) -> Result<Vec<FeedCursor>, StoreError> {
        query!(self, "cursors", on => ops::cursors(on))
    }

    async fn remove_cursor(&self, name: &CursorName, version: u64) -> Result<bool, StoreError> {
        change!(self, "remove_cursor", None, on => ops::remove_cursor(on, name, version))
    }

    async fn remove_events(&self, removal: &EventRemoval) -> Result<EventsRemoved, StoreError> {
        let id = Some(removal.event().id);
        change!(self, "remove_events", id, on => ops::remove_events(on, removal))
    }
}
