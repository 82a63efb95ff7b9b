//! What a search finds, said naively.

use super::codes::{SYMBOLS, symbols};
use crate::code::CodeFormat;

/// A search that is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Search {
    /// Only this whole address, in lower case and with its domain in ASCII, is found.
    Address(String),
    /// Each word must begin a word, or be it if it is one character; when there are none,
    /// words do not count. A code must begin with what comes second.
    Words(Vec<String>, Option<String>),
}

impl Search {
    /// What `text` means; none when it is refused.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > 200 {
            return None;
        }
        if let Some(address) = address(text.trim()) {
            return Some(Self::Address(address));
        }
        let beginning = beginning(text);
        // A whole code is not words.
        let whole = beginning
            .as_ref()
            .is_some_and(|text| text.len() == 24 && CodeFormat::default().parse(text).is_ok());
        let words = if whole { Vec::new() } else { words(text) };
        (whole || !words.is_empty()).then_some(Self::Words(words, beginning))
    }

    /// Whether an invitation is found: by its address or the name of its redeemer, or by its
    /// code, for those who may see it.
    pub(super) fn finds(&self, own: &[&str], code: &str, sees_codes: bool) -> bool {
        match self {
            Self::Address(wanted) => own.iter().any(|text| address(text).as_ref() == Some(wanted)),
            Self::Words(wanted, beginning) => {
                let code: String = symbols(code).into_iter().collect();
                let begins = beginning.as_ref().is_some_and(|text| code.starts_with(text));
                (sees_codes && begins) || own.iter().any(|text| has_all(&words(text), wanted))
            }
        }
    }
}

fn has_all(own: &[String], wanted: &[String]) -> bool {
    if wanted.is_empty() {
        return false;
    }
    for wanted in wanted {
        let is_one = wanted.chars().count() == 1;
        let mut found = false;
        for word in own {
            found |= if is_one { word == wanted } else { word.starts_with(wanted) };
        }
        if !found {
            return false;
        }
    }
    true
}

/// The one form of an address, if the text is one of those that occur in a sequence.
fn address(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let domain =
        domain.to_lowercase().replace("a\u{308}", "ä").replace("exämple", "xn--exmple-cua");
    let is_domain = domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
    (is_domain && !local.is_empty()).then(|| format!("{}@{domain}", local.to_lowercase()))
}

/// The words of a text.
fn words(text: &str) -> Vec<String> {
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
            c if !c.is_alphanumeric() => {}
            'O' => beginning.push('0'),
            'I' | 'L' => beginning.push('1'),
            c if SYMBOLS.contains(c) => beginning.push(c),
            _ => return None,
        }
    }
    (4..=24).contains(&beginning.len()).then_some(beginning)
}
