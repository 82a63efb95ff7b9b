//! Reads the rows of an import from a CSV file.

use invitation_core::import::file::{FileError, FileFormat, FileReader, RowMistake};

use super::{ParsedRows, Row, Source, Unread, too_many};
use crate::problem::{InputError, Problem, ProblemKind, pointer_to};

/// Reads the rows of a CSV file.
pub(crate) fn of_csv(bytes: &[u8], max: usize) -> Result<ParsedRows, Problem> {
    let mut reader = FileReader::new(FileFormat::Csv);
    reader.push(bytes)?;
    reader.finish()?;
    let mut found = Vec::new();
    while let Some(row) = reader.next_row()? {
        if found.len() == max {
            return Err(too_many(max));
        }
        found.push(row);
    }
    let (Some(columns), false) = (reader.columns().cloned(), found.is_empty()) else {
        return Err(too_many(max));
    };
    let source = Source::Csv(columns);
    let rows = found.into_iter().map(|row| {
        let line = row.line;
        let note = |mistake: &RowMistake| source.note(line, &mistake.field, &mistake.message);
        let draft = row.draft.map_err(|unread| Unread {
            notes: unread.mistakes.iter().map(note).collect(),
            row: unread.row,
        });
        Row { line, draft }
    });
    let rows = rows.collect();
    Ok(ParsedRows { source, rows, expects_addresses: reader.expects_addresses() })
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Columns(mistakes) => Self::invalid(mistakes.into_iter().map(|mistake| {
                let pointer = match mistake.column.as_str() {
                    "" => String::new(),
                    column => pointer_to(column),
                };
                InputError::in_body(pointer, mistake.message)
            })),
            malformed => Self::new(ProblemKind::Malformed).with_detail(malformed.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_line_and_the_column_as_they_stand_in_the_file() {
        let text = "E-Mail;Department;Uses\n\nanna@example.com;sales;\nben;sales;x\n;\n";
        let rows = of_csv(text.as_bytes(), 100).unwrap().rows;
        assert!(rows[0].draft.is_ok());
        let said = |row: &Row| -> Vec<(String, String)> {
            let notes = &row.draft.as_ref().unwrap_err().notes;
            notes
                .iter()
                .map(|note| (note.error.pointer.clone(), note.error.message.clone()))
                .collect()
        };
        let ben = said(&rows[1]);
        let number = "line 4, Uses: must be a whole number from 0 to 4294967295";
        assert_eq!(ben[0], ("/4/Uses".to_owned(), number.to_owned()));
        assert!(ben[1].0 == "/4/E-Mail" && ben[1].1.starts_with("line 4, E-Mail: must be"));
    }

    #[test]
    fn header_that_is_none_is_refused_by_name() {
        for (text, pointers) in [
            ("rolle\na", vec!["/rolle"]),
            ("email,,role\na,b,c", vec![""]),
            ("email,name,team\na,b,c", vec!["/name", "/team"]),
        ] {
            let problem = of_csv(text.as_bytes(), 100).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Invalid, "{text}");
            let found: Vec<_> = problem.errors().iter().map(|e| e.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{text}");
        }
    }

    #[test]
    fn file_has_some_rows_and_not_too_many() {
        for text in ["", "\n\n", "email\n", "email\n,,,\n", "role\nstaff\nstaff\nstaff\n"] {
            let problem = of_csv(text.as_bytes(), 2).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Invalid, "{text:?}");
        }
        assert_eq!(of_csv(b"role\nstaff\nstaff\n\n", 2).unwrap().rows.len(), 2);
    }

    #[test]
    fn text_that_is_no_csv_is_malformed() {
        let wide = "x,".repeat(2_000_000);
        for text in ["role\nst\0aff\n", "role\n\"staff", "\"role\nstaff", &wide] {
            let problem = of_csv(text.as_bytes(), 1_000).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Malformed, "{text:.20}");
            assert!(problem.detail().unwrap().contains("line "), "{problem:?}");
        }
    }
}
