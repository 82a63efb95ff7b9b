//! The cursors of the endpoints: what keeps their events from being purged.
//!
//! The document of an endpoint says how far it is, and who works on it. Its cursor follows that
//! position and is never ahead of it, so a crash between the two steps only keeps more events. Each
//! [run](Webhooks::run) brings the cursors in line with the documents.

use std::collections::HashMap;

use invitation_core::{
    StoreError,
    documents::{DocumentName, Documents},
    feed::{CursorName, FeedCursor, FeedPosition, FeedRetention, follow},
    webhook::EndpointState,
};

use super::{
    Webhooks,
    error::WebhookError,
    manage::MAX_TRIES,
    stored::{self, CURSORS, EndpointRecord},
};

/// The cursors of endpoints, by their names.
pub(super) type EndpointCursors = HashMap<CursorName, FeedCursor>;

impl<S: Documents + FeedRetention> Webhooks<S> {
    /// Returns the cursors of all endpoints, and of those that no longer exist.
    pub(super) async fn endpoint_cursors(&self) -> Result<EndpointCursors, StoreError> {
        let all = self.store.cursors().await?.into_iter();
        let own = all.filter(|cursor| cursor.name.as_str().starts_with(CURSORS));
        Ok(own.map(|cursor| (cursor.name.clone(), cursor)).collect())
    }

    /// Holds the events behind this position for an endpoint, as far as they are not purged yet.
    pub(super) async fn hold(
        &self,
        name: &DocumentName,
        position: Option<FeedPosition>,
    ) -> Result<(), StoreError> {
        follow(&self.store, &stored::cursor(name), position).await
    }

    /// Brings the cursor in line with what a run has read of the endpoint.
    pub(super) async fn align(
        &self,
        name: &DocumentName,
        record: &EndpointRecord,
        cursor: Option<&FeedCursor>,
    ) -> Result<(), WebhookError> {
        match (record.state, cursor) {
            (EndpointState::Disabled, None) => Ok(()),
            (EndpointState::Disabled, Some(_)) => self.release(name).await,
            (_, Some(cursor)) if cursor.position >= record.position => Ok(()),
            _ => Ok(self.hold(name, record.position).await?),
        }
    }

    /// Removes the cursors of endpoints that no longer exist.
    pub(super) async fn release_all(&self, orphans: EndpointCursors) -> Result<(), WebhookError> {
        for name in orphans.into_keys() {
            if let Some(endpoint) = name.as_str().strip_prefix(CURSORS) {
                self.release(&DocumentName::from_stored(endpoint)).await?;
            }
        }
        Ok(())
    }

    /// Removes the cursor of an endpoint that was removed or disabled.
    ///
    /// If the endpoint is registered or enabled at the same moment, it may lose its new cursor.
    /// The next run restores it. No event since then is lost in between: a purge takes none that is
    /// younger than a day.
    pub(super) async fn release(&self, name: &DocumentName) -> Result<(), WebhookError> {
        let cursor = stored::cursor(name);
        // A worker may move the cursor at the same time, but only once: it has lost its claim.
        for _ in 0..MAX_TRIES {
            let Some(found) = self.store.cursor(&cursor).await? else { break };
            let document = self.store.document(&stored::key(name)).await?;
            let is_released = document.is_none_or(|one| {
                one.state == stored::removed()
                    || one.state.as_str() == EndpointState::Disabled.as_str()
            });
            if !is_released || self.store.remove_cursor(&cursor, found.version).await? {
                break;
            }
        }
        Ok(())
    }
}
