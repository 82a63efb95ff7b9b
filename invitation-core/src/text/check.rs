//! Checks of text that comes from a host.

use crate::{
    field_error::FieldError,
    unicode::{self, Flaw},
};

/// The maximum number of input bytes for each byte of the stored form. Composing takes up
/// to three bytes per stored byte, and longer input is refused without reading it.
const UNCOMPOSED: usize = 3;

/// Checks the rules for every text of a host: one visible line, without hidden
/// characters.
pub(super) fn check(field: &'static str, max: usize, text: &str) -> Result<(), FieldError> {
    if text.is_empty() {
        return Err(FieldError::new(field, "must not be empty"));
    }
    if text.len() > max {
        return Err(too_long(field, max));
    }
    for (position, (at, c)) in (1..).zip(text.char_indices()) {
        if let Some(flaw) = unicode::hidden(c)
            && !unicode::joins(text, at)
        {
            return Err(FieldError::new(field, flaw.message(position)));
        }
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(FieldError::new(field, "must not begin or end with white space"));
    }
    Ok(())
}

/// Checks a text that people read, and returns the form that is stored: NFC, with U+0020
/// for every kind of space.
pub(super) fn readable(field: &'static str, max: usize, text: &str) -> Result<String, FieldError> {
    check(field, max.saturating_mul(UNCOMPOSED), text)?;
    let mut before = None;
    for (position, c) in (1..).zip(text.chars()) {
        if unicode::is_unassigned(c) {
            return Err(FieldError::new(field, Flaw::Unassigned.message(position)));
        }
        if unicode::is_space(c) && before.is_some_and(unicode::is_space) {
            let message = format!("must not contain two spaces in a row (position {position})");
            return Err(FieldError::new(field, message));
        }
        before = Some(c);
    }
    // A leading combining mark would combine with the last letter of any text shown
    // before it.
    if text.starts_with(unicode::is_mark) {
        return Err(FieldError::new(field, "must not begin with a combining mark"));
    }
    let kept: String =
        unicode::nfc(text).chars().map(|c| if unicode::is_space(c) { ' ' } else { c }).collect();
    if kept.len() > max { Err(too_long(field, max)) } else { Ok(kept) }
}

fn too_long(field: &'static str, max: usize) -> FieldError {
    FieldError::new(field, format!("must not be longer than {max} bytes"))
}
