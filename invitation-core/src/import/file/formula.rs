//! Cells that no spreadsheet takes for a formula (OWASP ASVS 5.0, 1.2.10).
//!
//! A spreadsheet may split a line at another separator than the file's. Each part of a cell that
//! could become a cell of its own is therefore checked.

use std::borrow::Cow;

/// The characters that a formula begins with, in half width and full width.
const BEGINNINGS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Those that stand between words, too, as in *Anna - Sales*.
const SIGNS: [char; 4] = ['+', '-', '＋', '－'];

/// The characters at which a spreadsheet may split a line.
const SEPARATORS: [char; 8] = [';', ',', '\t', '|', '\n', '\r', '"', ' '];

/// What stands in front of a part of a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    Space,
    OtherSeparator,
}

/// A cell whose parts are checked in their order.
struct Parts<'c> {
    cell: &'c str,
    /// The end of the latest run of characters that a spreadsheet ignores. Each run is passed over
    /// once: a cell of separators and apostrophes would take quadratic time otherwise.
    shown: usize,
}

impl<'c> Parts<'c> {
    fn of(cell: &'c str) -> Self {
        Self { cell, shown: 0 }
    }

    /// Returns the part at this position without the characters that a spreadsheet ignores. The
    /// positions of the calls must grow.
    fn shown_from(&mut self, at: usize) -> &'c str {
        let is_ignored = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '\'' | '"' | '\u{feff}' | '\u{200b}')
        };
        if at >= self.shown {
            self.shown = self.cell.len() - self.cell[at..].trim_start_matches(is_ignored).len();
        }
        &self.cell[self.shown..]
    }

    /// Returns whether a spreadsheet could take the part at this position for a formula. At the
    /// beginning of the cell a control character counts as harmful, too.
    fn is_harmful(&mut self, at: usize, behind: Behind) -> bool {
        let shown = self.shown_from(at);
        match behind {
            Behind::Space if shown.starts_with(SIGNS) => {
                // A sign that stands alone is no formula.
                shown.chars().nth(1).is_some_and(|next| !SEPARATORS.contains(&next))
            }
            Behind::Space | Behind::OtherSeparator => shown.starts_with(BEGINNINGS),
            Behind::Nothing => {
                let is_quote = ['\'', '"'];
                shown.starts_with(BEGINNINGS)
                    || self.cell[at..].trim_start_matches(is_quote).starts_with(char::is_control)
            }
        }
    }
}

/// Returns the positions at which a cell could begin.
fn beginnings(cell: &str) -> impl Iterator<Item = (usize, Behind)> {
    let parts = cell.match_indices(SEPARATORS).map(|(at, separator)| {
        let behind = if separator == " " { Behind::Space } else { Behind::OtherSeparator };
        (at + separator.len(), behind)
    });
    std::iter::once((0, Behind::Nothing)).chain(parts)
}

/// Returns the cell with an apostrophe in front of each part that could be taken for a formula, or
/// that begins with a control character.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::import::file::harmless;
///
/// assert_eq!(harmless("=1+1"), "'=1+1");
/// assert_eq!(harmless("anna =1+1"), "anna '=1+1");
/// assert_eq!(harmless("anna@example.com"), "anna@example.com");
/// ```
#[must_use]
pub fn harmless(cell: &str) -> Cow<'_, str> {
    let mut parts = Parts::of(cell);
    let is_harmful = |(at, behind): &(usize, Behind)| parts.is_harmful(*at, *behind);
    let mut harmful = beginnings(cell).filter(is_harmful).peekable();
    if harmful.peek().is_none() {
        return Cow::Borrowed(cell);
    }
    let (mut written, mut done) = (String::with_capacity(cell.len() + 2), 0);
    for (at, _) in harmful {
        written.push_str(&cell[done..at]);
        written.push('\'');
        done = at;
    }
    written.push_str(&cell[done..]);
    Cow::Owned(written)
}

/// Returns the cell without the apostrophes that [`harmless`] adds, so that an export can be
/// imported. It also removes an apostrophe that a person typed in front of a possible formula.
pub(super) fn plain(cell: &str) -> Cow<'_, str> {
    let mut parts = Parts::of(cell);
    let is_added = |(at, behind): &(usize, Behind)| {
        cell[*at..].starts_with('\'') && parts.is_harmful(at + 1, *behind)
    };
    let mut added = beginnings(cell).filter(is_added).peekable();
    if added.peek().is_none() {
        return Cow::Borrowed(cell);
    }
    let (mut read, mut done) = (String::with_capacity(cell.len()), 0);
    for (at, _) in added {
        read.push_str(&cell[done..at]);
        done = at + 1;
    }
    read.push_str(&cell[done..]);
    Cow::Owned(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_cell_begins_a_formula() {
        for cell in [
            "=1",
            "+1",
            "-1",
            "@a",
            "\t=1",
            " =1",
            "\u{a0}+1",
            "\0a",
            "\ra",
            "\ta",
            "＝1",
            "'=1",
            "\"=1",
            "\u{feff}=1",
            "'\" +1",
        ] {
            assert!(harmless(cell).starts_with('\''), "{cell:?}");
        }
        for (cell, expected) in [
            ("x;=1+1", "x;'=1+1"),
            ("x\t=1", "x\t'=1"),
            ("a,\"=cmd", "a,'\"'=cmd"),
            ("a|b; +1;@c", "a|b;' '+1;'@c"),
            ("=1;=2", "'=1;'=2"),
            ("a\n-1", "a\n'-1"),
            ("a;'＝1", "a;''＝1"),
            ("anna =HYPERLINK(\"x\")", "anna '=HYPERLINK(\"x\")"),
            ("anna  @b", "anna ' '@b"),
            ("anna ＝1 '=2", "anna '＝1 ''=2"),
            ("anna +1+cmd|'/C calc'!A0", "anna '+1+cmd|'/C calc'!A0"),
            ("a b -1", "a b '-1"),
            ("a +\u{a0}b", "a '+\u{a0}b"),
        ] {
            assert_eq!(harmless(cell), expected);
        }
        for cell in [
            "",
            "anna",
            "a=1",
            "1-2",
            "a; b",
            "Anna - Sales",
            "a + b",
            "a -",
            "anna@example.com",
            "'anna",
            "a'b",
        ] {
            assert_eq!(harmless(cell), cell);
        }
    }

    #[test]
    fn what_was_made_harmless_is_read_back() {
        // All texts of up to five of these characters.
        let alphabet = ['a', '=', '-', '\'', '"', ';', ' ', '\t'];
        let mut texts = vec![String::new()];
        let mut from = 0;
        for _ in 0..5 {
            let end = texts.len();
            for n in from..end {
                texts.extend(alphabet.map(|c| format!("{}{c}", texts[n])));
            }
            from = end;
        }
        for text in texts {
            let written = harmless(&text);
            let has_formula = |text: &str| {
                let is_formula = |part: &str| {
                    part.starts_with(['=', '＝', '@']) || part.starts_with('-') && part.len() > 1
                };
                let parts = text.split(|c| SEPARATORS.contains(&c) && c != ' ');
                text.split(SEPARATORS).any(is_formula)
                    || parts.map(str::trim_start).any(|part| part.starts_with(BEGINNINGS))
            };
            assert!(!has_formula(&written), "{text:?} as {written:?}");
            assert_eq!(plain(&written), text, "as {written:?}");
        }
    }

    #[test]
    fn a_run_of_ignored_characters_is_passed_over_once() {
        // Larger than a record of a file may be. Quadratic time would take minutes.
        for run in ["' ", "'\t", "';", "\"\u{feff} "] {
            let cell = run.repeat(1 << 16);
            assert_eq!(plain(&harmless(&cell)), cell);
        }
    }
}
