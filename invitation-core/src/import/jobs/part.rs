//! The rows of a spooled file, in parts.

use super::{Spool, SpoolError, SpoolFile};
use crate::{
    import::file::{FileError, FileFormat, FileReader, FileRow, RowMistake},
    service::ImportRow,
};

/// The number of bytes that are read from the spool at a time.
const PIECE: usize = 256 * 1_024;

/// The reason why a file without rows is not imported.
pub(super) const NO_ROWS: &str = "the file has no rows";

/// A reader that returns the rows of a file in parts of the same number of rows.
pub(super) struct PartReader<'a> {
    spool: &'a dyn Spool,
    file: SpoolFile,
    reader: FileReader,
    part_rows: usize,
    at: u64,
    is_at_end: bool,
}

/// A part of a file.
pub(super) struct FilePart {
    /// The rows, at least one unless there is an error.
    pub(super) rows: Vec<ImportRow>,
    /// The line and the mistakes of each row.
    pub(super) places: Vec<RowPlace>,
    /// The mistake that ends the file.
    pub(super) error: Option<FileError>,
    /// The number of bytes of the file that were read so far.
    pub(super) bytes: u64,
}

/// The line of a row, and its mistakes if it cannot be read.
pub(super) struct RowPlace {
    pub(super) line: usize,
    pub(super) mistakes: Vec<RowMistake>,
}

impl<'a> PartReader<'a> {
    pub(super) fn new(
        spool: &'a dyn Spool,
        file: SpoolFile,
        format: FileFormat,
        part_rows: u32,
    ) -> Self {
        let part_rows = usize::try_from(part_rows).unwrap_or(usize::MAX);
        let reader = FileReader::new(format);
        Self { spool, file, reader, part_rows, at: 0, is_at_end: false }
    }

    /// Returns the reader, which knows the columns after the first part.
    pub(super) fn reader(&self) -> &FileReader {
        &self.reader
    }

    /// Returns the next part; none at the end of the file.
    pub(super) async fn next(&mut self) -> Result<Option<FilePart>, SpoolError> {
        let mut part =
            FilePart { rows: Vec::new(), places: Vec::new(), error: None, bytes: self.at };
        while part.rows.len() < self.part_rows {
            match self.reader.next_row() {
                Ok(Some(row)) => part.add(row),
                Ok(None) if self.is_at_end => break,
                Ok(None) => {
                    if let Err(error) = self.fill().await? {
                        part.error = Some(error);
                        self.is_at_end = true;
                        break;
                    }
                }
                Err(error) => {
                    part.error = Some(error);
                    self.is_at_end = true;
                    break;
                }
            }
        }
        part.bytes = self.at;
        Ok((!part.rows.is_empty() || part.error.is_some()).then_some(part))
    }

    /// Reads the next piece of the file.
    async fn fill(&mut self) -> Result<Result<(), FileError>, SpoolError> {
        let bytes = self.spool.read(self.file, self.at, PIECE).await?;
        if bytes.is_empty() {
            self.is_at_end = true;
            return Ok(self.reader.finish());
        }
        self.at += bytes.len() as u64;
        Ok(self.reader.push(&bytes))
    }
}

impl FilePart {
    fn add(&mut self, row: FileRow) {
        let (asked, mistakes) = match row.draft {
            Ok(draft) => (ImportRow::Draft(draft), Vec::new()),
            Err(unread) => (unread.row, unread.mistakes),
        };
        self.rows.push(asked);
        self.places.push(RowPlace { line: row.line, mistakes });
    }
}
