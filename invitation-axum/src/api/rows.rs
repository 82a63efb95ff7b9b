//! The rows of an import, from JSON or from a CSV file. Each row is read on its own, so
//! that one mistake does not hide those of other rows.

mod csv;
mod json;

use invitation_core::{Draft, ImportRow, import::file::Columns};

pub(crate) use self::{csv::of_csv, json::of_json};
use crate::problem::{InputError, Problem, pointer_to};

/// All rows of an import.
#[derive(Debug)]
pub(crate) struct ParsedRows {
    pub(crate) source: Source,
    pub(crate) rows: Vec<Row>,
    /// Whether the rows are expected to have an address.
    pub(crate) expects_addresses: bool,
}

/// One row of an import.
#[derive(Debug)]
pub(crate) struct Row {
    /// The physical line of the file in which the row begins. For a JSON array, the position of the
    /// element. Both count from 1.
    pub(crate) line: usize,
    pub(crate) draft: Result<Draft, Unread>,
}

/// A row that could not be read.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) notes: Vec<Note>,
    /// The unreadable row, by which the import can distinguish it from others.
    pub(crate) row: ImportRow,
}

/// The source of the rows. It determines how a message refers to a row.
#[derive(Debug)]
pub(crate) enum Source {
    Json,
    Csv(Columns),
}

/// A message about a row.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    /// The column as the file spells it, if the message is about one column.
    pub(crate) column: Option<String>,
    /// The message without its location.
    pub(crate) message: String,
    /// The message with its location.
    pub(crate) error: InputError,
}

impl Source {
    /// Returns a message about a row, or about one field of it. `field` is the API's name of the
    /// field, or empty.
    pub(crate) fn note(&self, line: usize, field: &str, message: &str) -> Note {
        let (column, error) = match self {
            Self::Json => {
                let field = if field.is_empty() { String::new() } else { pointer_to(field) };
                let pointer = format!("/{}{field}", line.saturating_sub(1));
                (None, InputError::in_body(pointer, message))
            }
            Self::Csv(_) if field.is_empty() => {
                let error =
                    InputError::in_body(format!("/{line}"), format!("line {line}: {message}"));
                (None, error)
            }
            Self::Csv(columns) => {
                let column = columns.spelling(field);
                let pointer = format!("/{line}{}", pointer_to(column));
                let message = format!("line {line}, {column}: {message}");
                (Some(column.to_owned()), InputError::in_body(pointer, message))
            }
        };
        Note { column, message: message.to_owned(), error }
    }

    /// Returns a reference to a line, for use in a message about another row.
    pub(crate) fn place(&self, line: usize) -> String {
        match self {
            Self::Json => format!("row {line}"),
            Self::Csv(_) => format!("line {line}"),
        }
    }
}

impl Note {
    /// Returns the message for a mistake in an element of a JSON array.
    fn of_json(error: InputError) -> Self {
        Self { column: None, message: error.message.clone(), error }
    }
}

fn too_many(max: usize) -> Problem {
    Problem::invalid([InputError::in_body("", format!("must be 1 to {max} rows"))])
}
