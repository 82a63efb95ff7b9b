//! The failure of a store.

use std::{error::Error as StdError, fmt, sync::Arc};

/// A failure of the store.
///
/// # What may be repeated
///
/// The unit that [`is_retryable`](Self::is_retryable) allows to repeat depends on the
/// store ([`Store::committed_by`](crate::Store::committed_by)):
///
/// - [`CommittedBy::Store`](crate::CommittedBy::Store): the failed call. It may be repeated as
///   it is.
/// - [`CommittedBy::Host`](crate::CommittedBy::Host): the host's whole transaction, from
///   its beginning. The host rolls it back, begins a new one, and repeats all of its
///   work. Never repeat only the failed call in the same transaction: the database may
///   have undone the host's own work together with it.
///
/// After some errors the database itself ends the host's transaction: a full disk on
/// SQLite, a deadlock on MySQL. [`transaction_ended`](Self::transaction_ended) reports
/// this.
///
/// # Clones
///
/// A clone shares the cause, so that one failure of a batch can answer each of its calls.
///
/// ```
/// # use invitation_core as invitation;
/// use std::{error::Error as _, io};
///
/// use invitation::{StoreError, StoreErrorKind};
///
/// let error = StoreError::new(StoreErrorKind::Unavailable, "get")
///     .because(io::Error::from(io::ErrorKind::ConnectionRefused));
/// let shared = error.clone();
/// drop(error);
/// let cause = shared.source().and_then(|cause| cause.downcast_ref::<io::Error>());
/// assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));
/// ```
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    transaction_ended: bool,
    operation: &'static str,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of a store's failure, by its consequence for the caller.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{StoreError, StoreErrorKind};
///
/// // How a host answers a failure of its store.
/// let answer = |error: &StoreError| match error.kind() {
///     StoreErrorKind::Unavailable | StoreErrorKind::Conflict => "nothing was done; try again",
///     StoreErrorKind::OutcomeUnknown => "ask again with the same redeemer",
///     _ => "call for help",
/// };
/// let lost = StoreError::new(StoreErrorKind::OutcomeUnknown, "redeem");
/// assert_eq!(answer(&lost), "ask again with the same redeemer");
/// assert!(!lost.is_retryable(), "the change may have been made");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store cannot be reached or is overloaded. Nothing was changed. A later attempt
    /// may succeed.
    Unavailable,
    /// Concurrent work interfered: a serialisation failure, a deadlock or a busy file.
    /// Nothing was changed. The whole unit of work may be repeated: the call, or inside a
    /// host's transaction the whole transaction ([`StoreError`]).
    Conflict,
    /// The connection broke after the change was sent, so the change may or may not have
    /// been made. To find out, repeat the operation with the same redeemer.
    OutcomeUnknown,
    /// The tables of the store are missing: the host has not called the store's `migrate`, or
    /// the connection does not see the tables. Nothing was changed.
    NotMigrated,
    /// Stored data cannot be read.
    Corrupt,
    /// Any other failure. Nothing was changed.
    Other,
}

impl StoreError {
    /// Returns a failure of `kind` during `operation`, without a cause.
    #[must_use]
    pub fn new(kind: StoreErrorKind, operation: &'static str) -> Self {
        Self { kind, transaction_ended: false, operation, source: None }
    }

    /// Attaches the cause.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(Arc::from(source.into())), ..self }
    }

    /// Returns the same failure, marked as one after which the host's transaction cannot
    /// commit.
    #[must_use]
    pub fn ending_transaction(self) -> Self {
        Self { transaction_ended: true, ..self }
    }

    /// Returns the kind of the failure.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns the operation that failed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Returns whether nothing was changed and repeating the unit of work may succeed.
    ///
    /// The unit is the call, or inside a host's transaction the host's whole transaction,
    /// never the call alone. See [What may be repeated](Self#what-may-be-repeated).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::Conflict)
    }

    /// Returns whether the host's transaction has ended without a commit, or can only be
    /// rolled back.
    ///
    /// No work in it is kept: neither the host's work, nor earlier calls, nor later ones.
    /// Further calls in the same transaction fail. Roll back, and never commit: the driver's
    /// commit may return `Ok` although the database keeps nothing. Always false outside of a
    /// host's transaction.
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
            StoreErrorKind::NotMigrated => {
                "the tables of the store are missing: call `migrate` on the store first"
            }
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
