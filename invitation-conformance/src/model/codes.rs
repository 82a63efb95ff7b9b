//! The ways in which people type codes, correctly and wrongly.

use invitation_core::{CodeFormat, ParseCodeError};

use super::step::{Spelling, TypingMistake};
use crate::SeededEntropy;

/// The symbols of codes.
pub(super) const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The number of symbols in a code.
const LENGTH: usize = 24;

/// Returns a code that no store has issued.
pub(super) fn stranger() -> String {
    let entropy = SeededEntropy::new(u64::MAX);
    let code = CodeFormat::default().generate(&entropy).expect("seeded entropy does not run out");
    code.reveal().to_string()
}

/// Returns the symbols of a code as it is shown.
pub(super) fn symbols(shown: &str) -> Vec<char> {
    shown.chars().filter(|&c| c != '-').collect()
}

/// Returns the code as a person types it, still readable as this code.
pub(super) fn typed(shown: &str, spelling: Spelling) -> String {
    match spelling {
        Spelling::AsShown => shown.to_owned(),
        Spelling::Lower => shown.to_lowercase(),
        Spelling::Spaced => {
            let groups: Vec<String> =
                symbols(shown).chunks(5).map(|group| group.iter().collect()).collect();
            format!(" {}  ", groups.join(" "))
        }
        Spelling::LookAlikes => shown
            .replacen('0', "o", 1)
            .replace('0', "O")
            .replacen('1', "l", 1)
            .replacen('1', "I", 1)
            .replace('1', "L"),
    }
}

/// Returns the code with a mistake, and the error that parsing it gives.
pub(super) fn mistyped(shown: &str, mistake: TypingMistake) -> (String, ParseCodeError) {
    let mut symbols = symbols(shown);
    let length = |found| ParseCodeError::Length { expected: LENGTH, found };
    match mistake {
        TypingMistake::Empty => (" - ".to_owned(), ParseCodeError::Empty),
        TypingMistake::TooLong => (format!("{shown:-<1025}"), ParseCodeError::TooLong),
        TypingMistake::Cut(left) => {
            let left = 1 + usize::from(left) % (LENGTH - 1);
            (symbols[..left].iter().collect(), length(left))
        }
        TypingMistake::Longer => (format!("{shown}-7"), length(LENGTH + 1)),
        TypingMistake::Alien(division) => {
            let division = usize::from(division) % LENGTH;
            // A shown code has a hyphen after each group of four symbols.
            let position = division + division / 4;
            let text = shown.chars().enumerate().map(|(n, c)| if n == position { 'u' } else { c });
            (text.collect(), ParseCodeError::Symbol { position: position + 1 })
        }
        TypingMistake::Wrong(division) => {
            let division = usize::from(division) % LENGTH;
            let mut others = SYMBOLS.chars().cycle().skip_while(|&c| c != symbols[division]);
            symbols[division] = others.nth(1).unwrap_or('7');
            (symbols.iter().collect(), ParseCodeError::Check)
        }
        TypingMistake::Swapped(division) => {
            let division = usize::from(division) % LENGTH;
            let other = (0..LENGTH).find(|&other| symbols[other] != symbols[division]);
            symbols.swap(division, other.unwrap_or(0));
            (symbols.iter().collect(), ParseCodeError::Check)
        }
    }
}
