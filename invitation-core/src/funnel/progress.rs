//! How far the counter has come.

use serde::{Deserialize, Serialize};

use super::{corrupt, keys};
use crate::{
    documents::Document,
    entropy::{Entropy, EntropyError},
    feed::{FeedEvent, FeedPosition, RemovedEvents},
    store_error::StoreError,
    time::Timestamp,
};

/// The position up to which the numbers count, and where they began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    /// The document that was read; none before the first.
    stored: Option<Document>,
    facts: ProgressFacts,
}

/// The body of the document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgressFacts {
    /// The number of this form; others are refused.
    v: u8,
    /// The number of times that counting began, from 1 on.
    generation: u64,
    /// The oldest former generation of which documents may still be stored; none if all are
    /// removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former: Option<u64>,
    /// The first event that was counted, and the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<Counted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest: Option<Counted>,
    /// Whether events were removed before the first that was counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    incomplete: bool,
    #[serde(default)]
    discontinuities: u32,
    /// The run that wrote this version. It makes the versions of two counters differ that count
    /// the same events: otherwise the store would take the second one for a repetition of the
    /// first, and add its numbers again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<RunId>,
}

/// A random number that only one run of a counter has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RunId(u64);

impl RunId {
    pub(super) fn draw(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes)?;
        Ok(Self(u64::from_be_bytes(bytes)))
    }
}

/// A counted event: its position, and its time in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    position: [u64; 3],
    at: i64,
}

/// The only form of the body so far.
const FORM: u8 = 1;

impl Counted {
    fn of(event: &FeedEvent) -> Self {
        let FeedPosition { epoch, transaction, sequence } = event.position;
        Self { position: [epoch, transaction, sequence], at: event.event.at.as_micros() }
    }

    fn position(self) -> FeedPosition {
        let [epoch, transaction, sequence] = self.position;
        FeedPosition { epoch, transaction, sequence }
    }

    fn at(self) -> Option<Timestamp> {
        Timestamp::from_micros(self.at)
    }
}

impl ProgressFacts {
    fn new(generation: u64) -> Self {
        let (former, first, latest, incomplete) = (None, None, None, false);
        let (discontinuities, by) = (0, None);
        Self { v: FORM, generation, former, first, latest, incomplete, discontinuities, by }
    }
}

impl Progress {
    pub(crate) fn key() -> crate::documents::DocumentKey {
        keys::progress()
    }

    /// Reads the document of the progress.
    pub(crate) fn read(stored: Option<Document>) -> Result<Self, StoreError> {
        let facts = match &stored {
            Some(stored) => serde_json::from_slice(&stored.body).map_err(corrupt)?,
            None => ProgressFacts::new(1),
        };
        if facts.v != FORM {
            return Err(corrupt("the progress has a form that a later version wrote"));
        }
        Ok(Self { stored, facts })
    }

    pub(crate) fn generation(&self) -> u64 {
        self.facts.generation
    }

    /// Returns the position of the latest event that was counted.
    pub(crate) fn position(&self) -> Option<FeedPosition> {
        self.facts.latest.map(Counted::position)
    }

    /// Returns the time of the latest event that was counted.
    pub(crate) fn counted_until(&self) -> Option<Timestamp> {
        self.facts.latest.and_then(Counted::at)
    }

    /// Returns the time of the first event that was counted, if earlier ones were removed before.
    pub(crate) fn counted_since(&self) -> Option<Timestamp> {
        self.facts.first.filter(|_| self.facts.incomplete).and_then(Counted::at)
    }

    pub(crate) fn discontinuities(&self) -> u32 {
        self.facts.discontinuities
    }

    /// Returns the events that were not counted yet.
    pub(super) fn rest<'e>(&self, events: &'e [FeedEvent]) -> &'e [FeedEvent] {
        let counted = events.partition_point(|one| Some(one.position) <= self.position());
        &events[counted..]
    }

    /// Returns the progress behind these events, and its document. None if there are no events.
    pub(super) fn behind(
        &self,
        events: &[FeedEvent],
        by: RunId,
    ) -> Result<Option<Self>, StoreError> {
        let (Some(first), Some(latest)) = (events.first(), events.last()) else { return Ok(None) };
        let mut facts = self.facts.clone();
        let begun = *facts.first.get_or_insert(Counted::of(first));
        facts.latest = Some(Counted::of(latest));
        facts.by = Some(by);
        let removed = events.iter().filter_map(|one| RemovedEvents::stated_by(&one.event));
        facts.incomplete |= removed.into_iter().any(|one| one.through < begun.position());
        let is_later = |before: FeedPosition| before.epoch < latest.position.epoch;
        if self.position().is_some_and(is_later) {
            facts.discontinuities = facts.discontinuities.saturating_add(1);
        }
        self.next(facts, latest.event.at).map(Some)
    }

    /// Returns the progress of a counter that begins at the first event of the feed.
    pub(super) fn anew(&self, now: Timestamp, by: RunId) -> Result<Self, StoreError> {
        let anew = ProgressFacts::new(self.facts.generation.saturating_add(1));
        let former = self.facts.former.or(Some(self.facts.generation));
        self.next(ProgressFacts { former, by: Some(by), ..anew }, now)
    }

    /// Returns the oldest former generation of which documents may still be stored.
    pub(super) fn former(&self) -> Option<u64> {
        self.facts.former.filter(|former| *former < self.facts.generation)
    }

    /// Returns the progress after all documents of the oldest former generation were removed.
    pub(super) fn without_former(&self, by: RunId) -> Result<Self, StoreError> {
        let following = self.former().and_then(|former| former.checked_add(1));
        let former = following.filter(|following| *following < self.facts.generation);
        let facts = ProgressFacts { former, by: Some(by), ..self.facts.clone() };
        self.next(facts, Timestamp::MIN)
    }

    fn next(&self, facts: ProgressFacts, at: Timestamp) -> Result<Self, StoreError> {
        let state = keys::state(facts.generation);
        let document = match &self.stored {
            Some(stored) => stored.next(state),
            None => Document::new(keys::progress(), state, at),
        };
        let body = serde_json::to_vec(&facts).map_err(corrupt)?;
        let stored = Some(document.with_body(body).map_err(corrupt)?);
        Ok(Self { stored, facts })
    }

    /// Returns the document of a progress that is to be written.
    pub(super) fn document(&self) -> Option<&Document> {
        self.stored.as_ref()
    }
}
