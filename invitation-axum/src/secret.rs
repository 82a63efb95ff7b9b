//! Codes and links on their way out.

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// A text that is a secret: shown in the one answer that is for it, and wiped from
/// memory afterwards.
pub(crate) struct Secret(Zeroizing<String>);

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl Secret {
    /// The text.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.reveal())
    }
}
