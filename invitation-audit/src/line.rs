//! The text form of the log: one JSON object a line.

use std::{borrow::Cow, collections::BTreeSet};

use invitation_core::{
    UserId,
    feed::{FeedEpoch, FeedPosition},
};
use serde::{Deserialize, Serialize};

use crate::{
    checkpoint::SignedCheckpoint,
    entry::{Content, Entry, SealedEvent},
    hash::TreeHash,
};

/// One record of the log: an entry, or a checkpoint of all entries before it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a log store must not compile while losing a kind")]
pub enum Record {
    /// An entry of the log.
    Entry(Entry),
    /// A signed checkpoint, which ends a batch of entries.
    Checkpoint(SignedCheckpoint),
}

/// The reason why a line cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The line is no JSON object of the expected members.
    #[error("the line is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// The line does not end with a line feed, is too long, or is not UTF-8.
    #[error("the line is incomplete, too long, or no text")]
    Incomplete,
    /// The line is neither an entry nor a checkpoint.
    #[error("the line is neither an entry nor a checkpoint")]
    Kind,
    /// The checkpoint is no signed note.
    #[error(transparent)]
    Checkpoint(#[from] crate::CheckpointError),
    /// The line says the same as a record, in another spelling.
    #[error("the line is spelt otherwise than this library writes it")]
    Spelling,
}

/// The members of a line. Those of an entry and those of a checkpoint exclude each other.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaf: Option<TreeHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Cow<'a, SealedEvent>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<EpochMembers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erasure: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EpochMembers {
    number: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<[u64; 3]>,
}

impl Record {
    /// Returns the line of the record, with the line feed at its end.
    ///
    /// # Errors
    ///
    /// [`LineError::Json`] if the record cannot be written as JSON.
    pub fn to_line(&self) -> Result<String, LineError> {
        let members = match self {
            Self::Checkpoint(checkpoint) => Members {
                checkpoint: Some(Cow::Borrowed(checkpoint.as_str())),
                ..Members::default()
            },
            Self::Entry(Entry { index, leaf, content }) => {
                let entry =
                    Members { index: Some(*index), leaf: Some(*leaf), ..Members::default() };
                match content {
                    Content::Event(event) => Members { event: Some(Cow::Borrowed(event)), ..entry },
                    Content::Erasure { entry: erased } => {
                        Members { erasure: Some(*erased), ..entry }
                    }
                    Content::Epoch(FeedEpoch { number, follows }) => {
                        let follows = follows.map(to_parts);
                        Members { epoch: Some(EpochMembers { number: *number, follows }), ..entry }
                    }
                }
            }
        };
        let mut line = serde_json::to_string(&members)?;
        line.push('\n');
        Ok(line)
    }

    /// Reads a line that [`to_line`](Self::to_line) wrote, with the line feed at its end.
    ///
    /// Any other spelling of the same record is refused, so that no byte of a log can change
    /// unnoticed.
    ///
    /// # Errors
    ///
    /// [`LineError`] for every other text.
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        // Members that do not belong together are another spelling: writing the record again
        // leaves them out.
        let members: Members<'_> = serde_json::from_str(line)?;
        let content = match members {
            Members { event: Some(event), .. } => {
                Some(Content::Event(Box::new(event.into_owned())))
            }
            Members { epoch: Some(EpochMembers { number, follows }), .. } => {
                Some(Content::Epoch(FeedEpoch { number, follows: follows.map(from_parts) }))
            }
            Members { erasure: Some(entry), .. } => Some(Content::Erasure { entry }),
            Members { .. } => None,
        };
        let record = match (members.index, members.leaf, content, members.checkpoint) {
            (Some(index), Some(leaf), Some(content), None) => {
                Self::Entry(Entry { index, leaf, content })
            }
            (None, None, None, Some(note)) => Self::Checkpoint(SignedCheckpoint::parse(&note)?),
            _ => return Err(LineError::Kind),
        };
        if record.to_line()? == line { Ok(record) } else { Err(LineError::Spelling) }
    }
}

impl Record {
    /// Returns the record with the personal values of a user erased.
    pub(crate) fn erased(self, user: &UserId) -> Self {
        match self {
            Self::Entry(Entry { index, leaf, content: Content::Event(event) }) => {
                let content = Content::Event(Box::new(event.erased(user)));
                Self::Entry(Entry { index, leaf, content })
            }
            Self::Entry(_) | Self::Checkpoint(_) => self,
        }
    }

    /// Returns whether the record is one of these entries.
    pub(crate) fn is_one_of(&self, entries: &BTreeSet<u64>) -> bool {
        matches!(self, Self::Entry(entry) if entries.contains(&entry.index))
    }
}

fn to_parts(position: FeedPosition) -> [u64; 3] {
    let FeedPosition { epoch, transaction, sequence } = position;
    [epoch, transaction, sequence]
}

fn from_parts([epoch, transaction, sequence]: [u64; 3]) -> FeedPosition {
    FeedPosition { epoch, transaction, sequence }
}

/// A position as a list of its three numbers.
pub(crate) mod position {
    use invitation_core::feed::FeedPosition;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        position: &FeedPosition,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::to_parts(*position).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<FeedPosition, D::Error> {
        <[u64; 3]>::deserialize(deserializer).map(super::from_parts)
    }
}

/// An instant as RFC 3339 in UTC, with up to six digits of a second.
pub(crate) mod instant {
    use invitation_core::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(crate) fn serialize<S: Serializer>(
        instant: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(instant)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        let instant = OffsetDateTime::parse(&text, &Rfc3339).map_err(D::Error::custom)?;
        Timestamp::try_from(instant).map_err(D::Error::custom)
    }
}
