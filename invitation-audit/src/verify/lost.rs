//! The comparison of lost events with their later copies.
//!
//! A store that lost events before an epoch may still have some of them, at new positions. Such
//! a copy must say what the log says: else an attacker could begin an epoch, and then alter the
//! events that it excuses.

use std::collections::BTreeMap;

use invitation_core::{
    audit::EventId,
    feed::{Feed, FeedPosition},
};

use super::{
    finding::{Finding, FindingKind},
    store::{Comparison, Entries, Events, FeedError},
};
use crate::{
    entry::{Content, SealedEvent},
    log::LogStore,
};

/// The number of lost events whose copies one pass looks for. It bounds the memory.
const AT_ONCE: usize = 10_000;

/// Lost events by their ids, with the indexes of their entries.
type Lost = BTreeMap<EventId, (u64, Box<SealedEvent>)>;

impl<F: Feed, L: LogStore> Comparison<'_, F, L> {
    /// Returns the finding about a lost event that the log or the store has with another content.
    /// For each 10,000 lost events, it reads the log once, and the events behind it.
    pub(super) async fn altered_copy(
        &self,
        is_lost: impl Fn(FeedPosition) -> bool,
    ) -> Result<Option<Finding>, FeedError> {
        let mut entries = Entries::new(self.log);
        loop {
            let mut lost = Lost::new();
            while lost.len() < AT_ONCE {
                let Some(entry) = entries.next().await? else { break };
                if let Content::Event(event) = entry.content
                    && is_lost(event.position)
                {
                    lost.entry(event.id).or_insert((entry.index, event));
                }
            }
            if lost.is_empty() {
                return Ok(None);
            }
            let altered = self.altered_copy_of(&lost).await?;
            if altered.is_some() {
                return Ok(altered);
            }
        }
    }

    async fn altered_copy_of(&self, lost: &Lost) -> Result<Option<Finding>, FeedError> {
        let finding = |index, own: &SealedEvent, fields| {
            let finding = Finding::at(FindingKind::Altered, index).about(own.id, own.position);
            Ok(Some(Finding { fields, ..finding }))
        };
        let mut end = None;
        let mut entries = Entries::new(self.log);
        while let Some(entry) = entries.next().await? {
            let Content::Event(copy) = entry.content else { continue };
            end = Some(copy.position);
            if let Some((index, own)) = lost.get(&copy.id) {
                let fields = own.differences_of_copy(&copy);
                if !fields.is_empty() {
                    return finding(*index, own, fields);
                }
            }
        }
        // The events before this position are those of the log: they were compared already.
        let mut events = Events::new(self.feed, end);
        while let Some(copy) = events.peek().await? {
            if let Some((index, own)) = lost.get(&copy.event.id) {
                let mut fields = own.differences(copy);
                fields.retain(|field| *field != "position");
                if !fields.is_empty() {
                    return finding(*index, own, fields);
                }
            }
            events.take();
        }
        Ok(None)
    }
}
