//! Splitting a text into terms.

use crate::{
    email::{Email, EmailKey},
    unicode,
};

/// The first character of a term that is a whole address. No run of letters and digits
/// begins with it, so a search by prefix never scans whole addresses.
const ADDRESS: char = '@';

/// Returns the terms of a stored text, each once, with the term of its address if it is
/// one.
pub(super) fn stored(text: &str, address: Option<&EmailKey>) -> Vec<String> {
    let mut terms = split(text);
    terms.extend(address.map(whole_address));
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Returns the runs of letters, digits and marks of a text, in the form in which it is
/// searched.
pub(super) fn split(text: &str) -> Vec<String> {
    unicode::search_form(text)
        .split(|c| !unicode::is_letter_or_digit(c) && !unicode::is_mark(c))
        // A mark without a letter is the remainder of a stand-alone accent.
        .map(|term| term.trim_start_matches(|c| !unicode::is_letter_or_digit(c)))
        .filter(|term| !term.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns the comparison form of a text that is an e-mail address.
pub(super) fn address(text: &str) -> Option<EmailKey> {
    // Most names are no address, so the cheap test comes first.
    text.contains('@').then(|| Email::parse(text.trim()).ok())?.map(|email| email.key().clone())
}

/// Returns the term of a whole address.
pub(super) fn whole_address(key: &EmailKey) -> String {
    format!("{ADDRESS}{}", key.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        search::Search,
        text::{Division, Username},
    };

    #[test]
    fn splits_at_everything_that_is_not_a_letter_or_digit() {
        assert_eq!(split("Anna.Lind+hr@Example.com"), ["anna", "lind", "hr", "example", "com"]);
        assert_eq!(split("  _-@ "), [""; 0]);
        assert_eq!(split("E\u{301}cole"), split("\u{c9}COLE"));
        assert_eq!(split("हिन्दी"), ["हिन्दी"]);
        assert_eq!(split("o\u{b4}neil \u{301}a"), ["o", "neil", "a"]);
        assert_eq!(split("ab\u{ad}c d\u{200b}e"), ["abc", "de"]);
        assert_eq!(split("½-7"), ["1", "2", "7"]);
    }

    #[test]
    fn each_term_is_stored_once() {
        let key = address("anna@anna.com");
        assert_eq!(stored("anna@anna.com", key.as_ref()), ["@anna@anna.com", "anna", "com"]);
    }

    /// At most six times the bytes, as for U+3316; for a name, that is within the bound.
    #[test]
    fn no_term_is_longer_than_a_column() {
        let longest = |text: &str| split(text).iter().map(String::len).max().unwrap_or(0);
        for c in '\u{80}'..=char::MAX {
            let term = longest(c.encode_utf8(&mut [0; 4]));
            assert!(term <= 6 * c.len_utf8(), "U+{:04X}", u32::from(c));
        }
        assert_eq!(longest(&"\u{3316}".repeat(42)), 756);
        const {
            assert!(6 * Username::MAX_BYTES <= Search::MAX_TERM_BYTES);
            assert!(Division::MAX_BYTES < Username::MAX_BYTES);
        }
    }
}
