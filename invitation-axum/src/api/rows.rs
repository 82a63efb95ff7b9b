//! The rows of an import, from JSON or CSV: each is read for itself.

mod json;

use std::borrow::Cow;

use invitation_core::Draft;

pub(crate) use self::json::of_json;
use super::draft::DraftBody;
use crate::problem::{FieldError, Problem, ProblemKind, pointer_to};

/// A row as it was read, or everything that is wrong with it.
pub(crate) type Row = Result<Draft, Vec<FieldError>>;

fn too_many(max: usize) -> Problem {
    Problem::invalid([FieldError::in_body("", format!("must be 1 to {max} rows"))])
}

/// The rows of a CSV file: its first line names the columns, an empty cell says nothing.
pub(crate) fn of_csv(bytes: &[u8], max: usize) -> Result<Vec<Row>, Problem> {
    let malformed = |what: &'static str| Problem::new(ProblemKind::Malformed).with_detail(what);
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("the file is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let unreadable = |_| malformed("the file is no CSV");
    let columns = columns(csv.headers().map_err(unreadable)?)?;
    let mut rows = Vec::new();
    for (n, record) in csv.records().enumerate() {
        if n >= max {
            return Err(too_many(max));
        }
        rows.push(row(n, &columns, &record.map_err(unreadable)?));
    }
    if rows.is_empty() { Err(too_many(max)) } else { Ok(rows) }
}

const COLUMNS: [&str; 8] = [
    "email",
    "email_domain",
    "role",
    "division",
    "expires_at",
    "expires_in_days",
    "max_uses",
    "metadata",
];

fn columns(header: &csv::StringRecord) -> Result<Vec<&'static str>, Problem> {
    let mut columns: Vec<&'static str> = Vec::new();
    let mut wrong = Vec::new();
    for name in header {
        let name = name.trim();
        match COLUMNS.into_iter().find(|column| *column == name) {
            Some(column) if columns.contains(&column) => {
                wrong.push(FieldError::in_body(pointer_to(name), "is named twice"));
            }
            Some(column) => columns.push(column),
            // What stands there may be a first row without a header: it is not repeated
            // at length.
            None => {
                let name: String = name.chars().take(64).collect();
                let message = format!("is no column; the columns are {}", COLUMNS.join(", "));
                wrong.push(FieldError::in_body(pointer_to(&name), message));
            }
        }
        if wrong.len() == COLUMNS.len() {
            break;
        }
    }
    if wrong.is_empty() { Ok(columns) } else { Err(Problem::invalid(wrong)) }
}

fn row(n: usize, columns: &[&'static str], record: &csv::StringRecord) -> Row {
    let at = format!("/{n}");
    if record.len() != columns.len() {
        let message = format!("must have {} cells", columns.len());
        return Err(vec![FieldError::in_body(at, message)]);
    }
    let mut body = DraftBody::default();
    let mut wrong = Vec::new();
    for (column, cell) in columns.iter().zip(record) {
        if cell.is_empty() {
            continue;
        }
        let mut number = || -> Option<u32> {
            let number = cell.parse().ok();
            if number.is_none() {
                wrong.push(FieldError::in_body(format!("{at}/{column}"), "must be a number"));
            }
            number
        };
        let text = || Some(cell.to_owned());
        match *column {
            "email" => body.email = text(),
            "email_domain" => body.email_domain = text(),
            "role" => body.role = text(),
            "division" => body.division = text(),
            "expires_at" => body.expires_at = text(),
            "expires_in_days" => body.expires_in_days = number(),
            "max_uses" => body.max_uses = number(),
            _ => {
                body.metadata = serde_json::from_str(cell).ok();
                if body.metadata.is_none() {
                    let pointer = format!("{at}/{column}");
                    wrong.push(FieldError::in_body(pointer, "must be a JSON object"));
                }
            }
        }
    }
    match body.read(&at) {
        Ok(draft) if wrong.is_empty() => Ok(draft),
        Ok(_) => Err(wrong),
        Err(more) => Err([wrong, more].concat()),
    }
}

/// A cell that no spreadsheet takes for a formula: one that begins with what could be the
/// beginning of one, be it behind white space or control characters, gets an apostrophe
/// in front (OWASP ASVS 5.0, 1.2.10).
pub(crate) fn harmless(cell: &str) -> Cow<'_, str> {
    let skipped = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let dangerous = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let begins = cell.trim_start_matches(skipped).starts_with(dangerous);
    if begins || cell.starts_with(char::is_control) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_made_harmless() {
        for cell in ["=1", "+1", "-1", "@a", "\t=1", " =1", "\u{a0}+1", "\0a", "\ra", "\ta", "＝1"]
        {
            assert_eq!(harmless(cell), format!("'{cell}"), "{cell:?}");
        }
        for cell in ["", "anna", "a=1", "1-2", "'=1"] {
            assert_eq!(harmless(cell), cell);
        }
    }

    #[test]
    fn rows_are_read_each_for_itself() {
        let rows = of_csv(b"email,max_uses\nanna@example.com,\nben,x\nc@example.com\n", 3).unwrap();
        assert!(rows[0].is_ok());
        let pointers = |row: &Row| -> Vec<String> {
            row.as_ref().unwrap_err().iter().map(|error| error.pointer.clone()).collect()
        };
        assert_eq!(pointers(&rows[1]), ["/1/max_uses", "/1/email"]);
        assert_eq!(pointers(&rows[2]), ["/2"]);
    }

    #[test]
    fn there_are_some_but_not_too_many() {
        for csv in ["", "email\n", "role\nstaff\nstaff\nstaff\n"] {
            assert_eq!(of_csv(csv.as_bytes(), 2).unwrap_err().kind(), ProblemKind::Invalid);
        }
        assert!(of_csv("\u{feff}role\r\nstaff\r\nstaff".as_bytes(), 2).is_ok());
        assert_eq!(of_csv(b"role\n\xff", 2).unwrap_err().kind(), ProblemKind::Malformed);
        for csv in ["role,role\na,b", "rolle\na", "anna@example.com\n"] {
            assert_eq!(of_csv(csv.as_bytes(), 2).unwrap_err().kind(), ProblemKind::Invalid);
        }
    }
}
