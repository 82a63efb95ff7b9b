//! A thin hand around sqlx's query builder: the three forms of values, by name.

use std::fmt::Display;

use sqlx::{Database, Executor, QueryBuilder};

use crate::dialect::Dialect;

/// A statement while it is being written.
pub(crate) struct Statement<DB: Dialect> {
    builder: QueryBuilder<DB>,
    once: bool,
}

impl<DB: Dialect> Statement<DB> {
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Self { builder: QueryBuilder::new(sql), once: false }
    }

    /// Its text depends on the number of values: not worth keeping prepared.
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    pub(crate) fn sql(&mut self, sql: impl Display) -> &mut Self {
        self.builder.push(sql);
        self
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.builder.push_bind(DB::Int::from(value));
        self
    }

    pub(crate) fn opt_int(&mut self, value: Option<i64>) -> &mut Self {
        self.builder.push_bind(DB::OptInt::from(value));
        self
    }

    pub(crate) fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.builder.push_bind(DB::Text::from(value.into()));
        self
    }

    pub(crate) fn opt_text(&mut self, value: Option<impl Into<String>>) -> &mut Self {
        self.builder.push_bind(DB::OptText::from(value.map(Into::into)));
        self
    }

    pub(crate) fn blob(&mut self, value: &[u8]) -> &mut Self {
        self.builder.push_bind(DB::Blob::from(value.to_vec()));
        self
    }

    pub(crate) fn opt_blob(&mut self, value: Option<&[u8]>) -> &mut Self {
        self.builder.push_bind(DB::OptBlob::from(value.map(<[u8]>::to_vec)));
        self
    }

    /// Values in parentheses, separated by commas: `write` is called for each item.
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

    /// Runs it; how many rows it touched.
    pub(crate) async fn run(mut self, conn: &mut DB::Connection) -> sqlx::Result<u64> {
        let query = self.builder.build().persistent(!self.once);
        Ok(DB::affected(&DB::exec(conn).execute(query).await?))
    }

    /// The first row, if there is one.
    pub(crate) async fn first(
        mut self,
        conn: &mut DB::Connection,
    ) -> sqlx::Result<Option<<DB as Database>::Row>> {
        let query = self.builder.build().persistent(!self.once);
        DB::exec(conn).fetch_optional(query).await
    }

    /// All rows.
    pub(crate) async fn all(
        mut self,
        conn: &mut DB::Connection,
    ) -> sqlx::Result<Vec<<DB as Database>::Row>> {
        let query = self.builder.build().persistent(!self.once);
        DB::exec(conn).fetch_all(query).await
    }
}
