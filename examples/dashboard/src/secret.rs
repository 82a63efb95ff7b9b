//! Random secrets. The host stores only their hashes.

use std::fmt::{self, Write};

use invitation::code::{Entropy, EntropyError, OsEntropy};
use sha2::{Digest, Sha256};

/// Returns 128 random bits of the operating system, as 32 hexadecimal digits.
pub(crate) fn random() -> Result<Secret, EntropyError> {
    let mut bytes = [0; 16];
    OsEntropy.fill(&mut bytes)?;
    Ok(Secret(hex(&bytes)))
}

/// A secret text that gives access. `Debug` does not show it.
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for a cookie or a mail.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the hash that the host stores.
    pub(crate) fn hash(&self) -> String {
        hash(&[&self.0])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Returns the SHA-256 of the parts, each preceded by its length, as 64 hexadecimal digits.
pub(crate) fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}
