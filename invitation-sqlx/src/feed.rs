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

use crate::{SqlStore, dialect::Dialect, ops, store::retried};

#[async_trait]
impl<DB: Dialect> Feed for SqlStore<DB> {
    async fn feed(
        &self,
        after: Option<FeedPosition>,
        limit: NonZeroU32,
    ) -> Result<FeedPage, StoreError> {
        let mut conn = self.connections.acquire_to_read("feed").await?;
        let answer = DB::feed(&mut conn, &self.names, after, limit).await;
        conn.finish(answer).await
    }
}

#[async_trait]
impl<DB: Dialect> FeedCursors for SqlStore<DB> {
    async fn cursor(&self, name: &CursorName) -> Result<Option<FeedCursor>, StoreError> {
        let mut conn = self.connections.acquire_to_read("cursor").await?;
        let answer = ops::cursor::<DB>(&mut conn, &self.names, name).await;
        conn.finish(answer).await
    }

    async fn replace_cursor(&self, cursor: &FeedCursor) -> Result<bool, StoreError> {
        let mut conn = self.connections.acquire("replace_cursor").await?;
        retried!(self, conn, None, ops::replace_cursor::<DB>(&mut conn, &self.names, cursor))
    }
}

#[async_trait]
impl<DB: Dialect> FeedRetention for SqlStore<DB> {
    async fn cursors(&self) -> Result<Vec<FeedCursor>, StoreError> {
        let mut conn = self.connections.acquire_to_read("cursors").await?;
        let answer = ops::cursors::<DB>(&mut conn, &self.names).await;
        conn.finish(answer).await
    }

    async fn remove_cursor(&self, name: &CursorName, version: u64) -> Result<bool, StoreError> {
        let mut conn = self.connections.acquire("remove_cursor").await?;
        retried!(self, conn, None, ops::remove_cursor::<DB>(&mut conn, &self.names, name, version))
    }

    async fn remove_events(&self, removal: &EventRemoval) -> Result<EventsRemoved, StoreError> {
        let mut conn = self.connections.acquire("remove_events").await?;
        let id = Some(removal.event().id);
        retried!(self, conn, id, ops::remove_events::<DB>(&mut conn, &self.names, removal))
    }
}
