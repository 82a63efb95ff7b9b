//! How people type codes, rightly and wrongly.

use super::step::{Mistake, Typing};
use crate::{
    code::{CodeFormat, Mistyped},
    entropy::SeededEntropy,
};

/// What occurs in codes.
pub(super) const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How many symbols a code has.
const LENGTH: usize = 24;

/// A code that no store has issued.
pub(super) fn stranger() -> String {
    let entropy = SeededEntropy::new(u64::MAX);
    let code = CodeFormat::default().generate(&entropy).expect("seeded entropy does not run out");
    code.reveal().to_string()
}

/// The symbols of a code as it is shown.
pub(super) fn symbols(shown: &str) -> Vec<char> {
    shown.chars().filter(|&c| c != '-').collect()
}

/// The code as a person types it: still this code.
pub(super) fn typed(shown: &str, typing: Typing) -> String {
    match typing {
        Typing::AsShown => shown.to_owned(),
        Typing::Lower => shown.to_lowercase(),
        Typing::Spaced => {
            let groups: Vec<String> =
                symbols(shown).chunks(5).map(|group| group.iter().collect()).collect();
            format!(" {}  ", groups.join(" "))
        }
        Typing::LookAlikes => shown
            .replacen('0', "o", 1)
            .replace('0', "O")
            .replacen('1', "l", 1)
            .replacen('1', "I", 1)
            .replace('1', "L"),
    }
}

/// The code with a mistake, and what is said about it.
pub(super) fn mistyped(shown: &str, mistake: Mistake) -> (String, Mistyped) {
    let mut symbols = symbols(shown);
    let length = |found| Mistyped::Length { expected: LENGTH, found };
    match mistake {
        Mistake::Empty => (" - ".to_owned(), Mistyped::Empty),
        Mistake::TooLong => (format!("{shown:-<1025}"), Mistyped::TooLong),
        Mistake::Cut(left) => {
            let left = 1 + usize::from(left) % (LENGTH - 1);
            (symbols[..left].iter().collect(), length(left))
        }
        Mistake::Longer => (format!("{shown}-7"), length(LENGTH + 1)),
        Mistake::Alien(place) => {
            let place = usize::from(place) % LENGTH;
            // Shown in groups of four, with a hyphen behind each.
            let position = place + place / 4;
            let text = shown.chars().enumerate().map(|(n, c)| if n == position { 'u' } else { c });
            (text.collect(), Mistyped::Symbol { position: position + 1 })
        }
        Mistake::Wrong(place) => {
            let place = usize::from(place) % LENGTH;
            let mut others = SYMBOLS.chars().cycle().skip_while(|&c| c != symbols[place]);
            symbols[place] = others.nth(1).unwrap_or('7');
            (symbols.iter().collect(), Mistyped::Check)
        }
        Mistake::Swapped(place) => {
            let place = usize::from(place) % LENGTH;
            let other = (0..LENGTH).find(|&other| symbols[other] != symbols[place]);
            symbols.swap(place, other.unwrap_or(0));
            (symbols.iter().collect(), Mistyped::Check)
        }
    }
}
