//! The feed of an intercepted store, and the cursors of its consumers.

use std::num::NonZeroU32;

use async_trait::async_trait;

use super::{Intercept, Interceptor, Operation};
use crate::{
    feed::{CursorName, Feed, FeedCursor, FeedCursors, FeedPage, FeedPosition},
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
