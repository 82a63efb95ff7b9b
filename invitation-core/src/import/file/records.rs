//! Splits a CSV text into records and cells, and counts lines. It is stricter than readers that
//! accept any text: a misplaced quotation mark would silently swallow rows.

use std::borrow::Cow;

use super::{FileError, encoding::line_breaks};

/// The longest record in bytes, and the largest number of cells in a record. No valid row
/// comes near.
pub(super) const MAX_RECORD: usize = 32 * 1_024;
const MAX_CELLS: usize = 100;

const CARELESS_QUOTE: &str =
    "a quotation mark stands in a cell that does not begin with one; quote the cell and double it";
const BEHIND_QUOTE: &str = "there is text behind a closing quotation mark";

/// A reader that returns one record after another.
#[derive(Clone, Debug)]
pub(super) struct Records<'t> {
    rest: &'t str,
    line: usize,
    /// The separator, which is one byte long.
    separator: char,
}

/// A record of a file.
#[derive(Debug)]
pub(super) struct Record<'t> {
    /// The line in which the record begins.
    pub(super) line: usize,
    /// The text of the record in the file.
    pub(super) text: &'t str,
    /// The cells, without surrounding white space.
    pub(super) cells: Vec<Cow<'t, str>>,
    /// The mistake in the record, if there is one.
    pub(super) fault: Option<&'static str>,
}

/// A cell and its end.
struct Cell<'t> {
    text: Cow<'t, str>,
    /// The length of the cell with its separator, in bytes.
    length: usize,
    ends_record: bool,
    fault: Option<&'static str>,
}

impl Record<'_> {
    /// Returns whether all cells are empty, without a fault.
    pub(super) fn is_blank(&self) -> bool {
        self.fault.is_none() && self.cells.iter().all(|cell| cell.is_empty())
    }
}

impl<'t> Records<'t> {
    /// Returns a reader of a text whose first character is in this line.
    pub(super) fn at(line: usize, text: &'t str, separator: char) -> Self {
        Self { rest: text, line, separator }
    }

    /// Returns the line that the next record begins in.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Returns the text behind the last record.
    pub(super) fn rest(&self) -> &'t str {
        self.rest
    }

    pub(super) fn with_separator(self, separator: char) -> Self {
        Self { separator, ..self }
    }

    /// Consumes a first line such as `sep=;`, and returns its separator.
    pub(super) fn declared_separator(&mut self) -> Result<Option<char>, FileError> {
        let end = self.rest.find(['\r', '\n']).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        let bare = line.trim_matches('"');
        let Some((word, declared)) = bare.split_at_checked(4) else { return Ok(None) };
        if !word.eq_ignore_ascii_case("sep=") {
            return Ok(None);
        }
        let mut declared = declared.chars();
        match (declared.next(), declared.as_str().trim()) {
            (Some(separator @ (',' | ';' | '\t')), "") => {
                self.advance(line.len() + line_break_at(&self.rest[end..]));
                Ok(Some(separator))
            }
            _ => Err(FileError::malformed(
                "line 1: the separator must be a comma, a semicolon or a tab".to_owned(),
            )),
        }
    }

    /// Returns the next record, whose cells may all be empty.
    pub(super) fn record(&mut self) -> Result<Record<'t>, FileError> {
        let (all, line) = (self.rest, self.line);
        // A record that goes on beyond this window is too long.
        let window = &all[..all.floor_char_boundary(MAX_RECORD.min(all.len()))];
        let (mut cells, mut fault, mut at) = (Vec::new(), None, 0);
        loop {
            let cell = self.cell(&window[at..], window.len() < all.len(), line)?;
            cells.push(cell.text);
            fault = fault.or(cell.fault);
            at += cell.length;
            if cells.len() > MAX_CELLS {
                let message = format!("line {line} has more than {MAX_CELLS} columns");
                return Err(FileError::malformed(message));
            }
            if cell.ends_record {
                let text = &all[..at];
                self.advance(at + line_break_at(&all[at..]));
                return Ok(Record { line, text, cells, fault });
            }
        }
    }

    /// Reads the first cell of a text. The text may be cut off.
    fn cell(&self, text: &'t str, is_cut: bool, line: usize) -> Result<Cell<'t>, FileError> {
        let is_space = |c: char| c.is_whitespace() && !self.ends_cell(c);
        let begin = text.len() - text.trim_start_matches(is_space).len();
        let Some(quoted) = text[begin..].strip_prefix('"') else {
            let (length, ends_record) = self.end_of_cell(text, is_cut, line)?;
            let cell = &text[..length];
            return Ok(Cell {
                text: Cow::Borrowed(cell.trim()),
                length: length + usize::from(!ends_record),
                ends_record,
                fault: cell.contains('"').then_some(CARELESS_QUOTE),
            });
        };
        let (cell, length) = unquoted(quoted).ok_or_else(|| {
            let from = self.line + line_breaks(self.before(text).as_bytes());
            FileError::malformed(if is_cut {
                format!(
                    "line {from}: a cell is longer than {MAX_RECORD} bytes, or its quotation \
                     mark is not closed"
                )
            } else {
                format!("line {from}: a quotation mark is not closed")
            })
        })?;
        let behind = begin + 1 + length;
        let (rest, ends_record) = self.end_of_cell(&text[behind..], is_cut, line)?;
        let is_blank = text[behind..behind + rest].trim().is_empty();
        Ok(Cell {
            text: cell,
            length: behind + rest + usize::from(!ends_record),
            ends_record,
            fault: (!is_blank).then_some(BEHIND_QUOTE),
        })
    }

    /// Returns the end of an unquoted cell, and whether the record ends there.
    fn end_of_cell(
        &self,
        text: &str,
        is_cut: bool,
        line: usize,
    ) -> Result<(usize, bool), FileError> {
        match text.find(|c| self.ends_cell(c)) {
            Some(at) => Ok((at, !text[at..].starts_with(self.separator))),
            None if is_cut => {
                Err(FileError::malformed(format!("line {line} is longer than {MAX_RECORD} bytes")))
            }
            None => Ok((text.len(), true)),
        }
    }

    fn ends_cell(&self, c: char) -> bool {
        c == self.separator || c == '\r' || c == '\n'
    }

    /// Returns the part of the rest in front of `part`.
    fn before(&self, part: &str) -> &'t str {
        let begin = part.as_ptr().addr().saturating_sub(self.rest.as_ptr().addr());
        self.rest.get(..begin).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        let (gone, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += line_breaks(gone.as_bytes());
        self.rest = rest;
    }
}

/// Returns the length of the line break at the beginning of a text, or 0.
fn line_break_at(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with(['\r', '\n'])) }
}

/// Returns the text up to the closing quotation mark, and its length in bytes with the
/// mark. Returns `None` without a closing mark. A doubled mark stands for one mark.
fn unquoted(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let mut at = 0;
    let mut has_doubled = false;
    loop {
        at += text[at..].find('"')?;
        if !text[at + 1..].starts_with('"') {
            let cell = text[..at].trim();
            let cell = if has_doubled { cell.replace("\"\"", "\"").into() } else { cell.into() };
            return Some((cell, at + 1));
        }
        has_doubled = true;
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the next record that is not blank.
    fn next<'t>(records: &mut Records<'t>) -> Result<Option<Record<'t>>, FileError> {
        while !records.rest.is_empty() {
            let record = records.record()?;
            if !record.is_blank() {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn read(text: &str) -> Vec<(usize, Vec<String>, bool)> {
        let mut records = Records::at(1, text, ',');
        let mut all = Vec::new();
        while let Some(record) = next(&mut records).unwrap() {
            let cells = record.cells.iter().map(|cell| cell.clone().into_owned()).collect();
            all.push((record.line, cells, record.fault.is_some()));
        }
        all
    }

    #[test]
    fn records_know_the_line_that_they_begin_in() {
        for (text, expected) in [
            ("", vec![]),
            ("a", vec![(1, vec!["a"])]),
            ("a,b\nc,d\n", vec![(1, vec!["a", "b"]), (2, vec!["c", "d"])]),
            ("\n\r\n\ra\r\rb", vec![(4, vec!["a"]), (6, vec!["b"])]),
            ("\"x\r\ny\",b\r\nc", vec![(1, vec!["x\r\ny", "b"]), (3, vec!["c"])]),
            (" , ,\t\n,,\n\"\"\na,,", vec![(4, vec!["a", "", ""])]),
            ("\u{a0}a\u{3000}, \"b c\" ,\"d \"\"e\"\" \"", vec![(1, vec!["a", "b c", "d \"e\""])]),
            ("\"\"\"\"", vec![(1, vec!["\""])]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(line, cells)| (line, cells.into_iter().map(str::to_owned).collect(), false))
                .collect();
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_quotation_mark_out_of_place_is_a_fault_of_its_record() {
        for text in ["5\" pipe,b", "a,b\"", "\"a\"b,c", "\"a\" \"b\"", "\"\" x"] {
            let text = format!("ok\n{text}\nok");
            let faults: Vec<_> =
                read(&text).iter().map(|(line, _, fault)| (*line, *fault)).collect();
            assert_eq!(faults, [(1, false), (2, true), (3, false)], "{text}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused_with_its_line() {
        let long = "x".repeat(40_000);
        let many = "x,".repeat(1_000_000);
        for (text, says) in [
            ("a\n\n\"b,c\nd\n", "line 3: a quotation mark is not closed"),
            ("a\nb,\"c\n\",\"d\n", "line 3: a quotation mark is not closed"),
            (&format!("a\n\"{long}"), "line 2: a cell is longer than"),
            (&format!("a\n{long}"), "line 2 is longer than"),
            (&many, "line 1 has more than"),
        ] {
            let mut records = Records::at(1, text, ',');
            let error = loop {
                match next(&mut records) {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("{says}"),
                    Err(error) => break error,
                }
            };
            assert!(error.to_string().contains(says), "{error:?}");
        }
    }

    #[test]
    fn the_first_line_may_declare_the_separator() {
        for (text, separator, line) in [
            ("sep=;\na", Some(';'), 2),
            ("SEP=,\r\na", Some(','), 2),
            ("\"sep=\t\"\ra", Some('\t'), 2),
            ("sep=;", Some(';'), 1),
            ("a;b\n", None, 1),
            ("", None, 1),
        ] {
            let mut records = Records::at(1, text, ',');
            assert_eq!(records.declared_separator().unwrap(), separator, "{text:?}");
            assert_eq!(records.line, line, "{text:?}");
        }
        for text in ["sep=\na", "sep=x\n", "sep=;;\n", "sep=é"] {
            assert!(Records::at(1, text, ',').declared_separator().is_err(), "{text:?}");
        }
    }
}
