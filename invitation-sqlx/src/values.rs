//! The values of a row, written down once: one after the other into a statement, or each
//! into the column it belongs to.

use std::str::Split;

use sqlx::QueryBuilder;

use crate::{dialect::Dialect, statement::Statement};

/// Takes the values of a row, from left to right.
pub(crate) trait Values {
    fn int(&mut self, value: impl Into<Option<i64>>);
    fn text<'v>(&mut self, value: impl Into<Option<&'v str>>);
    fn blob<'v>(&mut self, value: impl Into<Option<&'v [u8]>>);
}

/// Something that is a row of a table.
pub(crate) trait Record: Sync {
    /// Whether it holds a code or an address.
    fn is_secret(&self) -> bool {
        false
    }

    fn write(&self, values: &mut impl Values);
}

impl<R: Record> Record for &R {
    fn is_secret(&self) -> bool {
        R::is_secret(self)
    }

    fn write(&self, values: &mut impl Values) {
        R::write(self, values);
    }
}

/// Values in a statement, separated by commas.
pub(crate) struct ValueList<'s, DB: Dialect> {
    statement: &'s mut Statement<DB>,
    begun: bool,
    /// The columns that are still to come, where some are to be found elsewhere.
    columns: Split<'static, &'static str>,
    elsewhere: Option<Elsewhere<'s>>,
}

/// Where a column is to be found that is not among the values.
type Elsewhere<'s> = &'s dyn Fn(&str) -> Option<String>;

impl<'s, DB: Dialect> ValueList<'s, DB> {
    pub(crate) fn new(statement: &'s mut Statement<DB>) -> Self {
        Self { statement, begun: false, columns: "".split(", "), elsewhere: None }
    }

    /// Those of these columns, but for some that are to be found elsewhere.
    pub(crate) fn but(
        statement: &'s mut Statement<DB>,
        columns: &'static str,
        elsewhere: Elsewhere<'s>,
    ) -> Self {
        let columns = columns.split(", ");
        Self { statement, begun: false, columns, elsewhere: Some(elsewhere) }
    }

    /// The place of the next value, if it is wanted.
    fn next(&mut self) -> Option<&mut Statement<DB>> {
        if self.begun {
            self.statement.sql(", ");
        }
        self.begun = true;
        let place = self.elsewhere.and_then(|elsewhere| elsewhere(self.columns.next()?));
        if let Some(place) = place {
            self.statement.sql(place);
            return None;
        }
        Some(self.statement)
    }

    /// A value that the database works out.
    pub(crate) fn expression(&mut self, sql: &str) {
        if let Some(s) = self.next() {
            s.sql(sql);
        }
    }

    /// So many columns that are to be found elsewhere.
    pub(crate) fn elsewhere(&mut self, columns: usize) {
        for _ in 0..columns {
            self.expression("NULL");
        }
    }
}

impl<DB: Dialect> Values for ValueList<'_, DB> {
    fn int(&mut self, value: impl Into<Option<i64>>) {
        if let Some(s) = self.next() {
            s.opt_int(value.into());
        }
    }

    fn text<'v>(&mut self, value: impl Into<Option<&'v str>>) {
        if let Some(s) = self.next() {
            s.opt_text(value.into());
        }
    }

    fn blob<'v>(&mut self, value: impl Into<Option<&'v [u8]>>) {
        if let Some(s) = self.next() {
            s.opt_blob(value.into());
        }
    }
}

/// The values of one column of many rows.
#[derive(Debug)]
#[non_exhaustive]
#[expect(unnameable_types, reason = "a part of the sealed dialects")]
pub enum Column {
    /// Integers.
    Ints(Vec<Option<i64>>),
    /// Text.
    Texts(Vec<Option<String>>),
    /// Bytes.
    Blobs(Vec<Option<Vec<u8>>>),
}

/// How a database takes a column as one value.
pub(crate) type PushColumn<DB> = fn(&mut QueryBuilder<DB>, Column);

/// Values of many rows, by columns.
#[derive(Default)]
pub(crate) struct ColumnArrays {
    columns: Vec<Column>,
    next: usize,
}

impl ColumnArrays {
    pub(crate) fn of<R: Record>(rows: &[R]) -> Vec<Column> {
        let mut columns = Self::default();
        for row in rows {
            columns.next = 0;
            row.write(&mut columns);
        }
        columns.columns
    }

    /// The place of the next value; `new` when this is the first row.
    fn next(&mut self, new: Column) -> Option<&mut Column> {
        if self.next == self.columns.len() {
            self.columns.push(new);
        }
        self.next += 1;
        self.columns.get_mut(self.next - 1)
    }
}

impl Values for ColumnArrays {
    fn int(&mut self, value: impl Into<Option<i64>>) {
        if let Some(Column::Ints(column)) = self.next(Column::Ints(Vec::new())) {
            column.push(value.into());
        }
    }

    fn text<'v>(&mut self, value: impl Into<Option<&'v str>>) {
        if let Some(Column::Texts(column)) = self.next(Column::Texts(Vec::new())) {
            column.push(value.into().map(str::to_owned));
        }
    }

    fn blob<'v>(&mut self, value: impl Into<Option<&'v [u8]>>) {
        if let Some(Column::Blobs(column)) = self.next(Column::Blobs(Vec::new())) {
            column.push(value.into().map(<[u8]>::to_vec));
        }
    }
}
