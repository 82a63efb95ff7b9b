//! Retention: removal of the oldest events, once every consumer has processed them.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CursorName, Feed, FeedCursor, FeedCursors, FeedPage, FeedPosition};
use crate::{
    detail::Detail,
    event::{Action, Event},
    id::EventId,
    limits::Limits,
    store_error::StoreError,
    time::Timestamp,
};

/// The removal of the first events of the feed, with the event that documents it.
///
/// The service decides which events it removes. A store removes these or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRemoval {
    ids: Vec<EventId>,
    through: FeedPosition,
    event: Event,
}

/// The result of [`FeedRetention::remove_events`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the service must look at each")]
pub enum EventsRemoved {
    /// The events are removed, and the event of the removal is written.
    Done,
    /// The same removal was made before: its event is on record.
    Before,
    /// The store does not have all of these events, because another removal came first.
    /// Nothing was removed.
    Changed,
}

impl EventRemoval {
    /// Decides which events of `page`, the first page of the feed, are removed: those before the
    /// first that happened at `before` or later, and up to the position of the slowest cursor.
    /// Returns none if that is no event.
    pub(crate) fn decide(
        page: &FeedPage,
        slowest: Option<&FeedCursor>,
        before: Timestamp,
        event: &Event,
    ) -> Option<Self> {
        let is_processed =
            |position| slowest.is_none_or(|cursor| cursor.position >= Some(position));
        let old = page
            .events
            .iter()
            .take_while(|one| one.event.at < before && is_processed(one.position));
        let (ids, positions): (Vec<_>, Vec<_>) =
            old.map(|one| (one.event.id, one.position)).unzip();
        let through = *positions.last()?;
        let detail = Detail::none()
            .with("before", &before.to_string())
            .with("removed", &ids.len().to_string())
            .with(RemovedEvents::THROUGH, &through.to_string());
        Some(Self { ids, through, event: Event { detail, ..event.clone() } })
    }

    /// Returns the ids of the events, in the order of the feed. There is at least one, and at
    /// most [`FeedPage::MAX_EVENTS`].
    #[must_use]
    pub fn ids(&self) -> &[EventId] {
        &self.ids
    }

    /// Returns the position of the last of the events.
    #[must_use]
    pub fn through(&self) -> FeedPosition {
        self.through
    }

    /// Returns the event that documents the removal.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }
}

/// The part of the feed that a removal took, as its event states it. A consumer that keeps a copy
/// of the events, such as the audit log, recognises by it what the store no longer has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a copy of two values of an event")]
pub struct RemovedEvents {
    /// The time of the removal.
    pub at: Timestamp,
    /// The position of the last removed event.
    pub through: FeedPosition,
}

impl RemovedEvents {
    /// The name of the detail with [`through`](Self::through), in the event of a removal.
    pub const THROUGH: &str = "through";

    /// Returns what the event of a removal states; none for any other event.
    #[must_use]
    pub fn stated_by(event: &Event) -> Option<Self> {
        let is_removal = event.action == Action::PurgeEvents && event.reason.is_none();
        let through = event.detail.get(Self::THROUGH).filter(|_| is_removal)?;
        Some(Self { at: event.at, through: through.parse().ok()? })
    }

    /// Returns whether the removal took an event of this position and time. No event is removed
    /// within [`Limits::MIN_RETENTION`].
    #[must_use]
    pub fn took(&self, position: FeedPosition, at: Timestamp) -> bool {
        let newest = self.at.checked_add(-Limits::MIN_RETENTION);
        position <= self.through && newest.is_some_and(|newest| at < newest)
    }
}

/// Returns the cursor that is furthest behind. A cursor without a position is behind all events.
pub(crate) fn slowest(cursors: &[FeedCursor]) -> Option<&FeedCursor> {
    cursors.iter().min_by_key(|cursor| cursor.position)
}

/// The removal of old events from a store, and its list of cursors.
///
/// # For implementors
///
/// A removal begins at the first event of the feed. The events behind the removed ones keep their
/// positions. A position of a removed event MUST NOT be given to another one.
///
/// [`Store::record`](crate::Store::record) and the other calls recognise a repeated operation by
/// the id of its event. They need not recognise it once the event is removed, which is at least a
/// day later.
#[async_trait]
pub trait FeedRetention: Feed + FeedCursors {
    /// Returns all cursors, in no order. There is one for each kind of consumer, and one for
    /// each endpoint of webhooks. There are at most about 1,000 endpoints.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn cursors(&self) -> Result<Vec<FeedCursor>, StoreError>;

    /// Removes the cursor of this name if it has this version. Returns whether it did.
    ///
    /// A cursor of a consumer that no longer exists keeps its events from being removed. The
    /// version protects a consumer that has come back: each of its calls changes the version.
    ///
    /// A store MUST compare and remove in one atomic step.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::store::feed::{Claim, CursorHolder, CursorName, FeedRetention, claim};
    /// use invitation::{
    ///     MemoryStore,
    ///     clock::{Clock, SystemClock},
    /// };
    /// use time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = MemoryStore::new();
    /// let (name, holder) = (CursorName::new("retired-webhook")?, CursorHolder::new("host-1")?);
    /// let claimed = claim(&store, &name, &holder, SystemClock.now(), Duration::SECOND).await?;
    /// assert!(matches!(claimed, Claim::Granted(_)));
    ///
    /// let [cursor] = &store.cursors().await?[..] else { panic!("one consumer") };
    /// assert!(store.remove_cursor(&cursor.name, cursor.version).await?);
    /// assert!(store.cursors().await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn remove_cursor(&self, name: &CursorName, version: u64) -> Result<bool, StoreError>;

    /// Removes the events of a removal, and writes its event, in one atomic step.
    ///
    /// If the event of the removal is on record, or if the store does not have all of the events,
    /// it MUST change nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    async fn remove_events(&self, removal: &EventRemoval) -> Result<EventsRemoved, StoreError>;
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        impl<F: FeedRetention + ?Sized> FeedRetention for $type {
            async fn cursors(&self) -> Result<Vec<FeedCursor>, StoreError> {
                (**self).cursors().await
            }

            async fn remove_cursor(
                &self,
                name: &CursorName,
                version: u64,
            ) -> Result<bool, StoreError> {
                (**self).remove_cursor(name, version).await
            }

            async fn remove_events(
                &self,
                removal: &EventRemoval,
            ) -> Result<EventsRemoved, StoreError> {
                (**self).remove_events(removal).await
            }
        }
    };
}

forward!(&F);
forward!(Box<F>);
forward!(Arc<F>);

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{
        event::EventOutcome,
        feed::{FeedEpoch, FeedEvent},
        performer::Performer,
        request_context::RequestContext,
        sample,
    };

    const DAY: i64 = 86_400_000_000;

    fn event(number: u8, action: Action, at: i64) -> Event {
        Event {
            id: EventId::from_bytes([number; 16]),
            at: sample::at(at),
            performer: Performer::System { name: None },
            action,
            outcome: EventOutcome::Succeeded,
            reason: None,
            invitation: None,
            division: None,
            context: RequestContext::default(),
            detail: Detail::none(),
        }
    }

    fn position(sequence: u64) -> FeedPosition {
        FeedPosition { epoch: 1, transaction: 0, sequence }
    }

    /// A page of events at these times.
    fn page(times: &[i64]) -> FeedPage {
        let event = |(n, at): (u8, &i64)| FeedEvent {
            position: position(u64::from(n)),
            event: event(n, Action::View, *at),
        };
        let events = (1..).zip(times).map(event).collect();
        FeedPage::from_one_more(FeedEpoch::FIRST, events, NonZeroU32::MAX)
    }

    fn cursor(name: &str, at: Option<u64>) -> FeedCursor {
        let name = CursorName::new(name).unwrap();
        FeedCursor { name, position: at.map(position), lease: None, claims: 1, version: 1 }
    }

    #[test]
    fn removal_ends_at_the_first_young_event_and_at_the_slowest_cursor() {
        let purge = event(99, Action::PurgeEvents, 5 * DAY);
        for (times, cursors, removed) in [
            (&[1, 2, 3][..], &[][..], 3),
            (&[1, 9, 3], &[], 1),
            (&[1, 10, 3], &[], 1),
            (&[10, 1, 3], &[], 0),
            (&[1, 2, 3], &[Some(2)], 2),
            (&[1, 2, 3], &[Some(3), Some(1)], 1),
            (&[1, 2, 3], &[Some(3), None], 0),
            (&[], &[], 0),
        ] {
            let cursors: Vec<_> = cursors.iter().map(|at| cursor("c", *at)).collect();
            let before = sample::at(9);
            let found = EventRemoval::decide(&page(times), slowest(&cursors), before, &purge);
            let ids = found.as_ref().map_or(0, |removal| removal.ids().len());
            assert_eq!(ids, removed, "{times:?} {cursors:?}");
            if let Some(removal) = found {
                let through = position(u64::try_from(removed).unwrap());
                assert_eq!(removal.through(), through);
                let stated = RemovedEvents { at: sample::at(5 * DAY), through };
                assert_eq!(RemovedEvents::stated_by(removal.event()), Some(stated));
            }
        }
    }

    #[test]
    fn removal_excuses_only_events_before_it_that_were_a_day_old() {
        let removed = RemovedEvents { at: sample::at(5 * DAY), through: position(7) };
        for (sequence, at, took) in [
            (7, 4 * DAY - 1, true),
            (7, 4 * DAY, false),
            (7, 5 * DAY, false),
            (8, 0, false),
            (1, 0, true),
        ] {
            assert_eq!(removed.took(position(sequence), sample::at(at)), took, "{sequence} {at}");
        }
        let other = event(1, Action::View, 0);
        let detail = Detail::none().with(RemovedEvents::THROUGH, "1.0.7");
        assert_eq!(RemovedEvents::stated_by(&Event { detail, ..other }), None);
    }
}
