//! The letters and digits of a text in which a person typed or pasted a code.

use super::symbols as alphabet;
use crate::unicode;

/// A letter or digit of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Typed {
    /// The symbol that counts; for a compatibility form, the character that it stands
    /// for.
    pub(super) symbol: char,
    /// The position of its character in the whole text, counted in characters from 1.
    pub(super) position: usize,
    /// The byte index after its character in the text.
    pub(super) ends: usize,
}

/// Returns the letters and digits of the text from byte `begins` on.
///
/// Each character is folded separately. A combining mark is therefore skipped like every
/// other character that is neither letter nor digit, and never changes the letter before
/// it.
pub(super) fn symbols(text: &str, begins: usize) -> impl Iterator<Item = Typed> {
    let before = text[..begins].chars().count();
    (before + 1..)
        .zip(text[begins..].char_indices())
        .filter(|(_, (_, c))| unicode::is_letter_or_digit(*c))
        .flat_map(move |(position, (at, c))| {
            let ends = begins + at + c.len_utf8();
            // One character may expand to several, and some of these are punctuation.
            unicode::compatible(c)
                .filter(|symbol| unicode::is_letter_or_digit(*symbol))
                .map(move |symbol| Typed { symbol, position, ends })
        })
}

/// Returns where the text after the first number sign begins, and whether it is the
/// fragment of a link. `None` if it is no fragment and no text follows.
pub(super) fn fragment(text: &str) -> Option<(usize, bool)> {
    let (before, behind) = text.split_once('#')?;
    let is_link = before.contains('/');
    let is_written = behind.contains(unicode::is_letter_or_digit);
    (is_link || is_written).then_some((before.len() + 1, is_link))
}

/// Returns the value of a typed character, if it reads as a symbol.
pub(super) fn value_of(c: char) -> Option<u8> {
    u8::try_from(c).ok().and_then(alphabet::value_of)
}

/// Returns whether two typed characters are the same in either case, or read as the same symbol,
/// as O and 0 do.
pub(super) fn read_alike(a: char, b: char) -> bool {
    match (value_of(a), value_of(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.eq_ignore_ascii_case(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(char, usize)> {
        symbols(text, 0).map(|typed| (typed.symbol, typed.position)).collect()
    }

    #[test]
    fn only_letters_and_digits_count_in_the_form_that_they_stand_for() {
        for (text, expected) in [
            ("7-k", "7k"),
            ("\u{200e}\u{ad}7\u{2011}.k\u{feff}\0\n", "7k"),
            ("７Ｋ", "7K"),
            ("𝟕𝐊", "7K"),
            ("⑦Ⓚ", "7K"),
            ("7️⃣", "7"),
            ("🄺", "K"),
            ("½", "12"),
            ("É", "É"),
            ("E\u{301}", "E"),
            ("(7)[k]«»„”'", "7k"),
        ] {
            let symbols: String = read(text).into_iter().map(|(symbol, _)| symbol).collect();
            assert_eq!(symbols, expected, "{text:?}");
        }
    }

    #[test]
    fn characters_read_alike_in_either_case_and_as_look_alikes() {
        for (a, b) in [('O', '0'), ('o', 'O'), ('l', '1'), ('I', 'L'), ('k', 'K'), ('u', 'U')] {
            assert!(read_alike(a, b) && read_alike(b, a), "{a} and {b}");
        }
        for (a, b) in [('0', '1'), ('U', 'V'), ('u', '0'), ('é', 'e')] {
            assert!(!read_alike(a, b) && !read_alike(b, a), "{a} and {b}");
        }
    }

    #[test]
    fn positions_count_the_characters_of_the_whole_text() {
        assert_eq!(read("\u{200e}７-é"), [('7', 2), ('é', 4)]);
        let behind: Vec<_> =
            symbols("é#7 k", 3).map(|typed| (typed.position, typed.ends)).collect();
        assert_eq!(behind, [(3, 4), (5, 6)]);
    }

    #[test]
    fn a_fragment_is_what_follows_the_first_number_sign() {
        assert_eq!(fragment("https://example.com/register#7K"), Some((29, true)));
        assert_eq!(fragment("Code #7K"), Some((6, false)));
        assert_eq!(fragment("https://example.com/#."), Some((21, true)));
        for text in ["7K", "#", "7K#", "https://example.com/", ""] {
            assert_eq!(fragment(text), None, "{text:?}");
        }
    }
}
