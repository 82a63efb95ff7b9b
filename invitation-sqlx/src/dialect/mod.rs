//! The differences between the databases.

mod paths;
mod steps;
mod syntax;

use invitation_core::StoreErrorKind;
use sqlx::{
    ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Type,
    database::HasStatementCache, error::DatabaseError,
};

pub(crate) use self::{
    paths::{FeedRead, Migrate, Redeem},
    steps::{Steps, Transactions},
    syntax::{ByValidityLength, Syntax},
};
use crate::statement::StatementSink;

/// A type that a database can store and return.
pub trait Scalar<DB: Database>:
    for<'q> Encode<'q, DB> + for<'r> Decode<'r, DB> + Type<DB> + Send + Sync + Unpin + 'static
{
}

impl<T, DB: Database> Scalar<DB> for T where
    T: for<'q> Encode<'q, DB> + for<'r> Decode<'r, DB> + Type<DB> + Send + Sync + Unpin + 'static
{
}

/// A database that the store supports. The trait is sealed: the crate's features decide which
/// databases implement it.
///
/// Values have three forms only: integers, text and bytes. So the host needs no type feature of
/// sqlx. The associated types are always the obvious ones. As bounds of a trait they are implied
/// wherever a dialect is used; the same bounds in `where` clauses would not be.
pub trait Dialect:
    Database<Arguments: IntoArguments<Self>>
    + HasStatementCache
    + Sync
    + Syntax
    + Steps
    + Transactions
    + Redeem
    + FeedRead
    + Migrate
{
    /// The integer type, always `i64`.
    type Int: Scalar<Self> + From<i64> + Into<i64>;
    /// The nullable integer type, always `Option<i64>`.
    type OptInt: Scalar<Self> + From<Option<i64>> + Into<Option<i64>>;
    /// The text type: `String`, or a wrapper of it. `Option<Self::Text>` reads a nullable column.
    type Text: Scalar<Self> + From<String> + Into<String>;
    /// The nullable text type to bind, always `Option<String>`. On MySQL and MariaDB, it does not
    /// read a binary column.
    type OptText: Scalar<Self> + From<Option<String>> + Into<Option<String>>;
    /// The nullable byte type, always `Option<Vec<u8>>`.
    type OptBlob: Scalar<Self> + From<Option<Vec<u8>>> + Into<Option<Vec<u8>>>;
    /// The number of a column in a row, always `usize`.
    type ColumnNumber: ColumnIndex<Self::Row> + From<usize>;
    /// The executor, always `&mut Self::Connection`.
    type Exec<'c>: Executor<'c, Database = Self>;
    /// What statements are written into.
    type Sink: StatementSink<Self>;

    /// The statement that begins the store's own transaction. The transaction will write.
    const BEGIN: &'static str;
    /// The maximum number of values that one statement binds.
    const MAX_BINDS: usize;

    /// Returns the connection as an executor.
    fn exec(conn: &mut Self::Connection) -> Self::Exec<'_>;

    /// Returns the number of rows that a statement touched.
    fn affected(result: &Self::QueryResult) -> u64;

    /// Classifies an error that the database itself reported. The statement then did nothing, but
    /// its transaction may or may not be open.
    fn classify(error: &dyn DatabaseError) -> StoreErrorKind;
}
