//! The counter: the consumer of the feed that keeps the numbers.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU32,
    sync::Arc,
};

use super::{
    Progress,
    batch::Batch,
    journey::{Journey, Step},
    keys,
    progress::RunId,
    stored::{next, read},
};
use crate::{
    documents::{Document, DocumentKey, Documents},
    entropy::{Entropy, OsEntropy},
    error::Error,
    feed::{CursorName, Feed, FeedCursors, FeedEvent, follow},
    store_error::{StoreError, StoreErrorKind},
    time::Timestamp,
};

/// The default number of events of a page.
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("not zero");

/// The number of documents that a run remembers at most.
const REMEMBERED: usize = 4_000;

/// The number of times that a change is tried while other calls change the progress.
const TRIES: u32 = 8;

/// The result of one run of a [`FunnelCounter`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[must_use]
pub struct CountedEvents {
    /// The number of events that this run counted, those without an effect included.
    pub events: u64,
    /// Whether there may be more events already. Run again at once.
    pub more: bool,
}

/// The consumer of the feed that counts what became of invitations.
///
/// [The module](super) shows its use. Any number of machines may run it on one store, each in a
/// task of its own: an event is counted once.
#[derive(Clone, Debug)]
pub struct FunnelCounter<S> {
    store: S,
    page: NonZeroU32,
    entropy: Arc<dyn Entropy>,
}

impl<S: Feed + FeedCursors + Documents> FunnelCounter<S> {
    /// The name of the [cursor](crate::feed::FeedCursor) that keeps events from being removed
    /// before they are counted. A host that stops counting for good removes it.
    pub const CURSOR: &'static str = "funnel";

    /// The maximum number of pages that one call of [`run`](Self::run) counts.
    pub const MAX_PAGES: u32 = 50;

    /// Creates a counter of the events of a store, which also keeps the numbers.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, page: PAGE, entropy: Arc::new(OsEntropy) }
    }

    /// Sets the maximum number of events of a page. The default is 500.
    #[must_use]
    pub fn with_page_size(self, page: NonZeroU32) -> Self {
        Self { page, ..self }
    }

    /// Sets the source of randomness. The default is the machine's.
    #[must_use]
    pub fn with_entropy(self, entropy: impl Entropy + 'static) -> Self {
        Self { entropy: Arc::new(entropy), ..self }
    }

    /// Counts the events behind the last counted one, until the end of the feed or
    /// [`MAX_PAGES`](Self::MAX_PAGES) pages.
    ///
    /// Dropping the call is safe: each step is made whole or not at all.
    ///
    /// Round trips: three to five, one for each page, and for each 160 invitations on it a write,
    /// a read for each funnel that the run has not met yet, and a read for each invitation
    /// that was created earlier. A run that finds another counter at work reads more. After a
    /// recount, each run has two or three more, until all former documents are removed.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Entropy`]. Call again: no event is counted twice.
    pub async fn run(&self) -> Result<CountedEvents, Error> {
        let by = RunId::draw(&*self.entropy)?;
        let mut run = Run::begin(&self.store, by).await?;
        let name = CursorName::from_stored(Self::CURSOR);
        // The first call creates the cursor, so that no event is removed from here on.
        follow(&self.store, &name, run.progress.position()).await?;
        let mut counted = CountedEvents { events: 0, more: true };
        for _ in 0..Self::MAX_PAGES {
            let page = self.store.feed(run.progress.position(), self.page).await?;
            counted.events = counted.events.saturating_add(run.count(&page.events).await?);
            counted.more = page.more || !run.progress.rest(&page.events).is_empty();
            if !counted.more {
                break;
            }
        }
        follow(&self.store, &name, run.progress.position()).await?;
        self.remove_former_generation(&run.progress, by).await?;
        Ok(counted)
    }

    /// Begins to count at the first event of the feed again. Until the counter has come to the end,
    /// the numbers are those of the events so far. `now` is the time of the call.
    ///
    /// The new numbers do not contain invitations whose creation is no longer in the feed.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], of the kind [`Conflict`](StoreErrorKind::Conflict) while other calls
    /// count; [`Error::Entropy`].
    pub async fn recount(&self, now: Timestamp) -> Result<(), Error> {
        let by = RunId::draw(&*self.entropy)?;
        for _ in 0..TRIES {
            let progress = Progress::read(self.store.document(&Progress::key()).await?)?;
            let anew = progress.anew(now, by)?;
            let document = anew.document().map(std::slice::from_ref).unwrap_or_default();
            if self.store.replace_documents(document, &[]).await? {
                return Ok(());
            }
        }
        Err(StoreError::new(StoreErrorKind::Conflict, "recount").into())
    }

    /// Removes the journeys of invitations whose first counted event happened before `before`, at
    /// most `max`, and returns their number. The numbers stay as they are.
    ///
    /// Later events of these invitations count nothing. So choose a time before which invitations
    /// have ended: a year and more ago, with the default [lifetimes](crate::Limits).
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    pub async fn remove_journeys(
        &self,
        before: Timestamp,
        max: NonZeroU32,
    ) -> Result<u32, StoreError> {
        let progress = Progress::read(self.store.document(&Progress::key()).await?)?;
        let state = keys::state(progress.generation());
        self.store.remove_documents(&keys::journeys(), &state, before, max, None).await
    }

    /// Removes documents that a [recount](Self::recount) has replaced: one batch of each kind, of
    /// the oldest generation that is left. No counter writes documents of a former generation.
    async fn remove_former_generation(&self, progress: &Progress, by: RunId) -> Result<(), Error> {
        let Some(former) = progress.former() else { return Ok(()) };
        let (state, max, mut removed) = (keys::state(former), NonZeroU32::MAX, 0_u32);
        for kind in [keys::journeys(), keys::figures()] {
            let some =
                self.store.remove_documents(&kind, &state, Timestamp::MAX, max, None).await?;
            removed = removed.saturating_add(some);
        }
        if removed == 0 {
            let cleaned = progress.without_former(by)?;
            let document = cleaned.document().map(std::slice::from_ref).unwrap_or_default();
            // If another counter has written the progress, a later run comes here again.
            let _ = self.store.replace_documents(document, &[]).await?;
        }
        Ok(())
    }
}

/// One run: the progress, and the documents as this run last knows them.
struct Run<'s, S> {
    store: &'s S,
    by: RunId,
    progress: Progress,
    documents: HashMap<DocumentKey, Option<Document>>,
    /// Whether an invitation whose creation comes next is taken to have no journey. If it has one,
    /// the write changes nothing.
    assumes_new: bool,
}

impl<'s, S: Documents> Run<'s, S> {
    async fn begin(store: &'s S, by: RunId) -> Result<Self, StoreError> {
        let progress = Progress::read(store.document(&Progress::key()).await?)?;
        Ok(Self { store, by, progress, documents: HashMap::new(), assumes_new: true })
    }

    /// Counts events, and returns how many. It stops early if another counter is at work.
    async fn count(&mut self, events: &[FeedEvent]) -> Result<u64, StoreError> {
        let mut counted = 0_u64;
        loop {
            let batch = Batch::first_of(self.progress.rest(events));
            let Some(next) = self.progress.behind(batch.events, self.by)? else {
                return Ok(counted);
            };
            if !self.write(&batch, next).await? {
                // Another counter was quicker, or an invitation has a journey already.
                let progress = self.store.document(&Progress::key()).await?;
                self.progress = Progress::read(progress)?;
                self.documents.clear();
                self.assumes_new = false;
                return Ok(counted);
            }
            let number = u64::try_from(batch.events.len()).unwrap_or(u64::MAX);
            counted = counted.saturating_add(number);
        }
    }

    /// Writes the numbers and journeys after a batch together with the progress, and returns
    /// whether nothing else has changed them.
    async fn write(&mut self, batch: &Batch<'_>, progress: Progress) -> Result<bool, StoreError> {
        let generation = progress.generation();
        let first_steps = batch.first_steps();
        let mut journeys = BTreeMap::new();
        for (id, step) in &first_steps {
            let stored = self.journey(generation, step).await?;
            journeys.insert(*id, read::<Journey>(stored.as_ref())?);
        }
        let before = journeys.clone();
        let differences = batch.add_to(&mut journeys);
        let mut documents: Vec<Document> = progress.document().cloned().into_iter().collect();
        for (id, journey) in &journeys {
            let Some(step) = first_steps.get(id) else { continue };
            if before.get(id) == Some(journey) {
                continue;
            }
            let key = keys::journey(generation, *id);
            let stored = self.documents.get(&key).and_then(Option::as_ref);
            let division = Some(&step.division);
            documents.push(next(stored, key, generation, division, step.at, journey)?.about(*id));
        }
        for (funnel, parts) in differences {
            let key = funnel.document(generation);
            let stored = self.document(&key).await?;
            let mut figures = super::read_figures(stored.as_ref())?;
            for (before, after) in &parts {
                figures.replace(before, after);
            }
            let at = progress.counted_until().unwrap_or(Timestamp::MIN);
            let division = funnel.division();
            documents.push(next(stored.as_ref(), key, generation, division, at, &figures)?);
        }
        let written = self.store.replace_documents(&documents, &[]).await?;
        if written {
            self.progress = progress;
            for document in documents {
                self.documents.insert(document.key.clone(), Some(document));
            }
            if self.documents.len() > REMEMBERED {
                self.documents.clear();
            }
        }
        Ok(written)
    }

    async fn journey(
        &mut self,
        generation: u64,
        first: &Step,
    ) -> Result<Option<Document>, StoreError> {
        let key = keys::journey(generation, first.invitation);
        if self.assumes_new && first.is_creation() {
            self.documents.entry(key.clone()).or_insert(None);
        }
        self.document(&key).await
    }

    /// Returns a document as this run knows it, or as it is stored.
    async fn document(&mut self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        if let Some(remembered) = self.documents.get(key) {
            return Ok(remembered.clone());
        }
        let stored = self.store.document(key).await?;
        self.documents.insert(key.clone(), stored.clone());
        Ok(stored)
    }
}
