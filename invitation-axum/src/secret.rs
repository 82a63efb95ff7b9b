//! Codes and links in responses.

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret text. Only the response that is meant to contain it shows it, and it is wiped
/// from memory afterwards.
pub(crate) struct Secret(Zeroizing<String>);

impl From<Zeroizing<String>> for Secret {
    fn from(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl Secret {
    /// Returns the secret text.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.reveal())
    }
}
