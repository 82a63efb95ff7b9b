//! What a host's text has to satisfy.

use crate::{
    invalid::Invalid,
    unicode::{self, Flaw},
};

/// The most bytes of a text that is looked at, for each byte that is kept: composing takes
/// up to three, and longer input is refused unread.
const UNCOMPOSED: usize = 3;

/// Checks what every text of a host has to satisfy: it survives a log line and shows itself.
pub(super) fn check(field: &'static str, max: usize, text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new(field, "must not be empty"));
    }
    if text.len() > max {
        return Err(too_long(field, max));
    }
    for (position, (at, c)) in (1..).zip(text.char_indices()) {
        if let Some(flaw) = unicode::hidden(c)
            && !unicode::joins(text, at)
        {
            return Err(contains(field, flaw, position));
        }
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(Invalid::new(field, "must not begin or end with white space"));
    }
    Ok(())
}

/// Checks a text that people read, and returns the form that is kept: NFC, with U+0020 for
/// every kind of space.
pub(super) fn readable(field: &'static str, max: usize, text: &str) -> Result<String, Invalid> {
    check(field, max.saturating_mul(UNCOMPOSED), text)?;
    let mut before = None;
    for (position, c) in (1..).zip(text.chars()) {
        if unicode::is_unassigned(c) {
            return Err(contains(field, Flaw::Unassigned, position));
        }
        if unicode::is_space(c) && before.is_some_and(unicode::is_space) {
            let message = format!("must not contain two spaces in a row (position {position})");
            return Err(Invalid::new(field, message));
        }
        before = Some(c);
    }
    // It would join the last letter of whatever is shown before it.
    if text.starts_with(unicode::is_mark) {
        return Err(Invalid::new(field, "must not begin with a combining mark"));
    }
    let kept: String =
        unicode::nfc(text).chars().map(|c| if unicode::is_space(c) { ' ' } else { c }).collect();
    if kept.len() > max { Err(too_long(field, max)) } else { Ok(kept) }
}

fn too_long(field: &'static str, max: usize) -> Invalid {
    Invalid::new(field, format!("must not be longer than {max} bytes"))
}

/// `position` counts characters from 1.
fn contains(field: &'static str, flaw: Flaw, position: usize) -> Invalid {
    let what = flaw.describe();
    Invalid::new(field, format!("must not contain {what} (position {position})"))
}
