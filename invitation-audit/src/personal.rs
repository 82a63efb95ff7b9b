//! Personal values in the log, which can be erased without breaking it.

use std::fmt;

use invitation_core::code::{Entropy, EntropyError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

use crate::hash::{TreeHash, bytes_from_text, bytes_to_text};

/// What every commitment covers first, so that its hash is of no other use.
const PREFIX: &[u8] = b"invitation-audit personal v1\n";

/// A personal value of an event: readable, or erased.
///
/// The leaf of the event contains only a commitment: a hash of a random salt and the value.
/// Without the salt the commitment tells nothing: an attacker cannot even test a guess of the
/// value. Erasing the value and its salt therefore erases the datum, and the leaf stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "a value is either there or erased")]
pub enum Personal {
    /// A value that is still readable.
    Readable(Readable),
    /// A value that was erased.
    Erased(Erased),
}

/// A readable personal value with the salt of its commitment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a commitment covers these two")]
pub struct Readable {
    /// The value as the event had it.
    pub value: String,
    /// The random salt of the commitment.
    pub salt: Salt,
}

/// What stays of an erased value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "nothing else stays")]
pub struct Erased {
    /// The commitment to the value.
    pub commitment: TreeHash,
}

/// The random bytes that hide a value in its commitment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; Self::BYTES]);

impl Salt {
    /// The length of a salt.
    pub const BYTES: usize = 16;

    /// Restores a salt from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

impl Personal {
    /// Returns the readable value with a new salt.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source of randomness fails.
    pub fn new(value: &str, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut salt = [0; Salt::BYTES];
        entropy.fill(&mut salt)?;
        Ok(Self::Readable(Readable { value: value.to_owned(), salt: Salt(salt) }))
    }

    /// Returns the value; none if it was erased.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Readable(readable) => Some(&readable.value),
            Self::Erased(_) => None,
        }
    }

    /// Returns the commitment to the value. It stays the same when the value is erased.
    #[must_use]
    pub fn commitment(&self) -> TreeHash {
        match self {
            Self::Readable(Readable { value, salt }) => {
                let hash = Sha256::new().chain_update(PREFIX).chain_update(salt.0);
                TreeHash::from_bytes(hash.chain_update(value).finalize().into())
            }
            Self::Erased(erased) => erased.commitment,
        }
    }

    /// Returns whether the value was erased.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.value().is_none()
    }

    /// Returns this value without its text and salt.
    #[must_use]
    pub fn erased(&self) -> Self {
        Self::Erased(Erased { commitment: self.commitment() })
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&bytes_to_text(&self.0))
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        bytes_from_text(&text).map(Self).ok_or_else(|| D::Error::custom("is no salt"))
    }
}
