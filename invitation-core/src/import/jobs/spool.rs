//! The place that holds the files of imports.

use std::{error::Error as StdError, fmt, sync::Arc};

use async_trait::async_trait;

use crate::{id::BatchId, string_enum::string_enum};

string_enum! {
    /// The files of one import.
    #[non_exhaustive]
    SpoolPart, "part" {
        /// The rows as they were sent.
        Rows = "rows",
        /// The outcome of each row, without codes.
        Results = "results",
    }
}

/// The name of a file in a [`Spool`]: a UUID, a dot and a word, all in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SpoolFile {
    id: BatchId,
    part: SpoolPart,
}

/// A place that holds the files of imports until they are removed.
///
/// The worker of an import reads the file that the upload wrote. So the spool of all machines that
/// run [`Imports`](super::Imports) is one shared folder, or each machine has its own: then only the
/// machine that took the upload works on it, and only it serves the results.
///
/// # For implementors
///
/// The files contain addresses. They must be readable by the host's program only.
#[async_trait]
pub trait Spool: fmt::Debug + Send + Sync {
    /// Writes bytes at an offset. Creates the file if the offset is 0 and there is none.
    ///
    /// What is behind the bytes MUST stay: a worker that was suspended may write a part again after
    /// another worker has written the rest.
    ///
    /// # Errors
    ///
    /// [`SpoolError`] when the bytes cannot be written; [`SpoolError::Missing`] if the file is
    /// shorter than the offset, or missing.
    async fn write(&self, file: SpoolFile, at: u64, bytes: Vec<u8>) -> Result<(), SpoolError>;

    /// Makes what was written durable: a crash of the machine does not lose it.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    async fn sync(&self, file: SpoolFile) -> Result<(), SpoolError>;

    /// Returns at least one and at most `max` bytes from an offset; none at the end.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Missing`] if the file does not exist here; [`SpoolError::Failed`].
    async fn read(&self, file: SpoolFile, at: u64, max: usize) -> Result<Vec<u8>, SpoolError>;

    /// Removes a file. A file that does not exist is removed already.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Failed`].
    async fn remove(&self, file: SpoolFile) -> Result<(), SpoolError>;
}

/// A failure of a [`Spool`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SpoolError {
    /// The file does not exist here. Another machine may have it.
    Missing,
    /// The files of all imports together have reached their maximum size. Nothing was written.
    Full,
    /// The file cannot be read or written.
    Failed(Arc<dyn StdError + Send + Sync>),
}

impl SpoolFile {
    pub(super) fn rows(id: BatchId) -> Self {
        Self { id, part: SpoolPart::Rows }
    }

    pub(super) fn results(id: BatchId) -> Self {
        Self { id, part: SpoolPart::Results }
    }

    /// Returns the kind of the file.
    #[must_use]
    pub fn part(&self) -> SpoolPart {
        self.part
    }
}

impl fmt::Display for SpoolFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.part)
    }
}

impl SpoolError {
    /// Creates an error with its cause.
    pub fn because(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self::Failed(Arc::new(cause))
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the file of the import is not on this machine"),
            Self::Full => f.write_str("there is no room for more files of imports at present"),
            Self::Failed(_) => f.write_str("the file of the import cannot be read or written"),
        }
    }
}

impl StdError for SpoolError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Missing | Self::Full => None,
            Self::Failed(cause) => Some(&**cause),
        }
    }
}
