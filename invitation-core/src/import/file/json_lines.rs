//! Reads a row of JSON Lines: one JSON object on each line.

use serde_path_to_error::Segment;

use super::{DraftFields, FileRow, RowMistake, UnreadableRow};
use crate::service::ImportRow;

/// Reads the row of a line.
pub(super) fn row(line: usize, text: &str) -> FileRow {
    let draft = fields(text).and_then(|fields| {
        let wrong = |error: crate::FieldError| RowMistake::new(error.field(), error.message());
        fields.into_draft().map_err(|errors| errors.into_iter().map(wrong).collect())
    });
    let unread = |mistakes| UnreadableRow { mistakes, row: ImportRow::unreadable(text) };
    FileRow { line, draft: draft.map_err(unread) }
}

fn fields(text: &str) -> Result<DraftFields, Vec<RowMistake>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let no_json = || vec![RowMistake::new("", "is no JSON object")];
    // A list of values would be read by the position of the fields.
    if !text.starts_with('{') {
        return Err(no_json());
    }
    match serde_path_to_error::deserialize::<_, DraftFields>(&mut json) {
        Ok(fields) if json.end().is_ok() => Ok(fields),
        Err(error) if error.inner().is_data() => {
            let field = error.path().iter().find_map(|segment| match segment {
                Segment::Map { key } => Some(key.clone()),
                _ => None,
            });
            let message = error.inner().to_string();
            // The message ends with line and column, which the row's line replaces.
            let message = message.rsplit_once(" at line ").map_or(&*message, |(said, _)| said);
            Err(vec![RowMistake::new(&field.unwrap_or_default(), message)])
        }
        Ok(_) | Err(_) => Err(no_json()),
    }
}
