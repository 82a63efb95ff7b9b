//! Reads the rows of CSV and JSON Lines files of any size.
//!
//! A [`FileReader`] takes the bytes of a file piece by piece and returns one row after another.
//! It does no I/O. Its memory is bounded, whatever the file contains.
//!
//! ```
//! # use invitation_core as invitation;
//! use invitation::import::file::{FileFormat, FileReader};
//!
//! let file = "E-Mail;Role;Division\nanna@example.com;staff;sales\nben;staff;sales\n";
//! let mut reader = FileReader::new(FileFormat::Csv);
//! let mut rows = Vec::new();
//! for piece in file.as_bytes().chunks(16) {
//!     reader.push(piece)?;
//!     while let Some(row) = reader.next_row()? {
//!         rows.push(row);
//!     }
//! }
//! reader.finish()?;
//! while let Some(row) = reader.next_row()? {
//!     rows.push(row);
//! }
//! assert!(rows[0].line == 2 && rows[0].draft.is_ok());
//! let mistake = &rows[1].draft.as_ref().unwrap_err().mistakes[0];
//! assert_eq!((rows[1].line, &*mistake.field), (3, "email"));
//! assert_eq!(reader.spelling("email"), "E-Mail");
//! # Ok::<_, invitation::import::file::FileError>(())
//! ```
//!
//! # CSV
//!
//! The file is UTF-8, or UTF-16 with a byte order mark. Commas, semicolons or tabs separate its
//! cells, and a first line such as `sep=;` may name the separator. The first line that is not
//! empty names the columns; case does not matter, and usual names such as `E-Mail` are known. Empty
//! rows are passed over.
//!
//! # JSON Lines
//!
//! Each line holds one JSON object with the fields of [`DraftFields`]. Empty lines are passed
//! over.

mod columns;
mod csv;
mod draft_fields;
mod encoding;
mod error;
mod formula;
mod json_lines;
mod metadata_text;
mod reader;
mod records;

pub use self::{
    columns::Columns,
    draft_fields::DraftFields,
    encoding::decode,
    error::{ColumnMistake, FileError, RowMistake},
    formula::harmless,
    metadata_text::MetadataText,
    reader::{FileFormat, FileReader, FileRow, UnreadableRow},
};
