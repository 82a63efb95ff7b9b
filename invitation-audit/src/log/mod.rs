//! The port for the storage of a log, and two implementations.

mod batch_write;
mod file;
mod lock;
mod memory;

use std::{collections::BTreeSet, error::Error as StdError, fmt, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use invitation_core::UserId;

pub use self::{file::FileLog, memory::MemoryLog};
pub(crate) use self::{file::read_line, lock::sync_folder};
use crate::{
    checkpoint::SignedCheckpoint,
    entry::Entry,
    line::{LineError, Record},
};

/// A place in the storage of a log: behind a checkpoint, or at the beginning. Only the log
/// store that returned it knows what its number means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "log stores build it")]
pub struct LogOffset(pub u64);

/// What a log grows by: entries, and the checkpoint that covers them and all before.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a log store must not compile while losing a part")]
pub struct Batch {
    /// The new entries, in the order of their indexes.
    pub entries: Vec<Entry>,
    /// The checkpoint of the log with these entries.
    pub checkpoint: SignedCheckpoint,
}

/// A page of the records of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "log stores build it")]
pub struct LogPage {
    /// The records, in the order of the log.
    pub records: Vec<Record>,
    /// Where the next page begins; the end of the log if there are no records.
    pub next: LogOffset,
}

/// The storage of a log. It only grows, except for personal values that are erased.
///
/// # For implementors
///
/// - `append` MUST store all records of a batch or none, and the entries before the
///   checkpoint. After a crash in the middle, `read` MUST return nothing of the batch.
/// - `append` MUST store nothing and return [`LogError::Conflict`] if the log does not end at
///   the given offset, or the first entry has not the next index. Of two sealers that append at the same offset, one succeeds.
/// - A batch whose `append` has succeeded MUST survive a crash of the machine.
/// - `read` MUST return records as they were appended, and MUST bound its result by `limit`.
#[async_trait]
pub trait LogStore: fmt::Debug + Send + Sync {
    /// Appends a batch to a log that ends at an offset, and returns the new end.
    ///
    /// # Errors
    ///
    /// [`LogError`]. The batch is then not stored, unless the kind is [`LogError::Other`].
    async fn append(&self, end: LogOffset, batch: &Batch) -> Result<LogOffset, LogError>;

    /// Returns the records from an offset on.
    ///
    /// # Errors
    ///
    /// [`LogError`].
    async fn read(&self, from: LogOffset, limit: NonZeroU32) -> Result<LogPage, LogError>;

    /// Erases the personal values of a user from these entries
    /// ([`SealedEvent::erased`](crate::SealedEvent::erased)), and changes nothing else. Other
    /// entries, and indexes that the log does not have, are ignored. The call takes effect for
    /// all entries or for none.
    ///
    /// MAY make offsets invalid that were returned before: `append` at such an offset is a
    /// conflict. The store documents what remains of the values in backups.
    ///
    /// # Errors
    ///
    /// [`LogError`].
    async fn erase(&self, entries: &BTreeSet<u64>, user: &UserId) -> Result<(), LogError>;
}

/// A failure of a log store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The log does not end where the caller assumed: another sealer was faster.
    #[error("the log has grown meanwhile")]
    Conflict,
    /// Another process has the log open for writing.
    #[error("another process has the log open")]
    Locked,
    /// A record cannot be read.
    #[error("a record of the log is not readable")]
    Unreadable(#[from] LineError),
    /// Any other failure.
    #[error("the storage of the log failed")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

impl LogError {
    /// Wraps the cause of a failure.
    pub fn other(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Other(source.into())
    }
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        impl<L: LogStore + ?Sized> LogStore for $type {
            async fn append(&self, end: LogOffset, batch: &Batch) -> Result<LogOffset, LogError> {
                (**self).append(end, batch).await
            }

            async fn read(&self, from: LogOffset, limit: NonZeroU32) -> Result<LogPage, LogError> {
                (**self).read(from, limit).await
            }

            async fn erase(&self, entries: &BTreeSet<u64>, user: &UserId) -> Result<(), LogError> {
                (**self).erase(entries, user).await
            }
        }
    };
}

forward!(&L);
forward!(Box<L>);
forward!(Arc<L>);
