//! Reads the rows of a CSV file.

use super::{
    Columns, DraftFields, FileError, FileRow, RowMistake, UnreadableRow, columns,
    formula::plain,
    records::{Record, Records},
};
use crate::{draft::Draft, service::ImportRow};

/// Returns the separator with which the header has the most known column names.
pub(super) fn likely_separator(records: &Records<'_>) -> Result<char, FileError> {
    let mut likely = (',', 0, 0);
    let mut failure = None;
    for separator in [',', ';', '\t'] {
        match records.clone().with_separator(separator).record() {
            Ok(header) => {
                let names = header.cells.len();
                let known = header.cells.iter().filter(|name| columns::field(name).is_some());
                let known = known.count();
                if (known, names) > (likely.1, likely.2) {
                    likely = (separator, known, names);
                }
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        Some(error) if likely.1 == 0 => Err(error),
        _ => Ok(likely.0),
    }
}

/// Reads the row of a record. An empty cell means that the field is not given.
pub(super) fn row(columns: &Columns, record: &Record<'_>) -> FileRow {
    let unread = |mistakes| UnreadableRow { mistakes, row: ImportRow::unreadable(record.text) };
    FileRow { line: record.line, draft: draft(columns, record).map_err(unread) }
}

fn draft(columns: &Columns, record: &Record<'_>) -> Result<Draft, Vec<RowMistake>> {
    let of_row = |message: &str| vec![RowMistake::new("", message)];
    if let Some(fault) = record.fault {
        return Err(of_row(fault));
    }
    let mut fields = DraftFields::default();
    let mut wrong = Vec::new();
    for (field, cell) in columns.cells(&record.cells).map_err(|message| of_row(&message))? {
        let cell = plain(cell);
        if cell.is_empty() {
            continue;
        }
        let mut number = || -> Option<u32> {
            let number = cell.parse().ok();
            if number.is_none() {
                wrong.push(RowMistake::new(field, "must be a whole number from 0 to 4294967295"));
            }
            number
        };
        let text = || Some(cell.clone().into_owned());
        match field {
            "email" => fields.email = text(),
            "email_domain" => fields.email_domain = text(),
            "role" => fields.role = text(),
            "division" => fields.division = text(),
            "expires_at" => fields.expires_at = text(),
            "expires_in_days" => fields.expires_in_days = number(),
            "max_uses" => fields.max_uses = number(),
            _ => match serde_json::from_str(&cell) {
                Ok(metadata) => fields.metadata = Some(metadata),
                Err(_) => wrong.push(RowMistake::new(field, "must be a JSON object")),
            },
        }
    }
    match fields.into_draft() {
        Ok(draft) if wrong.is_empty() => Ok(draft),
        Ok(_) => Err(wrong),
        Err(more) => {
            wrong.extend(more.iter().map(|error| RowMistake::new(error.field(), error.message())));
            Err(wrong)
        }
    }
}
