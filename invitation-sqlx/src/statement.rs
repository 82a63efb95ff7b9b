//! SQL statements with their values.
//!
//! This is a thin layer over sqlx's query builder, with a method for each form of value.

use std::fmt::{self, Display, Write};

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Database, Executor, QueryBuilder, RawSql, raw_sql};
use sqlx_core::transaction::TransactionManager;

use crate::{
    dialect::{Dialect, Scalar},
    error::is_taken,
    values::Value,
};

/// An SQL statement under construction.
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub struct Statement<DB: Dialect> {
    builder: QueryBuilder<DB>,
    /// The same statement with its values in the text, for connections on which preparing is not
    /// safe.
    inlined: String,
    is_one_off: bool,
    secret: bool,
}

impl<DB: Dialect> Statement<DB> {
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        let mut s = Self {
            builder: QueryBuilder::new(""),
            inlined: String::new(),
            is_one_off: false,
            secret: false,
        };
        s.sql(sql.into());
        s
    }

    /// Marks a statement whose text depends on the number of values. It is not kept prepared,
    /// because the same text rarely comes again.
    pub(crate) fn one_off(mut self) -> Self {
        self.set_one_off();
        self
    }

    pub(crate) fn set_one_off(&mut self) {
        self.is_one_off = true;
    }

    /// Marks a statement that carries a code or an address. The driver logs the text of
    /// statements, so the values of a secret statement are never written into the text.
    pub(crate) fn keep_secret(&mut self) {
        self.secret = true;
    }

    pub(crate) fn sql(&mut self, sql: impl Display) -> &mut Self {
        self.inline(&sql);
        self.builder.push(sql);
        self
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.inline(value);
        self.builder.push_bind(DB::Int::from(value));
        self
    }

    pub(crate) fn opt_int(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.inline(value),
            None => self.inline("NULL"),
        }
        self.builder.push_bind(DB::OptInt::from(value));
        self
    }

    pub(crate) fn text(&mut self, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        self.inline(Hex(value.as_bytes()));
        self.builder.push_bind(DB::Text::from(value));
        self
    }

    pub(crate) fn opt_text(&mut self, value: Option<impl Into<String>>) -> &mut Self {
        let value = value.map(Into::into);
        match &value {
            Some(value) => self.inline(Hex(value.as_bytes())),
            None => self.inline("NULL"),
        }
        self.builder.push_bind(DB::OptText::from(value));
        self
    }

    /// Compares a column with an address. The inlined text compares their digests, because the
    /// driver logs it.
    pub(crate) fn is_address(&mut self, column: &str, address: &str) -> &mut Self {
        let digest = Sha256::digest(address);
        self.inline(format_args!("UNHEX(SHA2({column}, 256)) = {}", Hex(&digest)));
        self.builder.push(column).push(" = ").push_bind(DB::Text::from(address.to_owned()));
        self
    }

    pub(crate) fn blob(&mut self, value: &[u8]) -> &mut Self {
        self.inline(Hex(value));
        self.builder.push_bind(DB::Blob::from(value.to_vec()));
        self
    }

    pub(crate) fn opt_blob(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            Some(value) => self.inline(Hex(value)),
            None => self.inline("NULL"),
        }
        self.builder.push_bind(DB::OptBlob::from(value.map(<[u8]>::to_vec)));
        self
    }

    pub(crate) fn value(&mut self, value: Value<'_>) -> &mut Self {
        match value {
            Value::Int(value) => self.opt_int(value),
            Value::Text(value) => self.opt_text(value),
            Value::Blob(value) => self.opt_blob(value.as_deref()),
            Value::Sql(expression) => self.sql(expression),
        }
    }

    /// Writes values, separated by commas.
    pub(crate) fn values<'v>(&mut self, values: impl IntoIterator<Item = Value<'v>>) -> &mut Self {
        for (n, value) in values.into_iter().enumerate() {
            self.sql(if n == 0 { "" } else { ", " }).value(value);
        }
        self
    }

    fn inline(&mut self, part: impl Display) {
        if !DB::CANCEL_SAFE {
            // Writing to a string cannot fail.
            write!(self.inlined, "{part}").ok();
        }
    }

    /// Returns the text with its values, if the connection is a host's and is not safe to prepare
    /// statements on.
    fn take_inlined(&mut self, conn: &DB::Connection) -> Option<RawSql> {
        let is_hosts = DB::TransactionManager::get_transaction_depth(conn) > 0;
        // All values in the text are numbers and hexadecimal literals.
        (!DB::CANCEL_SAFE && is_hosts && !self.secret)
            .then(|| raw_sql(AssertSqlSafe(std::mem::take(&mut self.inlined))))
    }

    /// Returns the text with its values, to be sent together with other statements.
    pub(crate) fn into_inlined(self) -> String {
        debug_assert!(!self.secret, "a secret is never in the text");
        self.inlined
    }

    /// Binds a value of a type that only this database has.
    pub(crate) fn bind<T: Scalar<DB>>(&mut self, value: T) -> &mut Self {
        self.builder.push_bind(value);
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

    /// Runs an `INSERT` of one row. Returns `false` if the key of these columns is taken.
    pub(crate) async fn run_unless_taken(
        mut self,
        conn: &mut DB::Connection,
        columns: &str,
    ) -> sqlx::Result<bool> {
        if DB::ON_CONFLICT {
            self.sql(format_args!(" ON CONFLICT ({columns}) DO NOTHING"));
        }
        match self.run(conn).await {
            Err(error) if !DB::ON_CONFLICT && is_taken(&error) => Ok(false),
            run => Ok(run? == 1),
        }
    }

    #[cfg(all(test, feature = "sqlite"))]
    pub(crate) fn as_sql(&self) -> String {
        self.builder.sql().as_str().to_owned()
    }

    /// Runs the statement. Returns the number of rows that it touched.
    pub(crate) async fn run(mut self, conn: &mut DB::Connection) -> sqlx::Result<u64> {
        if let Some(query) = self.take_inlined(conn) {
            return Ok(DB::affected(&DB::exec(conn).execute(query).await?));
        }
        let query = self.builder.build().persistent(!self.is_one_off);
        Ok(DB::affected(&DB::exec(conn).execute(query).await?))
    }

    /// Returns the first row, if there is one.
    pub(crate) async fn first(
        mut self,
        conn: &mut DB::Connection,
    ) -> sqlx::Result<Option<<DB as Database>::Row>> {
        if let Some(query) = self.take_inlined(conn) {
            return DB::exec(conn).fetch_optional(query).await;
        }
        let query = self.builder.build().persistent(!self.is_one_off);
        DB::exec(conn).fetch_optional(query).await
    }

    /// Returns the row of a statement that always has one, such as a count.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::RowNotFound`] without a row: an unknown number must not count as 0.
    pub(crate) async fn only(
        self,
        conn: &mut DB::Connection,
    ) -> sqlx::Result<<DB as Database>::Row> {
        self.first(conn).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Returns all rows.
    pub(crate) async fn all(
        mut self,
        conn: &mut DB::Connection,
    ) -> sqlx::Result<Vec<<DB as Database>::Row>> {
        if let Some(query) = self.take_inlined(conn) {
            return DB::exec(conn).fetch_all(query).await;
        }
        let query = self.builder.build().persistent(!self.is_one_off);
        DB::exec(conn).fetch_all(query).await
    }
}

/// Shows no values, because they may be secret.
impl<DB: Dialect> fmt::Debug for Statement<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").finish_non_exhaustive()
    }
}

/// A hexadecimal literal of bytes.
struct Hex<'v>(&'v [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("x'")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("'")
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::{Connection, Row, Sqlite, SqliteConnection};

    use super::*;

    #[tokio::test]
    async fn count_without_a_row_is_an_error() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let counted = |sql: &'static str| Statement::<Sqlite>::new(sql);
        let row = counted("SELECT 7").only(&mut conn).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), 7);
        let error = counted("SELECT 7 WHERE 1 = 0").only(&mut conn).await.unwrap_err();
        assert!(matches!(error, sqlx::Error::RowNotFound), "{error:?}");
    }
}
