//! The errors of calls.

use crate::{
    code::{ParseCodeError, UnsealError},
    entropy::EntropyError,
    field_error::{FieldError, ValidationErrors},
    refusal::{Refusal, Refused},
    store_error::StoreError,
};

/// The reason why a call did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The typed text cannot be a code. The service did not call the store and recorded
    /// no event.
    #[error(transparent)]
    ParseCode(#[from] ParseCodeError),
    /// The input violates a limit. Nothing was changed, and no event was recorded.
    #[error(transparent)]
    Invalid(#[from] ValidationErrors),
    /// The domain refused the call. Audit events document the refusal.
    #[error("{0}")]
    Refused(Refused),
    /// The store failed. Nothing was changed, unless the kind is
    /// [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source of randomness failed. Nothing was changed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A stored code cannot be unsealed, so it cannot be shown: it was damaged, or its key is
    /// unknown or retired.
    #[error(transparent)]
    Seal(#[from] UnsealError),
}

impl Error {
    /// Returns the refusal, if the error is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refused) => Some(refused.refusal()),
            _ => None,
        }
    }
}

impl From<FieldError> for Error {
    fn from(one: FieldError) -> Self {
        Self::Invalid(one.into())
    }
}
