//! The feed of an intercepted store, and the cursors of its consumers.

use std::num::NonZeroU32;

use async_trait::async_trait;

use super::{Intercept, Interceptor, Operation};
use crate::{
    feed::{
        CursorName, EventRemoval, EventsRemoved, Feed, FeedCursor, FeedCursors, FeedPage,
        FeedPosition, FeedRetention,
    },
    store_error::StoreError,
};

#[async_trait]
impl<S: Feed, I: Interceptor> Feed for Intercept<S, I> {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        self.one(Operation::Feed, self.store.feed(after, limit)).await
    }
}

#[async_trait]
impl<S: FeedCursors, I: Interceptor> FeedCursors for Intercept<S, I> {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
        self.one(Operation::Cursor, self.store.cursor(name)).await
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
        self.one(Operation::ReplaceCursor, self.store.replace_cursor(cursor)).await
    }
}

#[async_trait]
impl<S: FeedRetention, I: Interceptor> FeedRetention for Intercept<S, I> {
    async fn cursors(&self) -> Result<Vec<FeedCursor>, StoreError> {
        self.one(Operation::Cursors, self.store.cursors()).await
    }

    async fn remove_cursor(&self, name: &CursorName, version: u64) -> Result<bool, StoreError> {
        self.one(Operation::RemoveCursor, self.store.remove_cursor(name, version)).await
    }

    async fn remove_events(&self, removal: &EventRemoval) -> Result<EventsRemoved, StoreError> {
        self.one(Operation::RemoveEvents, self.store.remove_events(removal)).await
    }
}
