//! The id of a key.

use std::{fmt, str::FromStr, sync::Arc};

use super::KeyError;

/// The id of a key: 1 to 32 characters `a`–`z`, `0`–`9`, `.`, `_` and `-`.
///
/// It is no secret: each row names the key under which it is stored, and errors and events
/// contain it. Never give the id of one key to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The maximum length of an id, in bytes.
    pub const MAX_BYTES: usize = 32;

    /// Creates an id.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidId`].
    pub fn new(text: impl AsRef<str>) -> Result<Self, KeyError> {
        let text = text.as_ref();
        let is_allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
        let is_short = (1..=Self::MAX_BYTES).contains(&text.len());
        if is_short && text.bytes().all(is_allowed) {
            Ok(Self(text.into()))
        } else {
            Err(KeyError::InvalidId)
        }
    }

    /// Returns the text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_short_and_of_plain_characters() {
        for text in ["k", "2026-01", "prod.eu_1", &"k".repeat(32)] {
            assert_eq!(KeyId::new(text).unwrap().as_str(), text);
        }
        for text in ["", "K", "a b", "ä", "a\n", "a/b", &"k".repeat(33)] {
            assert!(matches!(KeyId::new(text), Err(KeyError::InvalidId)), "{text:?}");
        }
    }
}
