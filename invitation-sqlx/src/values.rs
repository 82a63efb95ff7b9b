//! The values of a row, listed once for two uses: a list of values in a statement, or arrays with
//! one value for each row.

use std::str::Split;

use sqlx::QueryBuilder;

use crate::{dialect::Dialect, statement::Statement};

/// A sink for the values of a row, from left to right.
pub(crate) trait Values {
    fn int(&mut self, value: impl Into<Option<i64>>);
    fn text<'v>(&mut self, value: impl Into<Option<&'v str>>);
    fn blob<'v>(&mut self, value: impl Into<Option<&'v [u8]>>);
}

/// A value that can be written as a row of a table.
pub(crate) trait InputRow: Sync {
    /// Whether the row contains a code or an address.
    fn is_secret(&self) -> bool {
        false
    }

    fn write(&self, values: &mut impl Values);
}

impl<R: InputRow> InputRow for &R {
    fn is_secret(&self) -> bool {
        R::is_secret(self)
    }

    fn write(&self, values: &mut impl Values) {
        R::write(self, values);
    }
}

/// A list of values in a statement, separated by commas.
pub(crate) struct ValueList<'s, DB: Dialect> {
    statement: &'s mut Statement<DB>,
    begun: bool,
    /// The names of the columns to come, for a list with replaced columns.
    columns: Split<'static, &'static str>,
    replace: Option<ReplaceColumn<'s>>,
}

/// Returns the SQL expression that replaces a column, if one does.
type ReplaceColumn<'s> = &'s dyn Fn(&str) -> Option<String>;

impl<'s, DB: Dialect> ValueList<'s, DB> {
    pub(crate) fn new(statement: &'s mut Statement<DB>) -> Self {
        Self { statement, begun: false, columns: "".split(", "), replace: None }
    }

    /// Creates a list of these columns. SQL expressions replace the values of some of them.
    pub(crate) fn with_replaced(
        statement: &'s mut Statement<DB>,
        columns: &'static str,
        replace: ReplaceColumn<'s>,
    ) -> Self {
        let columns = columns.split(", ");
        Self { statement, begun: false, columns, replace: Some(replace) }
    }

    /// Begins the next value. Returns `None` if an SQL expression replaces the value.
    fn next(&mut self) -> Option<&mut Statement<DB>> {
        if self.begun {
            self.statement.sql(", ");
        }
        self.begun = true;
        let expression = self.replace.and_then(|replace| replace(self.columns.next()?));
        if let Some(expression) = expression {
            self.statement.sql(expression);
            return None;
        }
        Some(self.statement)
    }

    /// Writes an SQL expression as the next value.
    pub(crate) fn expression(&mut self, sql: &str) {
        if let Some(s) = self.next() {
            s.sql(sql);
        }
    }

    /// Skips columns that are replaced by SQL expressions.
    pub(crate) fn skip(&mut self, columns: usize) {
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
    /// The columns of integers.
    Ints(Vec<Option<i64>>),
    /// The columns of texts.
    Texts(Vec<Option<String>>),
    /// The columns of bytes.
    Blobs(Vec<Option<Vec<u8>>>),
}

/// The function with which a database binds a column as one value.
pub(crate) type PushColumn<DB> = fn(&mut QueryBuilder<DB>, Column);

/// The values of many rows, as one array for each column.
#[derive(Default)]
pub(crate) struct ColumnArrays {
    columns: Vec<Column>,
    next: usize,
}

impl ColumnArrays {
    pub(crate) fn of<R: InputRow>(rows: &[R]) -> Vec<Column> {
        let mut columns = Self::default();
        for row in rows {
            columns.next = 0;
            row.write(&mut columns);
        }
        columns.columns
    }

    /// Returns the array of the next column, which is `new` for the first row.
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
