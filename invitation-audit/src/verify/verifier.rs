//! The verification of a log, record by record.

use std::collections::BTreeSet;

use invitation_core::{
    Timestamp,
    feed::{FeedEpoch, FeedPosition},
};

use super::finding::{Finding, FindingKind, Verdict};
use crate::{
    checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint},
    entry::{Content, Entry},
    frontier::Frontier,
    key::LogPublicKey,
    line::Record,
    personal::Personal,
};

/// The verification of a log, record by record.
///
/// It takes constant memory, except for 8 bytes for each entry with erased values until it
/// reads the record of their erasure.
///
/// [`verify`](crate::verify) and [`verify_lines`](crate::verify_lines) feed it. Use it directly
/// for a log that arrives in another way.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// The keys that may sign the next checkpoint, the newest first.
    keys: Vec<LogPublicKey>,
    anchor: Option<Checkpoint>,
    /// The position of the key that has signed the anchor.
    anchor_key: usize,
    /// Whether the first entries of the log have the size and the root of the anchor.
    is_matched: bool,
    progress: Progress,
    finding: Option<Finding>,
    /// The first index that is missing so far. It may follow later in the log.
    gap: Option<u64>,
}

/// The part of a log that has been verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Progress {
    pub(crate) tree: Frontier,
    /// The number of entries that the last checkpoint covers.
    pub(crate) signed: u64,
    /// The position of the last event.
    pub(crate) last: Option<FeedPosition>,
    /// The time of the newest event: of the latest, not of the last one, because the clocks of
    /// several processes differ.
    pub(crate) newest: Option<Timestamp>,
    /// The number of the feed's epoch.
    pub(crate) epoch: u64,
    /// The entries with erased values whose erasure has not been read yet. They are the only
    /// thing that grows with the log.
    erased: BTreeSet<u64>,
    /// The newest checkpoint.
    pub(crate) checkpoint: Option<SignedCheckpoint>,
}

impl Verifier {
    /// Returns a verification by these public keys: the log's key, and earlier ones if the key
    /// was replaced, the newest first.
    ///
    /// Behind a checkpoint of one key, and behind the anchor, only this key and newer ones count.
    /// So the thief of an earlier key cannot extend the log. The thief can still cut off all
    /// checkpoints of the newer keys, and write another end. Only an anchor that a newer key has
    /// signed shows this: save one when you replace a key.
    pub fn new(keys: impl IntoIterator<Item = LogPublicKey>) -> Self {
        let progress = Progress {
            tree: Frontier::default(),
            signed: 0,
            last: None,
            newest: None,
            epoch: FeedEpoch::FIRST.number,
            erased: BTreeSet::new(),
            checkpoint: None,
        };
        let keys = keys.into_iter().collect();
        Self {
            keys,
            anchor: None,
            anchor_key: 0,
            is_matched: false,
            progress,
            finding: None,
            gap: None,
        }
    }

    /// Compares the log with a checkpoint that was saved elsewhere. A second anchor replaces the
    /// first one.
    ///
    /// A checkpoint of an empty log covers no entry, so the verdict stays
    /// [`Unanchored`](Verdict::Unanchored).
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] if none of the keys has signed it; [`CheckpointError::Late`] if the
    /// verification has already read more entries than the checkpoint covers.
    pub fn with_anchor(mut self, saved: &SignedCheckpoint) -> Result<Self, CheckpointError> {
        let (anchor_key, anchor) = saved.signed_by(&self.keys)?;
        // The tree keeps no earlier root, so a late comparison is impossible.
        if anchor.size < self.progress.tree.size() {
            return Err(CheckpointError::Late);
        }
        (self.anchor, self.anchor_key) = (Some(anchor.clone()), anchor_key);
        self.is_matched = false;
        self.compare_with_anchor();
        Ok(self)
    }

    /// Verifies the next record of the log.
    pub fn record(&mut self, record: &Record) {
        if self.gap.is_some() {
            return self.look_for_gap(record);
        }
        if self.finding.is_some() {
            return;
        }
        match record {
            Record::Entry(entry) => self.entry(entry),
            Record::Checkpoint(checkpoint) => self.checkpoint(checkpoint),
        }
    }

    /// Takes note that the next record of the log cannot be read.
    pub fn unreadable(&mut self) {
        if self.finding.is_none() {
            let index = self.progress.tree.size();
            self.finding = Some(Finding::at(FindingKind::Unreadable, index));
        }
    }

    /// Returns whether further records cannot change the verdict.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.finding.is_some() && self.gap.is_none()
    }

    /// Returns the verdict about the records so far, as the whole log.
    pub fn finish(self) -> Verdict {
        let matched = self.anchor.as_ref().filter(|_| self.is_matched).map(|anchor| anchor.size);
        match self.into_progress() {
            Err(finding) => Verdict::Tampered(finding),
            Ok(Progress { signed: sealed, .. }) => match matched {
                Some(anchored) if anchored > 0 => Verdict::Valid { anchored, sealed },
                Some(_) | None => Verdict::Unanchored { sealed },
            },
        }
    }

    /// Returns the verified log, or the first finding.
    pub(crate) fn into_progress(self) -> Result<Progress, Finding> {
        let (size, signed) = (self.progress.tree.size(), self.progress.signed);
        let anchored = self.anchor.map_or(0, |anchor| anchor.size);
        if let Some(finding) = self.finding {
            Err(finding)
        } else if size > signed {
            Err(Finding::new(FindingKind::UnsignedEntries, signed..size))
        } else if anchored > size {
            Err(Finding::new(FindingKind::Truncated, size..anchored))
        } else if let Some(first) = self.progress.erased.first() {
            Err(Finding::at(FindingKind::Erased, *first))
        } else {
            Ok(self.progress)
        }
    }

    fn entry(&mut self, entry: &Entry) {
        let index = self.progress.tree.size();
        let found = |kind| {
            let finding = Finding::at(kind, index);
            match entry.content.event() {
                Some(event) => finding.about(event.id, event.position),
                None => finding,
            }
        };
        if entry.index > index {
            // Missing, unless it follows: then reordered.
            self.gap = Some(index);
            self.finding = Some(Finding::at(FindingKind::Missing, index));
        } else if entry.index < index {
            self.finding = Some(found(FindingKind::Inserted));
        } else if !entry.is_intact() {
            self.finding = Some(found(FindingKind::Altered));
        } else if !self.progress.follows(&entry.content) {
            self.finding = Some(found(FindingKind::Reordered));
        } else {
            self.progress.push(entry);
            self.compare_with_anchor();
        }
    }

    fn look_for_gap(&mut self, record: &Record) {
        let Record::Entry(entry) = record else { return };
        if self.gap == Some(entry.index) {
            let finding = Finding::at(FindingKind::Reordered, entry.index);
            self.finding = Some(match entry.content.event() {
                Some(event) => finding.about(event.id, event.position),
                None => finding,
            });
            self.gap = None;
        }
    }

    fn checkpoint(&mut self, checkpoint: &SignedCheckpoint) {
        let Progress { tree, signed, .. } = &self.progress;
        let (size, signed) = (tree.size(), *signed);
        let (kind, entries) = match checkpoint.signed_by(&self.keys) {
            Err(_) => (FindingKind::UnsignedCheckpoint, signed..size),
            Ok((_, stated)) if stated.size < size => (FindingKind::Inserted, signed..size),
            Ok((_, stated)) if stated.size > size => (FindingKind::Missing, signed..stated.size),
            Ok((_, stated)) if stated.root != tree.root() => (FindingKind::Rewritten, signed..size),
            Ok((key, _)) => {
                self.progress.signed = size;
                self.progress.checkpoint = Some(checkpoint.clone());
                return self.end_keys_before(key);
            }
        };
        self.finding = Some(Finding::new(kind, entries));
    }

    /// Accepts no further checkpoint of keys that are earlier than the one at this position.
    fn end_keys_before(&mut self, key: usize) {
        self.keys.truncate(key.saturating_add(1));
    }

    fn compare_with_anchor(&mut self) {
        let tree = &self.progress.tree;
        if let Some(anchor) = self.anchor.as_ref().filter(|anchor| anchor.size == tree.size()) {
            self.is_matched = anchor.root == tree.root();
            if self.is_matched {
                self.end_keys_before(self.anchor_key);
            } else {
                self.finding = Some(Finding::new(FindingKind::Rewritten, 0..anchor.size));
            }
        }
    }
}

impl Progress {
    /// Returns the position behind which the feed has what the log has not: that of the last event,
    /// or the beginning of a later epoch. Without the epoch, a store that has lost it could begin
    /// one with a smaller number.
    pub(crate) fn end(&self) -> Option<FeedPosition> {
        if self.epoch == FeedEpoch::FIRST.number {
            return self.last;
        }
        let begun = FeedPosition { epoch: self.epoch, transaction: 0, sequence: 0 };
        self.last.max(Some(begun))
    }

    /// Returns whether an entry may stand behind the ones so far: positions and epochs
    /// increase, and an event belongs to the epoch that the log has reached.
    pub(crate) fn follows(&self, content: &Content) -> bool {
        match content {
            Content::Epoch(epoch) => epoch.number > self.epoch,
            Content::Erasure { entry } => *entry < self.tree.size(),
            Content::Event(event) => {
                let position = event.position;
                position.epoch == self.epoch && self.last < Some(position)
            }
        }
    }

    pub(crate) fn push(&mut self, entry: &Entry) {
        match &entry.content {
            Content::Epoch(epoch) => self.epoch = epoch.number,
            Content::Erasure { entry } => {
                self.erased.remove(entry);
            }
            Content::Event(event) => {
                self.last = Some(event.position);
                self.newest = self.newest.max(Some(event.at));
                if event.personal().any(Personal::is_erased) {
                    self.erased.insert(self.tree.size());
                }
            }
        }
        self.tree.push(entry.leaf);
    }
}
