//! Codes whose format has a prefix.

#[path = "support/seeded.rs"]
mod seeded;

use invitation_core::{CodeFormat, ParseCodeError};
use seeded::SeededEntropy;

#[test]
fn the_prefix_is_shown_and_may_be_left_out() {
    // One prefix has letters that occur in no code, the others consist of symbols of
    // codes only. Two have look-alikes.
    for prefix in ["ULI", "ACME", "7", "P10", "OIL"] {
        let format = CodeFormat::new(16).and_then(|f| f.with_prefix(prefix)).expect("a format");
        let entropy = SeededEntropy::new(7);
        for _ in 0..200 {
            let code = format.generate(&entropy).expect("it is seeded");
            let shown = code.reveal().to_string();
            let bare = shown.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
            let bare = bare.expect("prefix and hyphen come first");
            let typed = [
                shown.clone(),
                shown.to_lowercase(),
                shown.replace('-', ""),
                shown.replace('0', "O").replace('1', "I"),
                shown.replace('O', "0").replace('I', "1"),
                shown.to_lowercase().replace('0', "o").replace('1', "l"),
                shown.replace('0', "o").replace('1', "l").replace('-', " "),
                bare.to_owned(),
            ];
            for text in &typed {
                assert_eq!(format.parse(text).as_ref(), Ok(&code), "{text}");
            }
        }
    }
}

/// Half of these prefixes have the length of a group, so a code that lost its last group has the
/// right number of symbols together with the prefix.
#[test]
fn code_without_its_last_symbols_is_too_short_whatever_its_prefix() {
    for (prefix, group) in [("ACME", 4), ("7KQ", 3), ("P10", 3), ("7", 4), ("ACMECORP", 8)] {
        let format = CodeFormat::default().with_groups_of(group);
        let format = format.and_then(|format| format.with_prefix(prefix)).expect("a format");
        let entropy = SeededEntropy::new(10);
        for _ in 0..200 {
            let shown = format.generate(&entropy).expect("it is seeded").reveal().to_string();
            for lost in [prefix.len(), usize::from(group), 1] {
                let mut short = shown.clone();
                for _ in 0..lost {
                    short.pop();
                    short.truncate(short.trim_end_matches('-').len());
                }
                let expected = ParseCodeError::Length { expected: 24, found: 24 - lost };
                assert_eq!(format.parse(&short), Err(expected), "{short}");
            }
        }
        let expected = ParseCodeError::Length { expected: 24, found: 0 };
        assert_eq!(format.parse(&format!("{prefix}-")), Err(expected), "the prefix alone");
    }
}
