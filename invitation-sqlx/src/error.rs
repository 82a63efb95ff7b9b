//! Conversion of the driver's errors to the port's errors.

use std::{error::Error as StdError, fmt};

use invitation_core::{StoreError, StoreErrorKind};

use crate::dialect::Dialect;

/// Converts an error that happened before any commit.
pub(crate) fn store_error<DB: Dialect>(operation: &'static str, error: sqlx::Error) -> StoreError {
    StoreError::new(kind::<DB>(&error), operation).because(error)
}

/// Converts an error of a commit. The outcome is unknown, unless the database itself reported a
/// conflict.
pub(crate) fn commit_error<DB: Dialect>(operation: &'static str, error: sqlx::Error) -> StoreError {
    StoreError::new(commit_kind(kind::<DB>(&error)), operation).because(error)
}

pub(crate) fn commit_kind(kind: StoreErrorKind) -> StoreErrorKind {
    match kind {
        StoreErrorKind::Conflict => StoreErrorKind::Conflict,
        _ => StoreErrorKind::OutcomeUnknown,
    }
}

/// Converts an error of a statement that is a transaction by itself. If the database reported
/// that it cannot go on, the outcome is unknown: it may have committed before.
pub(crate) fn lone_statement_error<DB: Dialect>(
    operation: &'static str,
    error: sqlx::Error,
) -> StoreError {
    StoreError::new(lone_statement_kind(kind::<DB>(&error)), operation).because(error)
}

pub(crate) fn lone_statement_kind(kind: StoreErrorKind) -> StoreErrorKind {
    match kind {
        StoreErrorKind::Unavailable => StoreErrorKind::OutcomeUnknown,
        kind => kind,
    }
}

fn kind<DB: Dialect>(error: &sqlx::Error) -> StoreErrorKind {
    match error {
        sqlx::Error::Database(error) => DB::classify(&**error),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => StoreErrorKind::Unavailable,
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Other,
    }
}

/// Whether a unique key was taken.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// A stored value that this library did not write.
#[derive(Debug)]
pub(crate) struct CorruptColumn {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
}

impl fmt::Display for CorruptColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {} of a row of {} cannot be understood", self.column, self.table)
    }
}

impl StdError for CorruptColumn {}
