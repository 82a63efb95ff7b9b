//! Reads the rows of an import from a CSV file.

use invitation_core::{Draft, ImportRow};

use super::{
    Note, ParsedRows, Row, Source, Unread,
    columns::{self, Columns},
    formula::plain,
    records::{Record, Records},
    text::{line_breaks, malformed},
    too_many,
};
use crate::{api::draft::DraftBody, problem::Problem};

/// Reads the rows of a CSV text. The first non-empty line names the columns. An empty cell means
/// that the field is not given.
pub(crate) fn of_csv(text: &str, max: usize) -> Result<ParsedRows, Problem> {
    if let Some(nul) = text.find('\0') {
        let line = 1 + line_breaks(&text.as_bytes()[..nul]);
        return Err(malformed(format!("line {line} contains a NUL character")));
    }
    let mut records = Records::of(text, ',');
    let separator = match records.declared_separator()? {
        Some(declared) => declared,
        None => likely_separator(&records)?,
    };
    records = records.with_separator(separator);
    let Some(header) = records.next()? else { return Err(too_many(max)) };
    let columns = Columns::of(&header)?;
    let expects_addresses = columns.has("email");
    let source = Source::Csv(columns);
    let mut rows = Vec::new();
    while let Some(record) = records.next()? {
        if rows.len() == max {
            return Err(too_many(max));
        }
        rows.push(row(&source, &record));
    }
    if rows.is_empty() {
        Err(too_many(max))
    } else {
        Ok(ParsedRows { source, rows, expects_addresses })
    }
}

/// Returns the separator with which the header has the most known column names.
fn likely_separator(records: &Records<'_>) -> Result<char, Problem> {
    let mut likely = (',', 0, 0);
    let mut failure = None;
    for separator in [',', ';', '\t'] {
        match records.clone().with_separator(separator).next() {
            Ok(Some(header)) => {
                let names = header.cells.len();
                let known = header.cells.iter().filter(|name| columns::field(name).is_some());
                let known = known.count();
                if (known, names) > (likely.1, likely.2) {
                    likely = (separator, known, names);
                }
            }
            Ok(None) => {}
            Err(problem) => failure = failure.or(Some(problem)),
        }
    }
    match failure {
        Some(problem) if likely.1 == 0 => Err(problem),
        _ => Ok(likely.0),
    }
}

fn row(source: &Source, record: &Record<'_>) -> Row {
    let line = record.line;
    let unread = |notes: Vec<Note>| Unread { notes, row: ImportRow::unreadable(record.text) };
    Row { line, draft: draft(source, record).map_err(unread) }
}

fn draft(source: &Source, record: &Record<'_>) -> Result<Draft, Vec<Note>> {
    let note = |field: &str, message: &str| source.note(record.line, field, message);
    let of_row = |message: &str| vec![note("", message)];
    if let Some(fault) = record.fault {
        return Err(of_row(fault));
    }
    let Source::Csv(columns) = source else { return Err(of_row("has no columns")) };
    let mut body = DraftBody::default();
    let mut wrong = Vec::new();
    for (field, cell) in columns.cells(&record.cells).map_err(|message| of_row(&message))? {
        let cell = plain(cell);
        if cell.is_empty() {
            continue;
        }
        let mut number = || -> Option<u32> {
            let number = cell.parse().ok();
            if number.is_none() {
                wrong.push(note(field, "must be a number"));
            }
            number
        };
        let text = || Some(cell.clone().into_owned());
        match field {
            "email" => body.email = text(),
            "email_domain" => body.email_domain = text(),
            "role" => body.role = text(),
            "division" => body.division = text(),
            "expires_at" => body.expires_at = text(),
            "expires_in_days" => body.expires_in_days = number(),
            "max_uses" => body.max_uses = number(),
            _ => match serde_json::from_str(&cell) {
                Ok(metadata) => body.metadata = Some(metadata),
                Err(_) => wrong.push(note(field, "must be a JSON object")),
            },
        }
    }
    match body.read("") {
        Ok(draft) if wrong.is_empty() => Ok(draft),
        Ok(_) => Err(wrong),
        Err(more) => {
            let field = |pointer: &str| pointer.trim_start_matches('/').to_owned();
            let more = more.iter().map(|error| note(&field(&error.pointer), &error.message));
            wrong.extend(more);
            Err(wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ProblemKind;

    fn read(text: &str) -> ParsedRows {
        of_csv(text, 100).unwrap_or_else(|problem| panic!("{text:?}: {problem:?}"))
    }

    /// Returns the line of each row, with its draft if it can be read.
    fn drafts(text: &str) -> Vec<(usize, Option<Draft>)> {
        read(text).rows.into_iter().map(|row| (row.line, row.draft.ok())).collect()
    }

    fn messages(text: &str) -> Vec<(usize, Vec<String>)> {
        let said = |row: &Row| match &row.draft {
            Ok(_) => Vec::new(),
            Err(unread) => unread.notes.iter().map(|note| note.error.message.clone()).collect(),
        };
        read(text).rows.iter().map(|row| (row.line, said(row))).collect()
    }

    #[test]
    fn files_of_many_programs_say_the_same() {
        let expected = drafts("email,role,division\nanna@example.com,staff,sales\n");
        assert!(expected[0].1.is_some());
        for text in [
            "email;role;division\r\nanna@example.com;staff;sales\r\n",
            "email\trole\tdivision\nanna@example.com\tstaff\tsales",
            "E-Mail,ROLE,Department\nanna@example.com,staff,sales\n",
            " email , role , division \n anna@example.com ,\u{a0}staff\u{a0},\u{2003}sales\n",
            "\"email\",\"role\",\"division\"\n\"anna@example.com\",\"staff\",\"sales\"\n",
            "email,role,division,\nanna@example.com,staff,sales,\n",
            "email;role;division;;;\nanna@example.com;staff;sales;;;\n;;;;;\n;;\n",
            "email,role,division\nanna@example.com,staff,sales\n,,,\n\n , , \n",
            "division,email,role\rsales,anna@example.com,staff\r",
            "email,role,division,max_uses\nanna@example.com,staff,sales,\n",
        ] {
            assert_eq!(drafts(text), expected, "{text:?}");
        }
        for text in [
            "sep=;\nemail;role;division\nanna@example.com;staff;sales\n",
            "\nemail,role,division\nanna@example.com,staff,sales\n",
            "email,role,division\n\nanna@example.com,staff,sales\n",
            "email,role,division\n,,\nanna@example.com,staff,sales\n",
            "\"email\",\"role\",\"division\n\"\nanna@example.com,staff,sales\n",
        ] {
            assert_eq!(drafts(text), [(3, expected[0].1.clone())], "{text:?}");
        }
    }

    #[test]
    fn messages_name_the_line_and_the_column_as_they_stand_in_the_file() {
        let text = "E-Mail;Department;Uses\n\nanna@example.com;sales;\n;;\nben;sales;x\n\
                    c@example.com;sales\nd@example.com;sales;1;2\ne@example.com;\"a\"b;1\n";
        let expected = [
            (3, vec![]),
            (5, vec!["line 5, Uses: must be a number", "line 5, E-Mail: must be"]),
            (6, vec!["line 6: has 2 cells where there are 3 columns"]),
            (7, vec!["line 7: has 4 cells where there are 3 columns"]),
            (8, vec!["line 8: there is text behind a closing quotation mark"]),
        ];
        let said = messages(text);
        assert_eq!(said.len(), expected.len());
        for ((line, said), (expected_line, expected)) in said.iter().zip(&expected) {
            assert_eq!((line, said.len()), (expected_line, expected.len()), "{said:?}");
            for (said, expected) in said.iter().zip(expected) {
                assert!(said.starts_with(expected), "{said}");
            }
        }
        let rows = read(text).rows;
        let pointers = rows[1].draft.as_ref().unwrap_err().notes.iter();
        let pointers: Vec<_> = pointers.map(|note| note.error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/5/Uses", "/5/E-Mail"]);
    }

    #[test]
    fn a_header_that_is_none_is_refused_by_name() {
        for (text, pointers) in [
            ("rolle\na", vec!["/rolle"]),
            ("role,role\na,b", vec!["/role"]),
            ("E-Mail;mail;role\na;b;c", vec!["/mail"]),
            ("email,,role\na,b,c", vec![""]),
            ("email,name,team\na,b,c", vec!["/name", "/team"]),
            ("anna@example.com,staff\n", vec!["/anna@example.com", "/staff"]),
        ] {
            let problem = of_csv(text, 100).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Invalid, "{text}");
            let found: Vec<_> = problem.errors().iter().map(|e| e.pointer.as_str()).collect();
            assert_eq!(found, pointers, "{text}");
            assert!(problem.errors().iter().all(|e| e.message.starts_with("line 1")), "{text}");
        }
    }

    #[test]
    fn a_file_has_some_rows_and_not_too_many() {
        for text in ["", "\n\n", "email\n", "email\n,,,\n", "role\nstaff\nstaff\nstaff\n"] {
            assert_eq!(of_csv(text, 2).unwrap_err().kind(), ProblemKind::Invalid, "{text:?}");
        }
        assert_eq!(of_csv("role\nstaff\nstaff\n\n", 2).unwrap().rows.len(), 2);
    }

    #[test]
    fn hostile_files_are_refused_at_once() {
        let wide = "x,".repeat(2_000_000);
        let wide_row = format!("role\n{}", ";,\t".repeat(1_000_000));
        let long = "x".repeat(4_000_000);
        let open = format!("role\n\"{long}");
        for text in
            ["role\nst\0aff\n", "role\n\"staff", "\"role\nstaff", &wide, &wide_row, &long, &open]
        {
            let problem = of_csv(text, 1_000).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Malformed, "{text:.20}");
            assert!(problem.detail().unwrap().contains("line "), "{problem:?}");
        }
    }
}
