//! Reading of the columns of a row.

use invitation_core::{StoreError, StoreErrorKind, Timestamp};
use sqlx::{Decode, Row, Type};

use super::Result;
use crate::{dialect::Dialect, error::CorruptColumn};

/// A reader of the columns of a row, from left to right.
pub(crate) struct ColumnReader<'r, DB: Dialect> {
    row: &'r DB::Row,
    /// The table that an error names.
    table: Option<&'static str>,
    next: usize,
}

/// A function that reads a row.
pub(crate) type Read<DB, T> = fn(&mut ColumnReader<'_, DB>) -> Result<T>;

impl<'r, DB: Dialect> ColumnReader<'r, DB> {
    pub(crate) fn new(row: &'r DB::Row) -> Self {
        Self { row, table: None, next: 0 }
    }

    /// Names the table of the row in errors, unless the row is read as a part of another one.
    pub(crate) fn in_table(&mut self, table: &'static str) -> &mut Self {
        self.table.get_or_insert(table);
        self
    }

    pub(super) fn corrupt(&self, column: &'static str) -> StoreError {
        let cause = CorruptColumn { table: self.table.unwrap_or("codes"), column };
        StoreError::new(StoreErrorKind::Corrupt, "read").because(cause)
    }

    fn next<T: Decode<'r, DB> + Type<DB>>(&mut self, column: &'static str) -> Result<T> {
        let at = DB::ColumnNumber::from(self.next);
        self.next += 1;
        self.row.try_get(at).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn opt_int(&mut self, column: &'static str) -> Result<Option<i64>> {
        self.next::<DB::OptInt>(column).map(Into::into)
    }

    pub(crate) fn int(&mut self, column: &'static str) -> Result<i64> {
        self.opt_int(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(super) fn number(&mut self, column: &'static str) -> Result<u32> {
        u32::try_from(self.int(column)?).map_err(|_| self.corrupt(column))
    }

    /// Reads a number that is never negative.
    pub(crate) fn count(&mut self, column: &'static str) -> Result<u64> {
        u64::try_from(self.int(column)?).map_err(|_| self.corrupt(column))
    }

    pub(super) fn opt_text(&mut self, column: &'static str) -> Result<Option<String>> {
        Ok(self.next::<Option<DB::Text>>(column)?.map(Into::into))
    }

    pub(crate) fn text(&mut self, column: &'static str) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn opt_blob(&mut self, column: &'static str) -> Result<Option<Vec<u8>>> {
        self.next::<DB::OptBlob>(column).map(Into::into)
    }

    pub(crate) fn blob(&mut self, column: &'static str) -> Result<Vec<u8>> {
        self.opt_blob(column)?.ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn bytes<const N: usize>(&mut self, column: &'static str) -> Result<[u8; N]> {
        self.blob(column)?.try_into().map_err(|_| self.corrupt(column))
    }

    pub(super) fn opt_bytes<const N: usize>(
        &mut self,
        column: &'static str,
    ) -> Result<Option<[u8; N]>> {
        let bytes = self.opt_blob(column)?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| self.corrupt(column))).transpose()
    }

    pub(super) fn time(&mut self, column: &'static str) -> Result<Timestamp> {
        let micros = self.int(column)?;
        Timestamp::from_micros(micros).ok_or_else(|| self.corrupt(column))
    }

    pub(super) fn opt_time(&mut self, column: &'static str) -> Result<Option<Timestamp>> {
        let micros = self.opt_int(column)?;
        let time = |micros| Timestamp::from_micros(micros).ok_or_else(|| self.corrupt(column));
        micros.map(time).transpose()
    }

    /// Reads some columns of another table, whose first is absent where it has no row.
    pub(crate) fn opt_part<T>(
        &mut self,
        table: &'static str,
        columns: &str,
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Option<T>> {
        let of = self.table.replace(table);
        let begin = self.next;
        let is_there = self.opt_blob("id")?.is_some();
        self.next = begin;
        let part = if is_there { Some(read(self)?) } else { None };
        self.next = begin + columns.split(',').count();
        self.table = of;
        Ok(part)
    }

    pub(super) fn parsed<T, E>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(String) -> std::result::Result<T, E>,
    ) -> Result<T> {
        let text = self.text(column)?;
        parse(text).map_err(|_| self.corrupt(column))
    }

    pub(super) fn opt_parsed<T, E>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(String) -> std::result::Result<T, E>,
    ) -> Result<Option<T>> {
        let text = self.opt_text(column)?;
        text.map(|text| parse(text).map_err(|_| self.corrupt(column))).transpose()
    }
}
