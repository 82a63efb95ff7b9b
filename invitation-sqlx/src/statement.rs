//! SQL statements with their values.
//!
//! A statement has a method for each form of value. It writes into a sink, which the dialect
//! chooses.

use std::{
    borrow::Cow,
    fmt::{self, Display},
};

use invitation_core::StoreError;
use sqlx::{Database, Executor, QueryBuilder, SqlStr, error::BoxDynError};

use crate::{dialect::Dialect, ops::Session, row::ColumnReader, values::Value};

/// The text and the values of a statement, in the form that a database's driver needs.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub trait StatementSink<DB: Dialect>: Default + Send {
    /// Writes a part of the text.
    fn push_sql(&mut self, part: impl Display);

    /// Writes a value.
    fn push_value(&mut self, value: Value<'_>);

    /// Compares a column with an address, which must not be in the text.
    fn push_is_address(&mut self, column: &str, address: &str) {
        self.push_sql(format_args!("{column} = "));
        self.push_value(Value::text(address));
    }

    /// Marks a statement whose values must not be in the text.
    fn keep_secret(&mut self) {}

    /// Chooses the form in which the statement is sent on this connection.
    fn choose_form(&mut self, _: &DB::Connection) {}

    /// Returns the values that are sent beside the text. `None` sends the text without preparing
    /// it.
    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError>;

    /// Returns the text.
    fn into_text(self) -> SqlStr;
}

/// The sink of a database whose driver prepares each statement.
impl<DB: Dialect> StatementSink<DB> for QueryBuilder<DB> {
    fn push_sql(&mut self, part: impl Display) {
        self.push(part);
    }

    fn push_value(&mut self, value: Value<'_>) {
        match value {
            Value::Int(value) => self.push_bind(DB::OptInt::from(value)),
            Value::Text(value) => self.push_bind(DB::OptText::from(value.map(Cow::into_owned))),
            Value::Blob(value) => self.push_bind(DB::OptBlob::from(value.map(Cow::into_owned))),
            Value::Sql(expression) => self.push(expression),
        };
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        sqlx::Execute::take_arguments(&mut self.build())
    }

    fn into_text(self) -> SqlStr {
        self.into_sql()
    }
}

/// An SQL statement under construction.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub struct Statement<DB: Dialect> {
    /// The parts that are already written.
    pub(crate) sink: DB::Sink,
    is_one_off: bool,
}

impl<DB: Dialect> Statement<DB> {
    pub(crate) fn new(sql: impl Display) -> Self {
        let mut s = Self { sink: DB::Sink::default(), is_one_off: false };
        s.sql(sql);
        s
    }

    /// Marks a statement whose text depends on the number of values. It is not kept prepared,
    /// because the same text rarely comes again.
    pub(crate) fn one_off(&mut self) -> &mut Self {
        self.is_one_off = true;
        self
    }

    /// Marks a statement that carries a code, an address or a searched text, which may be an
    /// address. The driver logs the text of statements, so the values of a secret statement are
    /// never written into the text.
    pub(crate) fn keep_secret(&mut self) {
        self.sink.keep_secret();
    }

    pub(crate) fn sql(&mut self, sql: impl Display) -> &mut Self {
        self.sink.push_sql(sql);
        self
    }

    pub(crate) fn int(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        self.value(Value::int(value))
    }

    pub(crate) fn text<'v>(&mut self, value: impl Into<Option<&'v str>>) -> &mut Self {
        self.value(Value::text(value))
    }

    /// Compares a column with an address.
    pub(crate) fn is_address(&mut self, column: &str, address: &str) -> &mut Self {
        self.sink.push_is_address(column, address);
        self
    }

    pub(crate) fn blob(&mut self, value: &[u8]) -> &mut Self {
        self.value(Value::blob(value))
    }

    pub(crate) fn value(&mut self, value: Value<'_>) -> &mut Self {
        self.sink.push_value(value);
        self
    }

    /// Writes values, separated by commas.
    pub(crate) fn values<'v>(&mut self, values: impl IntoIterator<Item = Value<'v>>) -> &mut Self {
        for (n, value) in values.into_iter().enumerate() {
            self.sql(if n == 0 { "" } else { ", " }).value(value);
        }
        self
    }

    /// Writes assignments, separated by commas.
    pub(crate) fn assignments<'v>(
        &mut self,
        columns: impl IntoIterator<Item = (&'v str, Value<'v>)>,
    ) -> &mut Self {
        for (n, (column, value)) in columns.into_iter().enumerate() {
            self.sql(if n == 0 { "" } else { ", " }).sql(column).sql(" = ").value(value);
        }
        self
    }

    /// Writes values in parentheses, separated by commas. Calls `write` for each item.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.sql("(");
        for (n, item) in items.into_iter().enumerate() {
            if n > 0 {
                self.sql(", ");
            }
            write(self, item);
        }
        self.sql(")")
    }

    /// Runs an `INSERT` of one row. Returns `false` if the key of these columns is taken, or any
    /// key of the table if there are none.
    pub(crate) async fn run_unless_taken(
        self,
        on: &mut Session<'_, DB>,
        columns: impl Into<Option<&str>>,
    ) -> Result<bool, StoreError> {
        DB::run_unless_taken(self, on, columns.into()).await
    }

    /// Runs the statement. Returns the number of rows that it touched.
    pub(crate) async fn run(mut self, on: &mut Session<'_, DB>) -> Result<u64, StoreError> {
        self.sink.choose_form(on.conn());
        match DB::exec(on.conn()).execute(self).await {
            Ok(result) => Ok(DB::affected(&result)),
            Err(error) => Err(on.failed(error)),
        }
    }

    /// Reads the first row, if there is one.
    pub(crate) async fn first<T>(
        mut self,
        on: &mut Session<'_, DB>,
        read: impl FnOnce(&mut ColumnReader<'_, DB>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.sink.choose_form(on.conn());
        match DB::exec(on.conn()).fetch_optional(self).await {
            Ok(row) => row.map(|row| read(&mut ColumnReader::new(&row))).transpose(),
            Err(error) => Err(on.failed(error)),
        }
    }

    /// Reads the row of a statement that always has one, such as a count.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::RowNotFound`] without a row: an unknown number must not count as 0.
    pub(crate) async fn only<T>(
        self,
        on: &mut Session<'_, DB>,
        read: impl FnOnce(&mut ColumnReader<'_, DB>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let found = self.first(on, read).await?;
        found.ok_or_else(|| on.failed(sqlx::Error::RowNotFound))
    }

    /// Reads all rows.
    pub(crate) async fn all<T>(
        self,
        on: &mut Session<'_, DB>,
        mut read: impl FnMut(&mut ColumnReader<'_, DB>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self.rows(on.conn()).await {
            Ok(rows) => rows.iter().map(|row| read(&mut ColumnReader::new(row))).collect(),
            Err(error) => Err(on.failed(error)),
        }
    }

    /// Returns all rows as they are.
    pub(crate) async fn rows(
        mut self,
        conn: &mut DB::Connection,
    ) -> sqlx::Result<Vec<<DB as Database>::Row>> {
        self.sink.choose_form(conn);
        DB::exec(conn).fetch_all(self).await
    }
}

impl<DB: Dialect> sqlx::Execute<'_, DB> for Statement<DB> {
    fn sql(self) -> SqlStr {
        self.sink.into_text()
    }

    fn statement(&self) -> Option<&DB::Statement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        self.sink.take_arguments()
    }

    fn persistent(&self) -> bool {
        !self.is_one_off
    }
}

/// Shows no values, because they may be secret.
impl<DB: Dialect> fmt::Debug for Statement<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::error::Error as _;

    use sqlx::{Connection, Sqlite, SqliteConnection};

    use super::*;
    use crate::{TablePrefix, names::Names, ops::Begin};

    #[tokio::test]
    async fn count_without_a_row_is_an_error() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let names = Names::new(TablePrefix::default());
        let on = &mut Session::<Sqlite>::new(&mut conn, &names, Begin::Own, "count");
        let counted = |sql: &'static str| Statement::<Sqlite>::new(sql);
        assert_eq!(counted("SELECT 7").only(on, |c| c.int("count")).await.unwrap(), 7);
        let none = counted("SELECT 7 WHERE 1 = 0").only(on, |c| c.int("count")).await;
        let error = none.unwrap_err();
        let error = error.source().unwrap().downcast_ref::<sqlx::Error>();
        assert!(matches!(error, Some(sqlx::Error::RowNotFound)), "{error:?}");
    }
}
