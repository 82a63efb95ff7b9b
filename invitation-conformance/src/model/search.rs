//! A naive specification of search.

use invitation_core::CodeFormat;

use super::codes::{SYMBOLS, symbols};

/// A valid search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Search {
    /// Matches only this whole address, in lower case and with its domain in ASCII.
    Address(String),
    /// Each search term must begin a term, or equal it if it has one character. An empty
    /// list matches by code only. The second field is the beginning of a code.
    Words(Vec<String>, Option<String>),
}

impl Search {
    /// Parses `text`; returns `None` when it is refused.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > 200 {
            return None;
        }
        if let Some(address) = address(text.trim()) {
            return Some(Self::Address(address));
        }
        let beginning = beginning(text);
        // A whole code is not read as search terms.
        let whole = beginning
            .as_ref()
            .is_some_and(|text| text.len() == 24 && CodeFormat::default().parse(text).is_ok());
        let words = if whole { Vec::new() } else { split_terms(text) };
        (whole || !words.is_empty()).then_some(Self::Words(words, beginning))
    }

    /// Whether an invitation matches: by its address, by the name of one redeemer, or by
    /// its code if the actor may see codes.
    pub(super) fn finds(&self, own: &[&str], code: &str, sees_codes: bool) -> bool {
        match self {
            Self::Address(wanted) => own.iter().any(|text| address(text).as_ref() == Some(wanted)),
            Self::Words(wanted, beginning) => {
                let code: String = symbols(code).into_iter().collect();
                let begins = beginning.as_ref().is_some_and(|text| code.starts_with(text));
                (sees_codes && begins) || own.iter().any(|text| has_all(&split_terms(text), wanted))
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

/// Returns the normal form of an address, if the text is an address that can occur in a
/// sequence.
fn address(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let domain =
        domain.to_lowercase().replace("a\u{308}", "ä").replace("exämple", "xn--exmple-cua");
    let is_domain = domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
    (is_domain && !local.is_empty()).then(|| format!("{}@{domain}", local.to_lowercase()))
}

/// Returns the terms of a text.
fn split_terms(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    // The only decomposed letter that occurs in a sequence.
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

/// Returns the symbols of a text that can be read as the beginning of a code.
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
