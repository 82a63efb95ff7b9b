//! Unicode properties and normal forms of text.
//!
//! All text that a person types or pastes is checked by these functions. They read the
//! tables of ICU4X (Unicode 16 or later), so no other module lists characters.

use std::{borrow::Cow, iter};

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        Alphabetic, BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint,
        GeneralCategory, GeneralCategoryGroup, JoiningType,
    },
};

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// The characters whose glyphs are empty although their Unicode properties are those of visible
/// letters and symbols: the blank braille cell, the object replacement character, the two blanks
/// of Egyptian hieroglyphs, and the musical null notehead. They take up space, as a blank does.
const BLANKS: [char; 5] = ['\u{2800}', '\u{fffc}', '\u{13441}', '\u{13442}', '\u{1d159}'];

/// The filler of the Khitan small script: a mark without a glyph. Unicode does not list it among
/// the characters that are ignored.
const KHITAN_FILLER: char = '\u{16fe4}';

/// The reason why text that people read may not contain a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    Control,
    LineSeparator,
    Direction,
    Invisible,
    Unassigned,
}

impl Flaw {
    /// Returns the end of the sentence "must not contain …".
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Control => "control characters",
            Self::LineSeparator => "line separators",
            Self::Direction => "characters that change the direction of text",
            Self::Invisible => "invisible characters",
            Self::Unassigned => "characters without a meaning in Unicode",
        }
    }

    /// Returns the message about a text with this flaw at `position`, which counts characters
    /// from 1.
    pub(crate) fn message(self, position: usize) -> String {
        format!("must not contain {} (position {position})", self.describe())
    }
}

/// Returns why `c` is hidden or changes how its neighbours are displayed; none for
/// visible characters and white space.
///
/// The join controls count as invisible. [`joins`] decides where they are allowed.
pub(crate) fn hidden(c: char) -> Option<Flaw> {
    match category(c) {
        // The category includes U+0009 to U+000D and U+0085.
        GeneralCategory::Control => Some(Flaw::Control),
        GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            Some(Flaw::LineSeparator)
        }
        _ if CodePointSetData::new::<BidiControl>().contains(c) => Some(Flaw::Direction),
        GeneralCategory::Format => Some(Flaw::Invisible),
        _ if BLANKS.contains(&c) || c == KHITAN_FILLER => Some(Flaw::Invisible),
        _ => CodePointSetData::new::<DefaultIgnorableCodePoint>()
            .contains(c)
            .then_some(Flaw::Invisible),
    }
}

/// Returns whether the code point is unassigned in Unicode or reserved for private use.
pub(crate) fn is_unassigned(c: char) -> bool {
    matches!(category(c), GeneralCategory::Unassigned | GeneralCategory::PrivateUse)
}

/// Returns whether `text` has a join control at byte `at`, in a position where RFC 5892
/// (A.1, A.2) allows it: after a virama, or, for ZWNJ, between letters that would join
/// without it.
pub(crate) fn joins(text: &str, at: usize) -> bool {
    let (Some(before), Some(rest)) = (text.get(..at), text.get(at..)) else { return false };
    let mut rest = rest.chars();
    let control = rest.next();
    if !matches!(control, Some(ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER)) {
        return false;
    }
    let virama = |c| {
        CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::Virama
    };
    if before.chars().next_back().is_some_and(virama) {
        return true;
    }
    let joining = |c: &char| CodePointMapData::<JoiningType>::new().get(*c);
    let is_transparent = |c: &char| joining(c) == JoiningType::Transparent;
    let left = before.chars().rev().find(|c| !is_transparent(c));
    let right = rest.find(|c| !is_transparent(c));
    control == Some(ZERO_WIDTH_NON_JOINER)
        && left.is_some_and(|c| {
            matches!(joining(&c), JoiningType::LeftJoining | JoiningType::DualJoining)
        })
        && right.is_some_and(|c| {
            matches!(joining(&c), JoiningType::RightJoining | JoiningType::DualJoining)
        })
}

/// Returns whether `c` is a letter or a digit of any script.
pub(crate) fn is_letter_or_digit(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || !c.is_ascii()
            && !BLANKS.contains(&c)
            && (CodePointSetData::new::<Alphabetic>().contains(c)
                || GeneralCategoryGroup::Number.contains(category(c)))
}

/// Returns whether `c` is a combining mark, which belongs to the letter before it.
pub(crate) fn is_mark(c: char) -> bool {
    !c.is_ascii() && GeneralCategoryGroup::Mark.contains(category(c))
}

/// Returns whether `c` is a space: U+0020 or another space separator of Unicode.
pub(crate) fn is_space(c: char) -> bool {
    c == ' ' || !c.is_ascii() && category(c) == GeneralCategory::SpaceSeparator
}

/// Returns the text in Normalization Form C.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    NFC.normalize(text)
}

/// Returns the text in Normalization Form KC, which also replaces compatibility
/// characters, such as full-width letters.
pub(crate) fn nfkc(text: &str) -> Cow<'_, str> {
    NFKC.normalize(text)
}

/// Returns the characters of the compatibility form of `c`.
pub(crate) fn compatible(c: char) -> impl Iterator<Item = char> {
    NFKC.normalize_iter(iter::once(c))
}

/// Returns the form in which text is searched. It ignores case, compatibility form,
/// normal form and hidden characters.
pub(crate) fn search_form(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Hidden characters are dropped first, because they would keep letters from
    // composing. Two rounds are needed, because composed or folded text may fold again
    // (Unicode 3.13, D146).
    let seen = text.chars().filter(|c| !is_dropped(*c)).collect::<String>();
    let mut folded = seen;
    for _ in 0..2 {
        folded = nfkc(&CaseMapper::new().fold_string(&folded)).into_owned();
    }
    // Turkish has a dotted and a dotless i, where other languages have one letter. The
    // capital letters do not show which of them is meant.
    folded.replace("i\u{307}", "i").replace('\u{131}', "i")
}

/// Returns whether a search ignores `c`: it is hidden and does not separate words.
pub(crate) fn is_dropped(c: char) -> bool {
    matches!(hidden(c), Some(Flaw::Direction | Flaw::Invisible)) && !BLANKS.contains(&c)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_told_by_their_properties() {
        let cases = [
            ("\0\t\n\u{7f}\u{85}\u{9f}", Some(Flaw::Control)),
            ("\u{2028}\u{2029}", Some(Flaw::LineSeparator)),
            ("\u{200e}\u{200f}\u{61c}\u{202a}\u{202e}\u{2066}\u{2069}", Some(Flaw::Direction)),
            (
                "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180e}\u{200b}\u{200c}",
                Some(Flaw::Invisible),
            ),
            ("\u{200d}\u{2060}\u{2064}\u{206a}\u{2800}\u{3164}\u{fe0f}", Some(Flaw::Invisible)),
            ("\u{feff}\u{ffa0}\u{fff9}\u{1d173}\u{e0001}\u{e0041}\u{e0100}", Some(Flaw::Invisible)),
            ("\u{fffc}\u{13441}\u{13442}\u{16fe4}\u{1d159}", Some(Flaw::Invisible)),
            (" \u{a0}\u{3000}aÄ李\u{301}७°€-\u{2011}\u{fffd}🦊", None),
        ];
        for (text, expected) in cases {
            for c in text.chars() {
                assert_eq!(hidden(c), expected, "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn blanks_are_no_letters_and_separate_words() {
        for c in BLANKS {
            assert!(!is_letter_or_digit(c) && !is_dropped(c), "U+{:04X}", u32::from(c));
        }
        for c in [KHITAN_FILLER].into_iter().chain(BLANKS) {
            let is_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
            let needs_exception = !is_ignorable && category(c) != GeneralCategory::Format;
            assert!(needs_exception && !is_unassigned(c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn unassigned_and_private_code_points_are_told_from_new_characters() {
        for c in ['\u{378}', '\u{e000}', '\u{fdd0}', '\u{ffff}', '\u{10ffff}', '\u{f0000}'] {
            assert!(is_unassigned(c), "U+{:04X}", u32::from(c));
        }
        // These characters are from Unicode 13, 15 and 16.
        for c in ['a', '\u{1f978}', '\u{11f02}', '\u{10d40}', '\u{1c89}'] {
            assert!(!is_unassigned(c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn join_controls_have_a_meaning_only_in_their_contexts() {
        let cases = [
            ("क्\u{200d}ष", true),
            ("क्\u{200c}ष", true),
            ("نامه\u{200c}ای", true),
            ("می\u{200c}خواهم", true),
            ("ب\u{64e}\u{200c}\u{64e}ب", true),
            ("نامه\u{200d}ای", false),
            ("ad\u{200d}min", false),
            ("ad\u{200c}min", false),
            ("\u{200c}ب", false),
            ("ب\u{200c}", false),
            ("ا\u{200c}ب", false),
            ("👩\u{200d}💻", false),
        ];
        for (text, expected) in cases {
            let at = text.find(['\u{200c}', '\u{200d}']).expect("a join control");
            assert_eq!(joins(text, at), expected, "{text:?}");
        }
        assert!(!joins("ab", 1) && !joins("é", 1) && !joins("a", 9), "no join control");
    }

    #[test]
    fn search_form_ignores_case_form_and_hidden_characters() {
        let same: [&[&str]; 9] = [
            &["anna", "ANNA", "Ａｎｎａ", "an\u{ad}na", "\u{200e}anna"],
            &["zoë", "zoe\u{308}", "ZOË", "ZOE\u{308}"],
            &["straße", "STRASSE", "STRAẞE", "strasse"],
            &["σας", "ΣΑΣ", "σασ"],
            &["istanbul", "İstanbul", "ISTANBUL", "ıstanbul", "I\u{307}stanbul"],
            &["ﬁnn", "FINN", "finn"],
            &["ℌans", "hans"],
            &["カ", "ｶ"],
            &["한", "\u{1112}\u{1161}\u{11ab}"],
        ];
        for texts in same {
            for text in texts {
                assert_eq!(search_form(text), search_form(texts[0]), "{text:?}");
                assert_eq!(search_form(&search_form(text)), search_form(text), "{text:?}");
            }
        }
    }
}
