//! What truly differs between the databases, and nothing else.

use std::future::{Future, ready};

use sqlx::{
    ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Type,
    database::HasStatementCache,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
};

use invitation_core::StoreErrorKind;
use sqlx_core::transaction::TransactionManager;

use crate::values::PushColumn;

mod sealed {
    #[expect(unnameable_types, reason = "that is what seals")]
    pub trait Sealed {}

    #[cfg(feature = "sqlite")]
    impl Sealed for sqlx::Sqlite {}

    #[cfg(feature = "postgres")]
    impl Sealed for sqlx::Postgres {}

    #[cfg(feature = "mysql")]
    impl Sealed for sqlx::MySql {}
}

/// A type that a database takes and gives back.
pub trait Scalar<DB: Database>:
    for<'q> Encode<'q, DB> + for<'r> Decode<'r, DB> + Type<DB> + Send + Sync + Unpin + 'static
{
}

impl<T, DB: Database> Scalar<DB> for T where
    T: for<'q> Encode<'q, DB> + for<'r> Decode<'r, DB> + Type<DB> + Send + Sync + Unpin + 'static
{
}

/// A database that the store knows. Sealed: the crate's features say which.
///
/// Values cross in three forms only, integers, text and bytes, so that no type
/// feature of sqlx is turned on for the host. The associated types are always
/// the obvious ones; as bounds of a trait they are implied wherever a dialect is,
/// which the same bounds in `where` clauses would not be.
pub trait Dialect:
    Database<Arguments: IntoArguments<Self>> + HasStatementCache + sealed::Sealed + Sync
{
    /// `i64`.
    type Int: Scalar<Self> + From<i64> + Into<i64>;
    /// `Option<i64>`.
    type OptInt: Scalar<Self> + From<Option<i64>> + Into<Option<i64>>;
    /// `String`, or a wrapper of it.
    type Text: Scalar<Self> + From<String> + Into<String>;
    /// `Option<String>`, or a wrapper of it.
    type OptText: Scalar<Self> + From<Option<String>> + Into<Option<String>>;
    /// `Vec<u8>`.
    type Blob: Scalar<Self> + From<Vec<u8>> + Into<Vec<u8>>;
    /// `Option<Vec<u8>>`.
    type OptBlob: Scalar<Self> + From<Option<Vec<u8>>> + Into<Option<Vec<u8>>>;
    /// `usize`.
    type ColumnNumber: ColumnIndex<Self::Row> + From<usize>;
    /// `&mut Self::Connection`.
    type Exec<'c>: Executor<'c, Database = Self>;

    /// How a transaction of the store's own begins, one that will write.
    const BEGIN: &'static str;
    /// How it ends well.
    const COMMIT: &'static str = "COMMIT";
    /// How it is undone.
    const ROLLBACK: &'static str = "ROLLBACK";
    /// Whether the driver keeps count of savepoints when it is dropped while one
    /// begins or ends. Otherwise it rolls back too much, or to a savepoint that has
    /// gone, and either hits the host's work.
    const CANCEL_SAFE_SAVEPOINTS: bool;
    /// Whether a connection can go on after a call was dropped in the middle. Otherwise
    /// one of the store's own is closed then; and on a host's, values are written into the
    /// statements, because what the driver prepares must not be interrupted.
    const CANCEL_SAFE: bool;
    /// Whether the driver undoes the transaction of a call that was dropped at any moment, also
    /// while the transaction began. Otherwise the connection of such a call is closed.
    const CANCEL_ROLLS_BACK: bool;
    /// Whether the database lets one writer in at a time. Then the store queues
    /// its writers fairly, instead of letting them poll for the database's lock.
    const SINGLE_WRITER: bool;
    /// Whether an update can give back the row.
    const RETURNING: bool;
    /// Whether an index helps to compare several columns at once.
    const ROW_COMPARISON: bool;
    /// Whether a question says which index it is to go by, because the planner's guess may
    /// lead to many more rows than it asks for.
    const INDEX_HINTS: bool;
    /// Whether the planner goes by what it believes of the table, and cannot be told by which
    /// index to find the rows: then the question is put so that only that index will do.
    const STATS_SENSITIVE_PLANNER: bool;
    /// Whether a question is asked again for each row of another (`CROSS JOIN LATERAL`), and
    /// an index holds what is computed.
    const LATERAL_JOINS: bool;
    /// Whether a part of the narrow rows, taken at random, is to be found by itself.
    const SAMPLED_COUNTS: bool;
    /// Whether an insert can do nothing where a key is taken. Otherwise the error is caught.
    const ON_CONFLICT: bool;
    /// How an insert of events leaves those alone that are there.
    const SKIP_EXISTING_EVENT: &'static str;
    /// How an update locks the row that it has nothing to change in.
    const LOCK_BY_UPDATE: &'static str;
    /// How the insert of a quota's row locks the row that is there.
    const LOCK_QUOTA: &'static str;
    /// What makes a question wait for those who are changing the row, and them for
    /// the end of this transaction. Empty where one writer is let in at a time.
    const FOR_SHARE: &'static str;
    /// The same, and keeps others from asking for it too.
    const FOR_UPDATE: &'static str;
    /// Whether one statement makes several changes, as in `WITH u AS (UPDATE …)`.
    const WRITING_CTES: bool;
    /// Whether one message takes several statements, with their values in them: those of a
    /// dialect that does not [survive drops](Self::CANCEL_SAFE) are written so, too.
    const MULTI_STATEMENTS: bool;
    /// How it takes columns of many rows as one value each, if it does.
    #[doc(hidden)]
    const PUSH_COLUMN: Option<PushColumn<Self>>;
    /// The most values that one statement binds.
    const MAX_BINDS: usize;
    /// The migrations' texts, in order, with `{prefix}` for the table prefix.
    const MIGRATIONS: &'static [&'static str];

    /// The connection as an executor.
    fn exec(conn: &mut Self::Connection) -> Self::Exec<'_>;

    /// How many rows a statement touched.
    fn affected(result: &Self::QueryResult) -> u64;

    /// What makes a question see what was committed last, where the transaction that is
    /// open on the connection would otherwise hide it.
    fn locking_read(conn: &Self::Connection) -> &'static str;

    /// What an error that the database itself reported means. The statement did nothing
    /// then; whether its transaction is still open is another question.
    fn classify(error: &dyn DatabaseError) -> StoreErrorKind;

    /// Ends the transaction on a connection of the store's own, if one is open. Returns
    /// whether it is known that none is open any more, to the database and to the driver.
    fn end_transaction(conn: &mut Self::Connection) -> impl Future<Output = bool> + Send;

    /// Returns how deeply the host's transaction is nested, 0 if the driver knows of none.
    ///
    /// # Errors
    ///
    /// When the database has ended the transaction. What the host goes on to do on the
    /// connection cannot be committed then.
    fn host_depth(conn: &mut Self::Connection) -> impl Future<Output = sqlx::Result<usize>> + Send {
        ready(Ok(Self::TransactionManager::get_transaction_depth(conn)))
    }

    /// After an error inside a host's transaction of this depth: returns whether the
    /// transaction is still open. If it is not, or nobody knows, nothing that the host goes
    /// on to do on the connection can be committed.
    fn fail_closed(conn: &mut Self::Connection, depth: usize) -> impl Future<Output = bool> + Send;

    /// Runs the migrations: once, whoever else tries at the same time, and
    /// leaving no lock behind. `table` remembers what was done.
    fn migrate(
        conn: &mut Self::Connection,
        migrator: &Migrator,
        table: &str,
    ) -> impl Future<Output = Result<(), MigrateError>> + Send;
}
