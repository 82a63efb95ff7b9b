//! The columns of a CSV file: the field that each stands for, and its spelling in the
//! file.

use std::borrow::Cow;

use super::{ColumnMistake, DraftFields, FileError, records::Record};

/// The longest part of a column name that a message repeats, in characters. A file without a header
/// has data of its first row here.
const MAX_NAME: usize = 64;

/// The columns of a CSV file, in their order.
#[derive(Clone, Debug)]
pub struct Columns(Vec<Column>);

#[derive(Clone, Debug)]
struct Column {
    field: &'static str,
    spelling: String,
}

/// Returns the field that a column name stands for. Case, `-`, `_` and spaces do not
/// matter.
pub(super) fn field(name: &str) -> Option<&'static str> {
    let plain: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Some(match plain.as_str() {
        "email" | "emailaddress" | "mail" | "mailaddress" | "address" => "email",
        "emaildomain" | "maildomain" | "domain" => "email_domain",
        "role" => "role",
        "division" | "department" => "division",
        "expiresat" | "expires" | "expiry" | "expirydate" => "expires_at",
        "expiresindays" | "expiryindays" | "days" => "expires_in_days",
        "maxuses" | "maximumuses" | "uses" => "max_uses",
        "metadata" => "metadata",
        _ => return None,
    })
}

impl Columns {
    /// Reads the line that names the columns. Trailing separators are ignored.
    pub(super) fn of(header: &Record<'_>) -> Result<Self, FileError> {
        let line = header.line;
        if let Some(fault) = header.fault {
            return Err(FileError::malformed(format!("line {line}: {fault}")));
        }
        let (mut columns, mut wrong) = (Vec::<Column>::new(), Vec::new());
        for (n, name) in named(&header.cells).iter().enumerate() {
            let name: String = name.chars().take(MAX_NAME).collect();
            let mut refuse = |message: String| {
                let message = format!("line {line}, {name}: {message}");
                wrong.push(ColumnMistake { column: name.clone(), message });
            };
            match field(&name) {
                _ if name.is_empty() => {
                    let message = format!("line {line}: column {} has no name", n + 1);
                    wrong.push(ColumnMistake { column: String::new(), message });
                }
                None => refuse(format!(
                    "is no column; the columns are {}",
                    DraftFields::NAMES.join(", ")
                )),
                Some(field) => match columns.iter().find(|column| column.field == field) {
                    Some(first) if first.spelling == name => refuse("is named twice".to_owned()),
                    Some(first) => refuse(format!("means the same column as {}", first.spelling)),
                    None => columns.push(Column { field, spelling: name }),
                },
            }
            if wrong.len() == DraftFields::NAMES.len() {
                break;
            }
        }
        if wrong.is_empty() { Ok(Self(columns)) } else { Err(FileError::Columns(wrong)) }
    }

    /// Returns the file's spelling of a field, or the field's own name if the file has no
    /// such column.
    #[must_use]
    pub fn spelling<'c>(&'c self, field: &'c str) -> &'c str {
        self.0.iter().find(|column| column.field == field).map_or(field, |column| &column.spelling)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|column| column.field == field)
    }

    /// Pairs the cells of a row with their fields. Returns an error unless there are as
    /// many cells as columns. Empty cells after the last column do not count.
    pub(super) fn cells<'r, 't>(
        &self,
        cells: &'r [Cow<'t, str>],
    ) -> Result<impl Iterator<Item = (&'static str, &'r Cow<'t, str>)>, String> {
        let (given, expected) = (cells.len().min(self.0.len()), self.0.len());
        let is_surplus = named(cells).len() > expected;
        if given < expected || is_surplus {
            let number = if is_surplus { cells.len() } else { given };
            return Err(format!("has {number} cells where there are {expected} columns"));
        }
        Ok(self.0.iter().map(|column| column.field).zip(cells))
    }
}

/// Returns the cells up to the last non-empty one.
fn named<'r, 't>(cells: &'r [Cow<'t, str>]) -> &'r [Cow<'t, str>] {
    let end = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    &cells[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_spelling() {
        for (name, expected) in [
            ("email", "email"),
            ("E-Mail", "email"),
            ("EMAIL ADDRESS", "email"),
            ("mail", "email"),
            ("Address", "email"),
            ("Domain", "email_domain"),
            ("E-mail domain", "email_domain"),
            ("ROLE", "role"),
            ("Department", "division"),
            ("Expires", "expires_at"),
            ("expires at", "expires_at"),
            ("Expires in (days)", "expires_in_days"),
            ("Days", "expires_in_days"),
            ("Max. uses", "max_uses"),
            ("Uses", "max_uses"),
            ("metadata", "metadata"),
        ] {
            assert_eq!(field(name), Some(expected), "{name}");
        }
        for unknown in ["", "e", "emails", "e-mail 2", "name", "status", "used by", "division id"] {
            assert_eq!(field(unknown), None, "{unknown}");
        }
        for field_name in DraftFields::NAMES {
            assert_eq!(field(field_name), Some(field_name));
        }
    }
}
