//! Traces of secrets in what a store leaves behind.

use aho_corasick::AhoCorasick;

/// The alphabets of base64 (RFC 4648): the usual one, and the one for URLs.
const ALPHABETS: [(&str, &[u8; 64]); 2] = [
    ("base64", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
    ("base64url", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
];

/// A secret that must not be found in what a store leaves behind, in any of the usual notations.
#[derive(Debug)]
pub struct Canary {
    /// The name of each notation, and the bytes to look for.
    forms: Vec<(String, Vec<u8>)>,
}

impl Canary {
    /// Takes a code as it is shown, with a hyphen between its groups. It is looked for as it is
    /// shown and as its symbols alone, each in upper and lower case, in hexadecimal digits and in
    /// base64.
    #[must_use]
    pub fn new(shown: &str) -> Self {
        let mut forms = Vec::new();
        for (name, text) in [("shown", shown.to_owned()), ("symbols", shown.replace('-', ""))] {
            for (case, text) in [("upper", text.clone()), ("lower", text.to_lowercase())] {
                let name = format!("{name} {case}");
                add_encoded(&mut forms, &name, text.as_bytes());
                forms.push((name, text.into_bytes()));
            }
        }
        Self { forms }
    }

    /// Takes the bytes of a key. They are looked for as they are, in hexadecimal digits and in
    /// base64.
    #[must_use]
    pub fn of_key(bytes: &[u8]) -> Self {
        let mut forms = vec![("key".to_owned(), bytes.to_owned())];
        add_encoded(&mut forms, "key", bytes);
        Self { forms }
    }

    /// Returns the notation in which the contents contain the secret, if they do.
    #[must_use]
    pub fn trace_in(&self, contents: &[u8]) -> Option<&str> {
        let is_in = |form: &[u8]| contents.windows(form.len()).any(|window| window == form);
        self.forms.iter().find(|(_, form)| is_in(form)).map(|(name, _)| name.as_str())
    }
}

/// Many secrets, looked for at once: in whole files of a server.
#[derive(Debug)]
pub struct Canaries {
    /// The number of the secret and the name of the notation, for each pattern.
    names: Vec<String>,
    search: AhoCorasick,
}

impl Canaries {
    /// Takes the secrets. They are numbered in their order, from 0 on.
    ///
    /// # Panics
    ///
    /// When there are too many of them.
    #[must_use]
    pub fn new(canaries: impl IntoIterator<Item = Canary>) -> Self {
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for (n, canary) in canaries.into_iter().enumerate() {
            for (name, form) in canary.forms {
                names.push(format!("secret {n}: {name}"));
                patterns.push(form);
            }
        }
        assert!(!patterns.is_empty(), "there is nothing to look for");
        let search = AhoCorasick::new(patterns).unwrap_or_else(|error| panic!("{error}"));
        Self { names, search }
    }

    /// Returns which secret the contents contain, and in which notation; `None` without a trace.
    #[must_use]
    pub fn trace_in(&self, contents: &[u8]) -> Option<&str> {
        let found = self.search.find(contents)?;
        self.names.get(found.pattern().as_usize()).map(String::as_str)
    }
}

/// Adds the notations in hexadecimal digits and in base64.
fn add_encoded(forms: &mut Vec<(String, Vec<u8>)>, name: &str, secret: &[u8]) {
    let hex = hex(secret);
    forms.push((format!("{name} hex"), hex.clone().into_bytes()));
    forms.push((format!("{name} HEX"), hex.to_uppercase().into_bytes()));
    for (notation, alphabet) in ALPHABETS {
        // In a longer text, the secret may begin at any of three places of a group.
        for skip in 0..3 {
            forms.push((format!("{name} {notation} {skip}"), base64(alphabet, secret, skip)));
        }
    }
}

/// Returns lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}

/// Returns the base64 text of a secret that begins `skip` bytes after a group of three, without
/// the symbols that depend on what is before and after it.
fn base64(alphabet: &[u8; 64], secret: &[u8], skip: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, skip).chain(secret.iter().copied()).collect();
    let bits = padded.len() * 8;
    let first = (skip * 8).div_ceil(6);
    let bit = |n: usize| padded[n / 8] >> (7 - n % 8) & 1;
    let symbol = |n: usize| (n * 6..n * 6 + 6).fold(0, |value, n| value << 1 | bit(n));
    (first..bits / 6).map(|n| alphabet[usize::from(symbol(n))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canary_is_found_in_every_notation() {
        let canary = Canary::new("7KQ2-M9FX-ABCD");
        let all = Canaries::new([Canary::new("0000-0000-0000"), Canary::new("7KQ2-M9FX-ABCD")]);
        for contents in [
            "before 7KQ2-M9FX-ABCD after",
            "7KQ2M9FXABCD",
            "#7kq2-m9fx-abcd",
            r"\x374b51324d394658414243440a",
            "374B51322D4D3946582D41424344",
            "N0tRMk05RlhBQkNE",
            "MjdLUTJNOUZYQUJDRA==",
            "MTI3S1EyTTlGWEFCQ0Qz",
        ] {
            assert!(canary.trace_in(contents.as_bytes()).is_some(), "{contents}");
            let found = all.trace_in(contents.as_bytes()).unwrap_or_default();
            assert!(found.starts_with("secret 1: "), "{contents}: {found}");
        }
        for contents in ["", "7KQ2", "7KQ2-M9FX-ABCE", "N0tRMk05RlhBQkNF"] {
            assert_eq!(canary.trace_in(contents.as_bytes()), None, "{contents}");
            assert_eq!(all.trace_in(contents.as_bytes()), None, "{contents}");
        }
    }

    #[test]
    fn key_is_found_in_every_notation() {
        let key = Canaries::new([Canary::of_key(&[0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe])]);
        for contents in [
            &b"a\xfb\xef\xbe\xfb\xef\xbeb"[..],
            b"fbefbefbefbe",
            b"FBEFBEFBEFBE",
            b"++++++++",
            b"--------",
        ] {
            assert!(key.trace_in(contents).is_some(), "{contents:?}");
        }
        assert_eq!(key.trace_in(b"\xfb\xef\xbe\xfb\xef"), None);
    }
}
