//! The verification of a store's events against its log.

use std::collections::VecDeque;

use invitation_core::{
    StoreError,
    audit::EventId,
    feed::{Feed, FeedEpoch, FeedEvent, FeedPosition, RemovedEvents},
};

use super::{
    PAGE, Verdict, Verifier,
    finding::{Finding, FindingKind},
};
use crate::{
    entry::{Content, Entry, SealedEvent},
    line::Record,
    log::{LogError, LogOffset, LogStore},
};

/// The largest number of empty pages of a feed in a row that promise more.
const MAX_EMPTY_PAGES: u32 = 1_000;

/// The result of comparing a store with its log.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StoreReport {
    /// The verdict about the log, and about the store if the log is intact.
    pub verdict: Verdict,
    /// The number of events that the store has and the log does not have yet.
    pub unsealed: u64,
    /// The number of events that the log has at positions which the store lost before an
    /// epoch began. If the store still has such an event, at a later position, its fields are
    /// compared. An epoch excuses the loss of all others, and a verdict does not show it: if no
    /// server was promoted or restored, a number other than 0 is a finding.
    pub lost: u64,
    /// The number of events that the log has, and that the store has
    /// [purged](invitation_core::Invitations::purge_events), as the event of the purge states.
    /// Whoever writes to the store can write such an event too. So compare the purges of the audit
    /// trail with those that you know of, and verify the store before each purge.
    pub purged: u64,
}

/// The reason why a store could not be compared with its log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log store failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The feed promised more events, but returned none.
    #[error("the feed of the store does not progress")]
    Stalled,
    /// The feed returned a position or an epoch that does not follow the one before.
    #[error("the feed of the store is not in order")]
    Order,
}

/// Verifies a log, and then that the store still has every event as it was sealed.
///
/// Reads the log three times and the feed once, in pages. After a finding in the store, it reads
/// the log and the feed once more, to tell a reordered event from a missing or an inserted one.
///
/// An epoch of the feed excuses that events before it are lost:
/// [`lost`](StoreReport::lost) counts them. Their later copies are compared. For that, the call
/// reads the log once more, and once more for each 10,000 lost events, which it keeps in memory.
///
/// The event of a purge excuses that the store no longer has events before it:
/// [`purged`](StoreReport::purged) counts them. It excuses none that was younger than a day.
///
/// # Errors
///
/// [`FeedError`] when the store or the log store fails.
pub async fn verify_store<F: Feed, L: LogStore>(
    feed: F,
    log: L,
    verifier: Verifier,
) -> Result<StoreReport, FeedError> {
    let verdict = super::verify(&log, verifier).await?;
    let report = StoreReport { verdict, unsealed: 0, lost: 0, purged: 0 };
    if matches!(report.verdict, Verdict::Tampered(_)) {
        return Ok(report);
    }
    Comparison { feed: &feed, log: &log }.run(report).await
}

pub(super) struct Comparison<'a, F, L> {
    pub(super) feed: &'a F,
    pub(super) log: &'a L,
}

impl<F: Feed, L: LogStore> Comparison<'_, F, L> {
    async fn run(&self, mut report: StoreReport) -> Result<StoreReport, FeedError> {
        let (epochs, mut removal) = self.excuses().await?;
        // Asks every later epoch: a second promotion may lose more than the first one.
        let is_lost = |position: FeedPosition| {
            let ends = |e: &FeedEpoch| position.epoch < e.number && e.follows < Some(position);
            epochs.iter().any(ends)
        };
        let is_removed = |removal: Option<RemovedEvents>, own: &SealedEvent| {
            removal.is_some_and(|removal| removal.took(own.position, own.at))
        };
        let mut has_read_end = false;
        let mut sealed = Entries::new(self.log);
        let mut events = Events::new(self.feed, None);
        while let Some(entry) = sealed.next().await? {
            let Some(own) = entry.content.event() else { continue };
            // Asked after the log, so that an event sealed meanwhile is not missing.
            let found = events.peek().await?;
            let finding = match found {
                Some(event) if event.position == own.position => {
                    let differences = own.differences(event);
                    if differences.is_empty() {
                        events.take();
                        continue;
                    }
                    self.altered(entry.index, own, event, differences).await?
                }
                // The event of the store stands before the next one of the log.
                Some(event) if event.position < own.position => {
                    let (id, position) = (event.event.id, event.position);
                    let is_sealed = self.log_has(id).await?;
                    let kind =
                        if is_sealed { FindingKind::Reordered } else { FindingKind::Inserted };
                    Finding::at(kind, entry.index).about(id, position)
                }
                Some(_) | None if is_lost(own.position) => {
                    report.lost += 1;
                    continue;
                }
                Some(_) | None if is_removed(removal, own) => {
                    report.purged += 1;
                    continue;
                }
                Some(_) | None => {
                    // The purge may not be sealed yet.
                    if !has_read_end {
                        has_read_end = true;
                        removal = self.unsealed_removal().await?.or(removal);
                        if is_removed(removal, own) {
                            report.purged += 1;
                            continue;
                        }
                    }
                    let is_kept = self.feed_has(own.id).await?;
                    let kind = if is_kept { FindingKind::Reordered } else { FindingKind::Missing };
                    Finding::at(kind, entry.index).about(own.id, own.position)
                }
            };
            return Ok(StoreReport { verdict: Verdict::Tampered(finding.in_store()), ..report });
        }
        while events.peek().await?.is_some() {
            events.take();
            report.unsealed += 1;
        }
        if report.lost > 0
            && let Some(finding) = self.altered_copy(is_lost).await?
        {
            report.verdict = Verdict::Tampered(finding.in_store());
        }
        Ok(report)
    }

    /// Returns the finding about two different events at one position.
    async fn altered(
        &self,
        index: u64,
        own: &SealedEvent,
        event: &FeedEvent,
        fields: Vec<&'static str>,
    ) -> Result<Finding, FeedError> {
        let is_moved = own.id != event.event.id
            && (self.log_has(event.event.id).await? || self.feed_has(own.id).await?);
        let kind = if is_moved { FindingKind::Reordered } else { FindingKind::Altered };
        Ok(Finding { fields, ..Finding::at(kind, index).about(own.id, own.position) })
    }

    /// Returns the epochs that the log records, and the last removal of events. There is an epoch
    /// for each time that the store may have lost writes, so they are few.
    async fn excuses(&self) -> Result<(Vec<FeedEpoch>, Option<RemovedEvents>), FeedError> {
        let (mut epochs, mut removal) = (Vec::new(), None);
        let mut entries = Entries::new(self.log);
        while let Some(entry) = entries.next().await? {
            match entry.content {
                Content::Epoch(epoch) => epochs.push(epoch),
                Content::Event(event) => removal = event.removal().or(removal),
                Content::Erasure { .. } => {}
            }
        }
        Ok((epochs, removal))
    }

    /// Returns the last removal of events among the events that are not sealed yet.
    async fn unsealed_removal(&self) -> Result<Option<RemovedEvents>, FeedError> {
        let (mut end, mut removal) = (None, None);
        let mut entries = Entries::new(self.log);
        while let Some(entry) = entries.next().await? {
            end = entry.content.event().map(|event| event.position).or(end);
        }
        let mut events = Events::new(self.feed, end);
        while let Some(event) = events.peek().await? {
            removal = RemovedEvents::stated_by(&event.event).or(removal);
            events.take();
        }
        Ok(removal)
    }

    async fn log_has(&self, id: EventId) -> Result<bool, FeedError> {
        let mut entries = Entries::new(self.log);
        while let Some(entry) = entries.next().await? {
            if entry.content.event().is_some_and(|event| event.id == id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn feed_has(&self, id: EventId) -> Result<bool, FeedError> {
        let mut events = Events::new(self.feed, None);
        while let Some(event) = events.peek().await? {
            if event.event.id == id {
                return Ok(true);
            }
            events.take();
        }
        Ok(false)
    }
}

/// The entries of a log, read in pages.
pub(crate) struct Entries<'a, L> {
    log: &'a L,
    from: LogOffset,
    page: VecDeque<Record>,
}

impl<'a, L: LogStore> Entries<'a, L> {
    pub(crate) fn new(log: &'a L) -> Self {
        Self { log, from: LogOffset::default(), page: VecDeque::new() }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Entry>, LogError> {
        loop {
            match self.page.pop_front() {
                Some(Record::Entry(entry)) => return Ok(Some(entry)),
                Some(Record::Checkpoint(_)) => {}
                None => {
                    let page = self.log.read(self.from, PAGE).await?;
                    if page.records.is_empty() {
                        return Ok(None);
                    }
                    (self.page, self.from) = (page.records.into(), page.next);
                }
            }
        }
    }
}

/// The events of a feed, read in pages.
pub(super) struct Events<'a, F> {
    feed: &'a F,
    after: Option<FeedPosition>,
    page: VecDeque<FeedEvent>,
}

impl<'a, F: Feed> Events<'a, F> {
    pub(super) fn new(feed: &'a F, after: Option<FeedPosition>) -> Self {
        Self { feed, after, page: VecDeque::new() }
    }

    /// Returns the next event; none at the present end of the feed.
    pub(super) async fn peek(&mut self) -> Result<Option<&FeedEvent>, FeedError> {
        let mut empty = 0;
        while self.page.is_empty() {
            let page = self.feed.feed(self.after, PAGE).await?;
            if page.events.is_empty() && !page.more {
                return Ok(None);
            }
            empty += 1;
            if empty > MAX_EMPTY_PAGES {
                return Err(FeedError::Stalled);
            }
            for event in &page.events {
                if self.after >= Some(event.position) {
                    return Err(FeedError::Order);
                }
                self.after = Some(event.position);
            }
            self.page = page.events.into();
        }
        Ok(self.page.front())
    }

    /// Goes behind the event that [`peek`](Self::peek) returned.
    pub(super) fn take(&mut self) {
        self.page.pop_front();
    }
}
