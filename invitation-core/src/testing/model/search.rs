//! What a search finds, said naively.

use super::codes::{SYMBOLS, symbols};

/// A search that is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Search {
    /// Each must begin a word; when there are none, words do not count.
    words: Vec<String>,
    /// What a code must begin with.
    beginning: Option<String>,
}

impl Search {
    /// What `text` means; none when it is refused.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > 200 {
            return None;
        }
        let beginning = beginning(text);
        // A whole code is not words.
        let whole = beginning.as_ref().is_some_and(|text| text.len() == 24);
        let words = if whole { Vec::new() } else { words(text) };
        let wrong = words.is_empty()
            || words.len() > 5
            || words.iter().any(|word| word.chars().count() < 2);
        match (wrong, &beginning) {
            (false, _) => Some(Self { words, beginning }),
            (true, Some(_)) => Some(Self { words: Vec::new(), beginning }),
            (true, None) => None,
        }
    }

    /// Whether an invitation is found: by its words, or by its code, for those who
    /// may see it.
    pub(super) fn finds(&self, own: &[String], code: &str, sees_codes: bool) -> bool {
        if !sees_codes {
            return self.finds_words(own);
        }
        let code: String = symbols(code).into_iter().collect();
        self.finds_words(own) || self.beginning.as_ref().is_some_and(|text| code.starts_with(text))
    }

    fn finds_words(&self, own: &[String]) -> bool {
        if self.words.is_empty() {
            return false;
        }
        for wanted in &self.words {
            let mut found = false;
            for word in own {
                found |= word.starts_with(wanted);
            }
            if !found {
                return false;
            }
        }
        true
    }
}

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    // The one decomposed letter that occurs in a sequence.
    for c in text.replace("a\u{308}", "ä").to_lowercase().chars() {
        if c.is_alphanumeric() {
            words.last_mut().expect("there is a first word").push(c);
        } else {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The symbols of a text that reads as the beginning of a code.
fn beginning(text: &str) -> Option<String> {
    let mut beginning = String::new();
    for c in text.chars() {
        match c.to_ascii_uppercase() {
            ' ' | '-' => {}
            'O' => beginning.push('0'),
            'I' | 'L' => beginning.push('1'),
            c if SYMBOLS.contains(c) => beginning.push(c),
            _ => return None,
        }
    }
    (4..=24).contains(&beginning.len()).then_some(beginning)
}
