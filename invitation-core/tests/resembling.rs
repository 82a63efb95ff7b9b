//! Texts that may contain a code, and texts that may be written into a URL.

#[path = "support/seeded.rs"]
mod seeded;

use invitation_core::CodeFormat;
use proptest::{collection::vec, prelude::*};
use seeded::SeededEntropy;

/// Returns codes as people paste them: in groups, without separators, in lower case, in full-width
/// letters, and in a link.
fn written() -> impl Strategy<Value = String> {
    (any::<u64>(), 0..6_u8).prop_map(|(seed, way)| {
        let code = CodeFormat::default().generate(&SeededEntropy::new(seed)).expect("it is seeded");
        let text = code.reveal();
        let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).expect("a full-width character");
        match way {
            0 => text.to_string(),
            1 => text.replace('-', " "),
            2 => text.replace('-', ""),
            3 => text.to_lowercase(),
            4 => text.chars().map(wide).collect(),
            _ => format!("https://example.com/register#{}", *text),
        }
    })
}

/// Returns words. None has the length of a group: two such words may be two groups of a code.
fn word() -> impl Strategy<Value = String> {
    "[A-Za-zäöüéß]{1,3}|[A-Za-zäöüéß]{5,11}"
}

/// Returns addresses and ids, as they stand in a list.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{2,9}[.+_-]?[a-z0-9]{1,7}@[a-z]{3,9}\\.(com|example\\.org)",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ]
}

fn ordinary() -> impl Strategy<Value = String> {
    prop_oneof![word(), name()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_text_with_a_code_resembles_one(
        before in vec(ordinary(), 0..3),
        code in written(),
        after in vec(ordinary(), 0..3),
        separator in "[ ,;|\t\n]|: | - ",
    ) {
        let parts: Vec<_> = before.into_iter().chain([code]).chain(after).collect();
        let text = parts.join(&separator);
        prop_assert!(CodeFormat::default().resembles(&text), "{text}");
    }

    #[test]
    fn words_addresses_and_ids_resemble_no_code(
        words in vec(word(), 0..4),
        names in vec(name(), 0..3),
    ) {
        let format = CodeFormat::default();
        // So many letters may be a code that was typed without its groups.
        let letters: usize = words.iter().map(|word| word.chars().count()).sum();
        prop_assume!(letters != format.symbols());
        for order in [[&*words, &*names], [&*names, &*words]] {
            let text = order.concat().join(" ");
            prop_assert!(!format.resembles(&text), "{text}");
        }
    }
}
