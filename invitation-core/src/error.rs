//! What a call can end in when it does not succeed.

use std::{error::Error as StdError, fmt};

use crate::{
    code::{Mistyped, UnreadableSeal},
    entropy::EntropyError,
    invalid::{Invalid, InvalidInput},
    refusal::{Refusal, Refused},
};

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The typed code cannot be one. No store was asked, nothing was recorded.
    #[error(transparent)]
    Mistyped(#[from] Mistyped),
    /// The input breaks a bound. Nothing was done, nothing was recorded.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The domain said no, and there is evidence of it.
    #[error("{0}")]
    Refused(Refused),
    /// The store failed. Unless its kind is
    /// [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown), nothing was done.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness. Nothing was done.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A stored code cannot be shown.
    #[error(transparent)]
    Seal(#[from] UnreadableSeal),
}

impl Error {
    /// The refusal, if it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refused) => Some(refused.refusal()),
            _ => None,
        }
    }
}

impl From<Invalid> for Error {
    fn from(one: Invalid) -> Self {
        Self::Invalid(one.into())
    }
}

/// The store failed to do what it was asked for.
///
/// # What may be repeated
///
/// What [`is_retryable`](Self::is_retryable) speaks of depends on the store
/// ([`Store::durability`](crate::Store::durability)):
///
/// - [`Durability::Own`](crate::Durability::Own): the failed call. It may be repeated as it is.
/// - [`Durability::Hosts`](crate::Durability::Hosts): the host's whole transaction, from its
///   beginning. The host rolls it back, begins a new one, and repeats all of its work.
///   Repeating only the failed call in the same transaction is never right, because the
///   database may have undone the host's own work along with it.
///
/// After some errors the database ends the host's transaction by itself: a full disk on
/// SQLite, a deadlock on MySQL. [`transaction_ended`](Self::transaction_ended) tells.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    transaction_ended: bool,
    operation: &'static str,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a store's failure means for the caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, or is too busy. Nothing was done; it may work later.
    Unavailable,
    /// Concurrent work got in the way (a serialisation failure, a deadlock, a
    /// busy file). Nothing was done; the whole unit of work may be repeated: the call, or
    /// inside a host's transaction the whole transaction ([`StoreError`]).
    Conflict,
    /// The connection broke after the change was sent. It was made, or not:
    /// repeating the operation with the same redeemer tells.
    OutcomeUnknown,
    /// What is stored cannot be understood.
    Corrupt,
    /// Anything else. Nothing was done.
    Other,
}

impl StoreError {
    /// A failure of `kind` while doing `operation`, without a cause to show.
    #[must_use]
    pub fn new(kind: StoreErrorKind, operation: &'static str) -> Self {
        Self { kind, transaction_ended: false, operation, source: None }
    }

    /// Keeps the cause.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// The same failure, after which the host's transaction cannot be committed any more.
    #[must_use]
    pub fn ending_transaction(self) -> Self {
        Self { transaction_ended: true, ..self }
    }

    /// What it means for the caller.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// What the store was doing.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whether nothing was done and the unit of work may succeed when it is repeated: the
    /// call, or inside a host's transaction the host's whole transaction, never the call
    /// alone. See [What may be repeated](Self#what-may-be-repeated).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::Conflict)
    }

    /// Whether the host's transaction has ended without a commit, or can only be rolled
    /// back. Nothing of it is kept: neither the host's work, nor what earlier calls did in
    /// it, nor what follows. Further calls in the same transaction fail, and so does its
    /// commit. Always false outside of a host's transaction.
    #[must_use]
    pub fn transaction_ended(&self) -> bool {
        self.transaction_ended
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Unavailable => "the store is unavailable",
            StoreErrorKind::Conflict => "the store was busy with concurrent work",
            StoreErrorKind::OutcomeUnknown => "whether the store made the change is unknown",
            StoreErrorKind::Corrupt => "the store holds something that cannot be understood",
            StoreErrorKind::Other => "the store failed",
        };
        write!(f, "{what} ({})", self.operation)?;
        if self.transaction_ended {
            f.write_str("; the host's transaction has ended without a commit")?;
        }
        Ok(())
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
