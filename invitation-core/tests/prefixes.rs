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

/// The prefix was changed, extended, shortened or removed, and codes with the former one are in
/// mailboxes.
#[test]
fn code_with_a_former_prefix_is_read_and_no_other_one_is() {
    let format = |prefix: Option<&str>| match prefix {
        Some(prefix) => CodeFormat::default().with_prefix(prefix).expect("a prefix"),
        None => CodeFormat::default(),
    };
    let entropy = SeededEntropy::new(11);
    for (former, present) in [
        ("ACME", Some("NOVA")),
        ("ACME", None),
        ("ULI", None),
        ("AC", Some("ACME")),
        ("ACME", Some("AC")),
        ("7", Some("7KQ2")),
        ("7KQ2", Some("7")),
    ] {
        let (old, changed) = (format(Some(former)), format(present));
        let both =
            changed.clone().with_former_prefix("OTHER").and_then(|f| f.with_former_prefix(former));
        let both = both.expect("a format");
        for _ in 0..200 {
            let code = old.generate(&entropy).expect("it is seeded");
            let shown = code.reveal().to_string();
            let link = format!("https://host.example/register#{shown}");
            for text in [&shown, &shown.to_lowercase(), &shown.replace('-', ""), &link] {
                let read = both.parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!(read, code, "{former} {present:?}: {text}");
            }
            // A search for the first groups, which a newcomer reads from an old mail.
            let groups = shown.split('-').take(3).collect::<Vec<_>>().join("-");
            assert!(both.spells(&groups, &code), "{former} {present:?}: {groups}");
            // Present codes are read as before, with and without their prefix.
            let code = changed.generate(&entropy).expect("it is seeded");
            let shown = code.reveal().to_string();
            let bare = shown.replace('-', "").split_off(present.map_or(0, str::len));
            for text in [&shown, &shown.to_lowercase(), &shown.replace('-', " "), &bare] {
                assert_eq!(both.parse(text).as_ref(), Ok(&code), "{former} {present:?}: {text}");
            }
        }
        let code = format(Some("ZZZ")).generate(&entropy).expect("it is seeded");
        assert!(both.parse(&code.reveal()).is_err(), "a prefix that was never in use");
    }
}

/// Without a present prefix, a code cannot be typed with one: its first symbols are its own.
#[test]
fn code_that_begins_with_a_former_prefix_is_read() {
    let format = CodeFormat::default().with_former_prefix("7").expect("a format");
    let entropy = SeededEntropy::new(12);
    let mut found = 0;
    for _ in 0..1_000 {
        let code = format.generate(&entropy).expect("it is seeded");
        let shown = code.reveal().to_string();
        found += usize::from(shown.starts_with('7'));
        assert_eq!(format.parse(&shown).as_ref(), Ok(&code));
        assert_eq!(format.parse(&shown.replacen('7', "7-", 1)).as_ref(), Ok(&code));
    }
    assert!(found > 10);
}

#[test]
fn former_prefixes_are_bounded_and_checked() {
    let mut format = CodeFormat::default();
    for n in 0..8 {
        format = format.with_former_prefix(&format!("A{n}")).expect("one of eight");
    }
    assert!(format.with_former_prefix("B").is_err(), "the ninth");
    for wrong in ["", "acme", "A-B", "ABCDEFGHIJKLM"] {
        assert!(CodeFormat::default().with_former_prefix(wrong).is_err(), "{wrong:?}");
    }
}
