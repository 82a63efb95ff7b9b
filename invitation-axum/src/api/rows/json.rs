//! Reads the rows of an import from a JSON array.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use invitation_core::{
    ImportRow,
    import::file::{DraftFields, decode},
};

use super::{Note, ParsedRows, Row, Source, Unread, too_many};
use crate::{
    api::draft::draft,
    body::{field_error, is_about_a_value, pointer, refused},
    objects::Objects,
    problem::{Problem, ProblemKind},
};

/// Reads the rows of a JSON array, each on its own. The file is decoded as a CSV file is: programs
/// write a byte order mark in front of either.
///
/// An element is found as a slice of the body and read straight into a draft. A tree of
/// JSON values would take ten to a hundred times the memory of its text.
pub(crate) fn of_json(bytes: &[u8], max: usize) -> Result<ParsedRows, Problem> {
    let text = decode(bytes)?;
    let mut json = serde_json::Deserializer::from_str(&text);
    let rows = Elements { max }
        .deserialize(&mut json)
        .and_then(|rows| json.end().map(|()| rows))
        .map_err(|error| refused(&error, String::new()))??;
    if rows.rows.is_empty() { Err(too_many(max)) } else { Ok(rows) }
}

/// An array of at most `max` elements.
struct Elements {
    max: usize,
}

impl<'de> DeserializeSeed<'de> for Elements {
    type Value = Result<ParsedRows, Problem>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements {
    type Value = Result<ParsedRows, Problem>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let (mut rows, mut expects_addresses) = (Vec::new(), false);
        while let Some(element) = elements.next_element::<&RawValue>()? {
            let read = if rows.len() < self.max {
                row(rows.len(), element.get(), &mut expects_addresses)
            } else {
                Err(too_many(self.max))
            };
            match read {
                Ok(row) => rows.push(row),
                Err(problem) => {
                    // Scans the rest without storing it: a syntax error further on takes precedence
                    // over this problem.
                    while elements.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(Err(problem));
                }
            }
        }
        Ok(Ok(ParsedRows { source: Source::Json, rows, expects_addresses }))
    }
}

/// Reads element `n`, and sets `has_address` if it has an address. A syntax error inside an element
/// makes the whole body malformed.
fn row(n: usize, element: &str, has_address: &mut bool) -> Result<Row, Problem> {
    let mut json = serde_json::Deserializer::from_str(element);
    let draft = match serde_path_to_error::deserialize::<_, DraftFields>(Objects(&mut json)) {
        Ok(fields) => {
            *has_address |= fields.email.is_some();
            draft(fields, &format!("/{n}"))
        }
        Err(error) if is_about_a_value(error.inner()) => {
            let pointer = format!("/{n}{}", pointer(error.path()));
            Err(vec![field_error(error.inner(), pointer)])
        }
        Err(_) => {
            return Err(Problem::new(ProblemKind::Malformed)
                .with_detail(format!("the body is no JSON, in element {n}")));
        }
    };
    let unread = |errors: Vec<_>| {
        let notes = errors.into_iter().map(Note::of_json).collect();
        Unread { notes, row: ImportRow::unreadable(element) }
    };
    Ok(Row { line: n + 1, draft: draft.map_err(unread) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_read_by_itself() {
        let pointers = |row: &Row| -> Vec<String> {
            let notes = &row.draft.as_ref().unwrap_err().notes;
            notes.iter().map(|note| note.error.pointer.clone()).collect()
        };
        let rows = of_json(
            br#"[{}, {"email": 1}, 5, {"who": 1}, [null,null,null,null,null,null,null,null],
                {"max_uses": 1e999}]"#,
            6,
        )
        .unwrap()
        .rows;
        assert!(rows[0].draft.is_ok());
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(pointers(&rows[1]), ["/1/email"]);
        assert_eq!(pointers(&rows[2]), ["/2"]);
        assert_eq!(pointers(&rows[3]), ["/3/who"]);
        assert_eq!(pointers(&rows[4]), ["/4"]);
        assert_eq!(pointers(&rows[5]), ["/5/max_uses"]);
    }

    #[test]
    fn an_empty_or_too_long_array_is_invalid() {
        for json in ["[]", "[{},{},{}]", "{}"] {
            assert_eq!(of_json(json.as_bytes(), 2).unwrap_err().kind(), ProblemKind::Invalid);
        }
        assert!(of_json(b"[{},{}]", 2).is_ok());
    }

    #[test]
    fn broken_json_is_malformed_wherever_it_breaks() {
        let deep = "[".repeat(100_000);
        for json in [
            "",
            "[{}",
            "[{}]{}",
            "[{},{},{}, oh",
            "[{\"role\":\"\\ud800\"}]",
            "[{},{\"role\":\"\u{0}\"}]",
            "[{}, \"\\x\"]",
            &deep,
        ] {
            let kind = of_json(json.as_bytes(), 2).unwrap_err().kind();
            assert_eq!(kind, ProblemKind::Malformed, "{json:.30}");
        }
        assert_eq!(of_json(b"[\"\xff\"]", 2).unwrap_err().kind(), ProblemKind::Malformed);
    }

    #[test]
    fn what_is_said_of_long_input_is_short() {
        let long = "x".repeat(100_000);
        for json in [
            format!("[{{\"{long}\": 1}}]"),
            format!("[{{\"max_uses\": \"{long}\"}}]"),
            format!("[{{\"role\": \"{long}\"}}]"),
        ] {
            let rows = of_json(json.as_bytes(), 2).unwrap();
            let error = &rows.rows[0].draft.as_ref().unwrap_err().notes[0].error;
            assert!(error.pointer.len() + error.message.len() < 1_000, "{error:.50?}");
        }
    }
}
