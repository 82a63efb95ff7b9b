//! What is erased from events.

use super::{ERASED, PersonErasure, erased_name};
use crate::{detail::Detail, event::Event, id::EventId, performer::Performer};

/// The number of ids in one value of a detail. A value has at most
/// [`MAX_VALUE`](crate::Detail::MAX_VALUE) bytes.
const IDS_IN_A_VALUE: usize = 13;

/// The parts that are erased from one event. All other parts stay as they are stored, because
/// another call may have erased them in the meantime.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct ErasedEvent {
    /// The id of the event.
    pub id: EventId,
    /// What becomes of the name of the performer; none if it stays.
    pub name: Option<ErasedName>,
    /// Whether the source is removed.
    pub source: bool,
    /// The masked addresses that [`ERASED`] replaces in the detail, wherever they stand under
    /// [`Detail::BOUND_TO`].
    pub masks: Vec<String>,
}

/// The erasure of the name of a performer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring one")]
pub enum ErasedName {
    /// An actor has no name afterwards.
    Removed,
    /// A redeemer has the name [`ERASED`] afterwards.
    Replaced,
}

impl ErasedName {
    /// Returns the name that a store keeps.
    #[must_use]
    pub const fn kept(self) -> Option<&'static str> {
        match self {
            Self::Removed => None,
            Self::Replaced => Some(ERASED),
        }
    }
}

impl ErasedEvent {
    /// Returns whether any part is erased.
    #[must_use]
    pub fn any(&self) -> bool {
        self.name.is_some() || self.source || !self.masks.is_empty()
    }

    /// Erases the parts from the event as it is stored. This is the specification.
    pub fn apply_to(&self, event: &mut Event) {
        if self.name.is_some() {
            match &mut event.performer {
                Performer::Actor { name, .. } => *name = None,
                Performer::Redeemer { username, .. } => *username = erased_name(),
                Performer::System { .. } => {}
            }
        }
        if self.source {
            event.context.source = None;
        }
        if !self.masks.is_empty() {
            event.detail = event.detail.replaced(|name, value| {
                let is_erased =
                    name == Detail::BOUND_TO && self.masks.iter().any(|mask| mask == value);
                is_erased.then_some(ERASED)
            });
        }
    }

    /// Returns what a store replaces in the JSON text of the detail: for each mask, the text to
    /// replace at every place, and the text to put there. The result is the text of the detail of
    /// [`apply_to`](Self::apply_to).
    pub fn replacements(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let pair = |value: &str| Detail::json_pair(Detail::BOUND_TO, value);
        self.masks.iter().map(move |mask| (pair(mask), pair(ERASED)))
    }
}

/// The erasure of a person from events, and the event that documents it. Only the service makes
/// one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventErasure {
    events: Vec<ErasedEvent>,
    event: Event,
}

impl EventErasure {
    /// Names the erased events in the detail of `event`.
    pub(crate) fn new(events: Vec<ErasedEvent>, event: Event) -> Self {
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        let detail = ids.chunks(IDS_IN_A_VALUE).fold(event.detail.clone(), |detail, ids| {
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            detail.with(PersonErasure::EVENTS, &ids.join(" "))
        });
        Self { events, event: Event { detail, ..event } }
    }

    /// Returns what is erased from each event. They are at most
    /// [`Limits::MAX_PAGE`](crate::Limits::MAX_PAGE).
    #[must_use]
    pub fn events(&self) -> &[ErasedEvent] {
        &self.events
    }

    /// Returns the event that documents the erasure.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }
}
