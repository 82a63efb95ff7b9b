//! The reader of the rows of a file.

use super::{
    Columns, FileError, RowMistake, csv,
    encoding::{Decoder, line_breaks},
    json_lines,
    records::{MAX_RECORD, Records},
};
use crate::{draft::Draft, service::ImportRow, string_enum::string_enum};

/// The longest line of JSON Lines, in bytes. The longest metadata fits with its white space.
const MAX_LINE: usize = 128 * 1_024;

string_enum! {
    /// The format of a file of an import.
    #[non_exhaustive]
    FileFormat, "format" {
        /// Comma-separated values, with a line that names the columns.
        Csv = "csv",
        /// JSON Lines: one JSON object on each line.
        JsonLines = "json_lines",
    }
}

/// One row of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FileRow {
    /// The physical line of the file in which the row begins, from 1 on.
    pub line: usize,
    /// The draft, or the reasons why the row cannot be read.
    pub draft: Result<Draft, UnreadableRow>,
}

/// A row that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct UnreadableRow {
    /// The mistakes in the row.
    pub mistakes: Vec<RowMistake>,
    /// The row for an [`Import`](crate::Import), which tells it from others.
    pub row: ImportRow,
}

/// A reader of the rows of a file that comes in pieces. The [module](super) shows its use.
///
/// Between two calls of [`push`](Self::push), call [`next_row`](Self::next_row) until it returns
/// `None`. Then the reader holds at most one piece and 128 KiB. A row of CSV has at most 32 KiB and
/// 100 cells, a line of JSON Lines at most 128 KiB; a longer one is a [`FileError`].
///
/// After a [`FileError`] the rest of the file cannot be read.
#[derive(Debug)]
pub struct FileReader {
    decoder: Decoder,
    /// The text that is decoded, and the position behind the last row.
    text: String,
    begin: usize,
    /// The line at that position.
    line: usize,
    is_finished: bool,
    stage: Stage,
}

/// The part of the file that comes next.
#[derive(Debug)]
enum Stage {
    /// The line of CSV that may declare the separator.
    Separator,
    /// The line of CSV that names the columns.
    Header { declared: Option<char> },
    /// The rows of CSV.
    Rows { separator: char, columns: Columns },
    /// The lines of JSON.
    Lines,
}

impl FileReader {
    /// Creates a reader of a file in this format.
    #[must_use]
    pub fn new(format: FileFormat) -> Self {
        let stage = match format {
            FileFormat::Csv => Stage::Separator,
            FileFormat::JsonLines => Stage::Lines,
        };
        let (text, decoder) = (String::new(), Decoder::new());
        Self { decoder, text, begin: 0, line: 1, is_finished: false, stage }
    }

    /// Adds the next bytes of the file.
    ///
    /// # Errors
    ///
    /// [`FileError`] for another encoding than UTF-8 and marked UTF-16, and for a NUL character.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.text.drain(..self.begin);
        self.begin = 0;
        let from = self.text.len();
        self.decoder.push(bytes, &mut self.text)?;
        self.check_text(from)
    }

    /// Marks the end of the file. Rows may still follow.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn finish(&mut self) -> Result<(), FileError> {
        let from = self.text.len();
        self.is_finished = true;
        self.decoder.finish(&mut self.text)?;
        self.check_text(from)
    }

    fn check_text(&self, from: usize) -> Result<(), FileError> {
        let Some(nul) = self.text[from..].find('\0') else { return Ok(()) };
        let line = self.line + line_breaks(&self.text.as_bytes()[self.begin..from + nul]);
        Err(FileError::malformed(format!("line {line} contains a NUL character")))
    }

    /// Returns the next row; none if the bytes so far contain no further complete one. After
    /// [`finish`](Self::finish) that is the end of the file.
    ///
    /// # Errors
    ///
    /// [`FileError`] if the file cannot be read from here on.
    pub fn next_row(&mut self) -> Result<Option<FileRow>, FileError> {
        match self.stage {
            Stage::Lines => self.next_line(),
            Stage::Separator | Stage::Header { .. } | Stage::Rows { .. } => self.next_record(),
        }
    }

    /// Returns whether rows are expected to have an address: a CSV file has such a column.
    #[must_use]
    pub fn expects_addresses(&self) -> bool {
        self.columns().is_some_and(|columns| columns.has("email"))
    }

    /// Returns the file's spelling of a field, or the field's own name if the file spells none.
    #[must_use]
    pub fn spelling<'a>(&'a self, field: &'a str) -> &'a str {
        self.columns().map_or(field, |columns| columns.spelling(field))
    }

    /// Returns the columns of a CSV file; none before the line that names them is read.
    #[must_use]
    pub fn columns(&self) -> Option<&Columns> {
        match &self.stage {
            Stage::Rows { columns, .. } => Some(columns),
            Stage::Separator | Stage::Header { .. } | Stage::Lines => None,
        }
    }

    /// Returns the text behind the last row.
    fn rest(&self) -> &str {
        &self.text[self.begin..]
    }

    /// Returns whether the rest certainly begins with a complete row of at most `max` bytes, or
    /// with a longer one.
    fn is_ready(&self, max: usize) -> bool {
        // One byte more shows whether a line feed follows a carriage return.
        if self.is_finished { !self.rest().is_empty() } else { self.rest().len() > max + 1 }
    }

    fn advance_to(&mut self, line: usize, rest: usize) {
        self.line = line;
        self.begin = self.text.len() - rest;
    }

    fn next_record(&mut self) -> Result<Option<FileRow>, FileError> {
        if matches!(self.stage, Stage::Separator) {
            if !self.is_ready(MAX_RECORD) {
                return Ok(None);
            }
            let mut records = Records::at(self.line, self.rest(), ',');
            let declared = records.declared_separator()?;
            let (line, rest) = (records.line(), records.rest().len());
            self.advance_to(line, rest);
            self.stage = Stage::Header { declared };
        }
        while let Stage::Header { declared } = self.stage {
            self.skip_blank_lines();
            if !self.is_ready(MAX_RECORD) {
                return Ok(None);
            }
            let records = Records::at(self.line, self.rest(), ',');
            let separator = match declared {
                Some(declared) => declared,
                None => csv::likely_separator(&records)?,
            };
            let mut records = records.with_separator(separator);
            let record = records.record()?;
            // A record of empty cells in quotation marks is no header.
            let columns = if record.is_blank() { None } else { Some(Columns::of(&record)?) };
            let (line, rest) = (records.line(), records.rest().len());
            self.advance_to(line, rest);
            if let Some(columns) = columns {
                self.stage = Stage::Rows { separator, columns };
            }
        }
        while self.is_ready(MAX_RECORD) {
            let Stage::Rows { separator, columns } = &self.stage else { break };
            let mut records = Records::at(self.line, self.rest(), *separator);
            let record = records.record()?;
            let row = (!record.is_blank()).then(|| csv::row(columns, &record));
            let (line, rest) = (records.line(), records.rest().len());
            self.advance_to(line, rest);
            if row.is_some() {
                return Ok(row);
            }
        }
        Ok(None)
    }

    /// Passes over leading lines that contain only white space and separators.
    fn skip_blank_lines(&mut self) {
        let is_blank = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
        let rest = self.rest();
        let blank = rest.find(|c| !is_blank(c)).unwrap_or(rest.len());
        let lines = rest[..blank].rfind(['\r', '\n']).map_or(0, |last| last + 1);
        // Half of a line break is left for the next call.
        let lines = if lines == rest.len() && rest.ends_with('\r') && !self.is_finished {
            rest[..lines - 1].rfind(['\r', '\n']).map_or(0, |last| last + 1)
        } else {
            lines
        };
        let line = self.line + line_breaks(&rest.as_bytes()[..lines]);
        let left = rest.len() - lines;
        self.advance_to(line, left);
    }

    fn next_line(&mut self) -> Result<Option<FileRow>, FileError> {
        while self.is_ready(MAX_LINE) {
            let rest = self.rest();
            let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
            if end > MAX_LINE {
                let message = format!("line {} is longer than {MAX_LINE} bytes", self.line);
                return Err(FileError::malformed(message));
            }
            let text = rest[..end].trim();
            let row = (!text.is_empty()).then(|| json_lines::row(self.line, text));
            let behind = &rest[end..];
            let line_end = if behind.starts_with("\r\n") { 2 } else { 1.min(behind.len()) };
            let left = behind.len() - line_end;
            self.advance_to(self.line + 1, left);
            if row.is_some() {
                return Ok(row);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
