//! Traces of a secret in the contents of a store.

/// The usual alphabet of base64 (RFC 4648).
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A code that must not be found in the contents of a store, in any of the usual notations:
/// as it is shown, as its symbols alone, each in upper and lower case, in hexadecimal digits and
/// in base64.
#[derive(Debug)]
pub struct Canary {
    /// The name of each notation, and the bytes to look for.
    forms: Vec<(String, Vec<u8>)>,
}

impl Canary {
    /// Takes a code as it is shown, with a hyphen between its groups.
    #[must_use]
    pub fn new(shown: &str) -> Self {
        let mut forms = Vec::new();
        for (name, text) in [("shown", shown.to_owned()), ("symbols", shown.replace('-', ""))] {
            for (case, text) in [("upper", text.clone()), ("lower", text.to_lowercase())] {
                let hex = hex(text.as_bytes());
                forms.push((format!("{name} {case} hex"), hex.clone().into_bytes()));
                forms.push((format!("{name} {case} HEX"), hex.to_uppercase().into_bytes()));
                // In a longer text, the secret may begin at any of three places of a group.
                for skip in 0..3 {
                    let form =
                        (format!("{name} {case} base64 {skip}"), base64(text.as_bytes(), skip));
                    forms.push(form);
                }
                forms.push((format!("{name} {case}"), text.into_bytes()));
            }
        }
        Self { forms }
    }

    /// Returns the notation in which the contents contain the secret, if they do.
    #[must_use]
    pub fn trace_in(&self, contents: &[u8]) -> Option<&str> {
        let is_in = |form: &[u8]| contents.windows(form.len()).any(|window| window == form);
        self.forms.iter().find(|(_, form)| is_in(form)).map(|(name, _)| name.as_str())
    }
}

/// Returns lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}

/// Returns the base64 text of a secret that begins `skip` bytes after a group of three, without
/// the symbols that depend on what is before and after it.
fn base64(secret: &[u8], skip: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, skip).chain(secret.iter().copied()).collect();
    let bits = padded.len() * 8;
    let first = (skip * 8).div_ceil(6);
    let bit = |n: usize| padded[n / 8] >> (7 - n % 8) & 1;
    let symbol = |n: usize| (n * 6..n * 6 + 6).fold(0, |value, n| value << 1 | bit(n));
    (first..bits / 6).map(|n| ALPHABET[usize::from(symbol(n))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canary_is_found_in_every_notation() {
        let canary = Canary::new("7KQ2-M9FX-ABCD");
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
        }
        for contents in ["", "7KQ2", "7KQ2-M9FX-ABCE", "N0tRMk05RlhBQkNF"] {
            assert_eq!(canary.trace_in(contents.as_bytes()), None, "{contents}");
        }
    }
}
