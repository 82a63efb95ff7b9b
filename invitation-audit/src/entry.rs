//! The entries of the log: sealed events and discontinuities of the feed.

use invitation_core::{
    Division, InvitationId, Timestamp, UserId,
    audit::{Action, CorrelationId, Detail, Event, EventId, EventOutcome, Reason, Source},
    code::{Entropy, EntropyError},
    erasure::PersonErasure,
    feed::{FeedEpoch, FeedEvent, FeedPosition, RemovedEvents},
};
use serde::{Deserialize, Serialize};

use crate::{hash::TreeHash, line, personal::Personal};

/// One entry of the log: a leaf of the Merkle tree.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a log store must not compile while losing a field")]
pub struct Entry {
    /// The index of the leaf, from 0 on.
    pub index: u64,
    /// The hash of the leaf.
    pub leaf: TreeHash,
    /// What the leaf says.
    pub content: Content,
}

/// What an entry says.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Content {
    /// An event of the store.
    Event(Box<SealedEvent>),
    /// The store began a new epoch: it may have lost events that were handed out.
    Epoch(FeedEpoch),
    /// The personal values of an earlier entry were erased. Without this record, an erased
    /// value is a finding.
    Erasure {
        /// The index of the earlier entry.
        entry: u64,
    },
}

/// An event as the log keeps it: every field of [`Event`] as plain text, so that a later
/// version of the library can verify it. The name, the source and the values of the
/// detail are [`Personal`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "an encoding must not compile while losing a field")]
pub struct SealedEvent {
    /// The position of the event in the feed.
    #[serde(with = "line::position")]
    pub position: FeedPosition,
    /// The id of the event.
    pub id: EventId,
    /// The time of the event.
    #[serde(with = "line::instant")]
    pub at: Timestamp,
    /// The user who acted; none for the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The role in which an actor acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The name of the performer for people: of a redeemer, an actor or a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal>,
    /// The action that was done or attempted, as the store names it.
    pub action: String,
    /// The outcome of the action, as the store names it.
    pub outcome: String,
    /// The reason of a refusal or denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The invitation that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// The division of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
    /// The correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// The source of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Personal>,
    /// The names and values of the detail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<(String, Personal)>,
}

impl Entry {
    /// Makes the entry at this index.
    #[must_use]
    pub fn new(index: u64, content: Content) -> Self {
        Self { index, leaf: content.leaf_hash(), content }
    }

    /// Returns whether the leaf hash is that of the content.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.leaf == self.content.leaf_hash()
    }
}

impl Content {
    /// Returns the hash of the [canonical form](Self::to_canonical).
    #[must_use]
    pub fn leaf_hash(&self) -> TreeHash {
        TreeHash::of_leaf(&self.to_canonical())
    }

    /// Returns the event, if the entry is one.
    #[must_use]
    pub fn event(&self) -> Option<&SealedEvent> {
        match self {
            Self::Event(event) => Some(event),
            Self::Epoch(_) | Self::Erasure { .. } => None,
        }
    }
}

impl SealedEvent {
    /// Seals an event of the feed, with a new salt for each personal value.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source of randomness fails.
    pub fn new(event: &FeedEvent, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let FeedEvent { position, event } = event;
        // Names every field: a new one must be sealed, or this does not compile.
        let Event {
            id,
            at,
            performer,
            action,
            outcome,
            reason,
            invitation,
            division,
            context,
            detail,
        } = event;
        let personal = |value: &str| Personal::new(value, entropy);
        let parts = performer.parts();
        let text = |text: &str| text.to_owned();
        Ok(Self {
            position: *position,
            id: *id,
            at: *at,
            user: parts.user.map(text),
            role: parts.role.map(text),
            name: parts.name.map(personal).transpose()?,
            action: text(action.as_str()),
            outcome: text(outcome.as_str()),
            reason: reason.map(|reason| text(reason.as_str())),
            invitation: *invitation,
            division: division.as_ref().map(|division| text(division.as_str())),
            correlation: context.correlation.as_ref().map(|id| text(id.as_str())),
            source: context.source.as_ref().map(|source| personal(source.as_str())).transpose()?,
            detail: detail
                .iter()
                .map(|(name, value)| Ok((text(name), personal(value)?)))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Returns the personal values of the event.
    pub fn personal(&self) -> impl Iterator<Item = &Personal> {
        let detail = self.detail.iter().map(|(_, value)| value);
        self.name.iter().chain(&self.source).chain(detail)
    }

    /// Returns whether the event has readable values that [`erased`](Self::erased) erases.
    pub(crate) fn has_values_of(&self, user: &UserId) -> bool {
        self.erased(user) != *self
    }

    /// Returns the event with the personal values of a user erased. Its leaf hash stays the same.
    ///
    /// - An event that the user performed: all values, except for those of a purge and of an
    ///   erasure that later calls and verifications read. They are positions and ids.
    /// - Any other event: the masked address in its detail.
    #[must_use]
    pub fn erased(&self, user: &UserId) -> Self {
        let is_own = self.user.as_deref() == Some(user.as_str());
        let is_erased = |name: &str| {
            if is_own { !self.is_needed(name) } else { name == Detail::BOUND_TO }
        };
        let detail = self.detail.iter().map(|(name, value)| {
            let value = if is_erased(name) { value.erased() } else { value.clone() };
            (name.clone(), value)
        });
        let of_performer = |value: &Option<Personal>| match value {
            Some(value) if is_own => Some(value.erased()),
            other => other.clone(),
        };
        Self {
            name: of_performer(&self.name),
            source: of_performer(&self.source),
            detail: detail.collect(),
            ..self.clone()
        }
    }

    /// Returns whether a value of the detail says what the store has purged or erased.
    fn is_needed(&self, name: &str) -> bool {
        match name {
            RemovedEvents::THROUGH => self.action == Action::PurgeEvents.as_str(),
            PersonErasure::USER | PersonErasure::EVENTS => self.action == Action::Erase.as_str(),
            _ => false,
        }
    }

    /// Returns the ids of the events from which the store erased a user, if this is the event of
    /// that erasure.
    pub(crate) fn erased_events(&self, user: &UserId) -> Vec<EventId> {
        let is_erasure = self.action == Action::Erase.as_str()
            && self.outcome == EventOutcome::Succeeded.as_str();
        let values = |wanted: &'static str| {
            let own = self.detail.iter().filter(move |(name, _)| name == wanted);
            own.filter_map(|(_, value)| value.value())
        };
        if !is_erasure || !values(PersonErasure::USER).any(|own| own == user.as_str()) {
            return Vec::new();
        }
        values(PersonErasure::EVENTS).flat_map(|ids| ids.split(' ')).flat_map(str::parse).collect()
    }

    /// Returns which events the store removed, if this is the event of a removal.
    pub(crate) fn removal(&self) -> Option<RemovedEvents> {
        let is_removal = self.action == Action::PurgeEvents.as_str() && self.reason.is_none();
        let mut detail = self.detail.iter().filter(|_| is_removal);
        let (_, through) = detail.find(|(name, _)| name == RemovedEvents::THROUGH)?;
        Some(RemovedEvents { at: self.at, through: through.value()?.parse().ok()? })
    }

    /// Returns the names of the fields in which an event of the feed differs. Erased values
    /// are not compared.
    #[must_use]
    pub fn differences(&self, other: &FeedEvent) -> Vec<&'static str> {
        let FeedEvent { position, event } = other;
        let Event {
            id,
            at,
            performer,
            action,
            outcome,
            reason,
            invitation,
            division,
            context,
            detail,
        } = event;
        let parts = performer.parts();
        let correlation = context.correlation.as_ref().map(CorrelationId::as_str);
        let source = context.source.as_ref().map(Source::as_str);
        let compared = [
            ("position", self.position == *position),
            ("id", self.id == *id),
            ("at", self.at == *at),
            ("user", self.user.as_deref() == parts.user),
            ("role", self.role.as_deref() == parts.role),
            ("name", is_same(self.name.as_ref(), parts.name)),
            ("action", self.action == action.as_str()),
            ("outcome", self.outcome == outcome.as_str()),
            ("reason", self.reason.as_deref() == reason.map(Reason::as_str)),
            ("invitation", self.invitation == *invitation),
            ("division", self.division.as_deref() == division.as_ref().map(Division::as_str)),
            ("correlation", self.correlation.as_deref() == correlation),
            ("source", is_same(self.source.as_ref(), source)),
            ("detail", self.has_detail(detail)),
        ];
        compared.iter().filter(|(_, is_same)| !is_same).map(|(name, _)| *name).collect()
    }

    /// Returns the names of the fields, other than the position, in which a second entry about
    /// the event differs. Erased values are not compared.
    pub(crate) fn differences_of_copy(&self, copy: &Self) -> Vec<&'static str> {
        // Names every field: a new one must be compared, or this does not compile.
        let Self {
            position: _,
            id,
            at,
            user,
            role,
            name,
            action,
            outcome,
            reason,
            invitation,
            division,
            correlation,
            source,
            detail,
        } = copy;
        let has_detail = self.detail.len() == detail.len()
            && self.detail.iter().zip(detail).all(|((own, sealed), (name, value))| {
                own == name && is_same_value(Some(sealed), Some(value))
            });
        let compared = [
            ("id", self.id == *id),
            ("at", self.at == *at),
            ("user", self.user == *user),
            ("role", self.role == *role),
            ("name", is_same_value(self.name.as_ref(), name.as_ref())),
            ("action", self.action == *action),
            ("outcome", self.outcome == *outcome),
            ("reason", self.reason == *reason),
            ("invitation", self.invitation == *invitation),
            ("division", self.division == *division),
            ("correlation", self.correlation == *correlation),
            ("source", is_same_value(self.source.as_ref(), source.as_ref())),
            ("detail", has_detail),
        ];
        compared.iter().filter(|(_, is_same)| !is_same).map(|(name, _)| *name).collect()
    }

    fn has_detail(&self, detail: &Detail) -> bool {
        self.detail.len() == detail.iter().count()
            && self.detail.iter().zip(detail.iter()).all(|((own, sealed), (name, value))| {
                own == name && is_same(Some(sealed), Some(value))
            })
    }
}

/// Returns whether a sealed value is this one, as far as it can still be read.
fn is_same(sealed: Option<&Personal>, value: Option<&str>) -> bool {
    match (sealed, value) {
        (None, None) => true,
        (Some(sealed), Some(value)) => sealed.value().is_none_or(|sealed| sealed == value),
        // The store keeps nothing in place of an erased source, and of the name of an actor.
        (Some(sealed), None) => sealed.is_erased(),
        (None, Some(_)) => false,
    }
}

/// Returns whether two sealed values are the same, as far as both can still be read. Their salts
/// differ, so their commitments show nothing.
fn is_same_value(one: Option<&Personal>, other: Option<&Personal>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            other.value().is_none_or(|other| is_same(Some(one), Some(other)))
        }
        (None, None) => true,
        // One of them was sealed after the store had erased the value.
        (Some(only), None) | (None, Some(only)) => only.is_erased(),
    }
}
