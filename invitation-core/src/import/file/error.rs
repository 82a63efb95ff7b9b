//! The mistakes in a file of an import.

use std::{error::Error as StdError, fmt};

/// The longest message and field name that a mistake repeats, in bytes: they may contain text
/// of the file.
const MAX_MESSAGE: usize = 500;
const MAX_FIELD: usize = 64;

/// A mistake in a file that makes the rest unreadable.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FileError {
    /// The text is not one of the format. The message names the line.
    Malformed(String),
    /// The line that should name the columns does not.
    Columns(Vec<ColumnMistake>),
}

/// A mistake in the line that names the columns.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ColumnMistake {
    /// The column as the file spells it; empty if it has no name.
    pub column: String,
    /// The message, with the line and the column.
    pub message: String,
}

/// A mistake in one row.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RowMistake {
    /// The name of the field, in `snake_case`; empty if the mistake is about the whole row.
    pub field: String,
    /// The message, without line and field.
    pub message: String,
}

impl FileError {
    pub(super) fn malformed(message: String) -> Self {
        Self::Malformed(message)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(message) => f.write_str(message),
            Self::Columns(mistakes) => {
                for (n, mistake) in mistakes.iter().enumerate() {
                    let between = if n > 0 { "; " } else { "" };
                    write!(f, "{between}{}", mistake.message)?;
                }
                Ok(())
            }
        }
    }
}

impl StdError for FileError {}

impl RowMistake {
    pub(super) fn new(field: &str, message: &str) -> Self {
        let cut = |text: &str, max| text[..text.floor_char_boundary(max)].to_owned();
        Self { field: cut(field, MAX_FIELD), message: cut(message, MAX_MESSAGE) }
    }
}
