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

/// Returns whether concurrent work caused the error of a host's own statement or commit, so that
/// repeating the whole transaction may help.
///
/// True for a deadlock, a failed serialization and a busy database. False for a connection that
/// broke: the outcome of a commit is then unknown. It answers
/// [`Register::is_conflict`](invitation_core::admit::Register::is_conflict).
///
/// ```
/// # mod invitation {
/// #     pub use invitation_core::*;
/// #     pub use invitation_sqlx::{self as sql, SqliteStore};
/// # }
/// use invitation::{
///     Actor, Division, Draft, Error, Invitations, Redeemed, Redeemer, Role, SqliteStore, UserId,
///     Username,
///     admit::Register,
///     sql::{
///         is_conflict,
///         sqlx::{self, Sqlite, SqliteConnection},
///     },
/// };
///
/// struct Users;
///
/// #[derive(Debug)]
/// enum NotRegistered {
///     Invitation(Error),
///     Database(sqlx::Error),
/// }
///
/// impl From<Error> for NotRegistered {
///     fn from(error: Error) -> Self {
///         Self::Invitation(error)
///     }
/// }
///
/// #[async_trait::async_trait]
/// impl Register<SqliteConnection> for Users {
///     type Account = String;
///     type Error = NotRegistered;
///
///     async fn register(
///         &self,
///         tx: &mut SqliteConnection,
///         redeemed: &Redeemed,
///     ) -> Result<String, NotRegistered> {
///         let name = redeemed.username().to_string();
///         if !redeemed.is_replayed() {
///             let account = sqlx::query("INSERT INTO users (name) VALUES (?)").bind(&name);
///             account.execute(tx).await.map_err(NotRegistered::Database)?;
///         }
///         Ok(name)
///     }
///
///     fn is_conflict(&self, error: &NotRegistered) -> bool {
///         matches!(error, NotRegistered::Database(error) if is_conflict::<Sqlite>(error))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqliteStore::in_memory().await?;
/// sqlx::raw_sql("CREATE TABLE users (name TEXT PRIMARY KEY)").execute(store.pool()).await?;
/// let invitations = Invitations::new(store);
/// # let (mia, role) = (UserId::new("mia")?, Role::new("manager")?);
/// # let mia = Actor::in_division(mia, role, Division::new("sales")?);
/// let code = invitations.create(&mia, Draft::new()).await?.code().reveal();
/// let anna = Redeemer::new(UserId::new("u-2")?, Username::new("anna")?);
/// let account = invitations.admit_with(&code, &anna, &Users).await.expect("a free name");
/// assert_eq!(account, "anna");
/// assert!(!is_conflict::<Sqlite>(&sqlx::Error::PoolTimedOut));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn is_conflict<DB: Dialect>(error: &sqlx::Error) -> bool {
    kind::<DB>(error) == StoreErrorKind::Conflict
}

pub(crate) fn kind<DB: Dialect>(error: &sqlx::Error) -> StoreErrorKind {
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
pub(crate) fn is_taken(error: &StoreError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<sqlx::Error>());
    cause.is_some_and(is_unique_violation)
}

/// Whether a unique key was taken.
pub(crate) fn is_unique_violation(error: &sqlx::Error) -> bool {
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
