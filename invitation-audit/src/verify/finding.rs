//! The result of a verification.

use std::{fmt, ops::Range};

use invitation_core::{audit::EventId, feed::FeedPosition};

/// The result of a verification.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a verification without a look at its verdict shows nothing"]
#[expect(clippy::exhaustive_enums, reason = "a caller must not overlook a kind of verdict")]
pub enum Verdict {
    /// The first `anchored` entries are those of the anchor: nothing of them was altered,
    /// removed, added or reordered since the anchor was saved.
    Valid {
        /// The number of entries that the anchor covers.
        anchored: u64,
        /// The number of entries that the newest checkpoint of the log covers. Those behind
        /// the anchor are as the log's key signed them, but some may have been removed from
        /// the end.
        sealed: u64,
    },
    /// There was no anchor, or one of an empty log. The entries are as the log's key signed them, but the log may
    /// have been rolled back, or rewritten by a thief of the secret key.
    Unanchored {
        /// The number of entries that the newest checkpoint of the log covers.
        sealed: u64,
    },
    /// Something is wrong; the first place is named.
    Tampered(Finding),
}

/// The first place at which a log, or the events of a store, are not as they were sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// Where it was found: in the log, or in the store.
    pub subject: Subject,
    /// What was found.
    pub kind: FindingKind,
    /// The indexes of the entries. One index is the exact place. A longer range has the finding
    /// in at least one of its entries: usually, the entries between two checkpoints.
    pub entries: Range<u64>,
    /// The event at the place, if it is known.
    pub event: Option<EventId>,
    /// The position of that event in the feed, if it is known.
    pub position: Option<FeedPosition>,
    /// The fields that differ, if they are known.
    pub fields: Vec<&'static str>,
}

/// Where a finding was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Subject {
    /// The log itself, not the store.
    Log,
    /// The events of the store, compared with an intact log.
    Store,
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum FindingKind {
    /// A line of the log is not one that this library writes.
    Unreadable,
    /// An entry or an event has another content than the one that was sealed.
    Altered,
    /// An entry or an event is missing.
    Missing,
    /// An entry or an event was added that was never sealed there.
    Inserted,
    /// An entry or an event stands at another place.
    Reordered,
    /// The entries are consistent with each other, but not the ones that were sealed: their
    /// hashes were computed again.
    Rewritten,
    /// The log ends before the anchor: it was cut, or replaced by an older copy.
    Truncated,
    /// A checkpoint does not have a valid signature of the log's key, or only one of an earlier key
    /// behind one of a newer key.
    UnsignedCheckpoint,
    /// Personal values of an entry were erased, but no later entry records the erasure.
    Erased,
    /// Entries follow the last checkpoint: a batch was interrupted, or an attacker without the
    /// key added them. The next batch of the sealer replaces them.
    UnsignedEntries,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, entries: Range<u64>) -> Self {
        let subject = Subject::Log;
        Self { subject, kind, entries, event: None, position: None, fields: Vec::new() }
    }

    /// Makes a finding at exactly one entry.
    pub(crate) fn at(kind: FindingKind, index: u64) -> Self {
        Self::new(kind, index..index.saturating_add(1))
    }

    pub(crate) fn about(self, event: EventId, position: FeedPosition) -> Self {
        Self { event: Some(event), position: Some(position), ..self }
    }

    pub(crate) fn in_store(self) -> Self {
        Self { subject: Subject::Store, ..self }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid { anchored, sealed } => {
                write!(f, "valid: {anchored} entries are those of the anchor, {sealed} are signed")
            }
            Self::Unanchored { sealed } => {
                write!(f, "unanchored: {sealed} entries are signed, and nothing shows a rollback")
            }
            Self::Tampered(finding) => write!(f, "tampered: {finding}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.entries;
        match self.subject {
            Subject::Log => f.write_str("in the log, ")?,
            Subject::Store => f.write_str("in the store, ")?,
        }
        if end.saturating_sub(start) > 1 {
            write!(f, "entries {start} to {}", end - 1)?;
        } else {
            write!(f, "entry {start}")?;
        }
        if let Some(event) = self.event {
            write!(f, " (event {event})")?;
        }
        write!(f, ": {}", self.kind)?;
        if !self.fields.is_empty() {
            write!(f, " in {}", self.fields.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unreadable => "not readable",
            Self::Altered => "altered",
            Self::Missing => "missing",
            Self::Inserted => "inserted",
            Self::Reordered => "reordered",
            Self::Rewritten => "rewritten",
            Self::Truncated => "cut off",
            Self::UnsignedCheckpoint => "checkpoint without a valid signature",
            Self::Erased => "erased without a record",
            Self::UnsignedEntries => "not covered by a checkpoint",
        })
    }
}
