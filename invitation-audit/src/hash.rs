//! The hashes of the Merkle tree, as RFC 6962 defines them.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

/// The first byte of what a leaf hash covers. RFC 6962 (2.1) separates leaves from nodes, so
/// that a node cannot be presented as a leaf.
const LEAF: u8 = 0;
/// The first byte of what the hash of an inner node covers.
const NODE: u8 = 1;

/// A SHA-256 hash of a leaf, a node, or the root of the Merkle tree.
///
/// Its text form is standard base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHash([u8; Self::BYTES]);

impl TreeHash {
    /// The length of a hash.
    pub const BYTES: usize = 32;

    /// Restores a hash from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Returns the root of a tree without leaves.
    #[must_use]
    pub fn of_empty_tree() -> Self {
        Self(Sha256::new().finalize().into())
    }

    /// Returns the hash of a leaf.
    #[must_use]
    pub fn of_leaf(leaf: &[u8]) -> Self {
        Self(Sha256::new().chain_update([LEAF]).chain_update(leaf).finalize().into())
    }

    /// Returns the hash of the node above two others.
    #[must_use]
    pub fn of_node(left: &Self, right: &Self) -> Self {
        let hash = Sha256::new().chain_update([NODE]).chain_update(left.0).chain_update(right.0);
        Self(hash.finalize().into())
    }

    /// Reads the text form; none for any other text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        bytes_from_text(text).map(Self)
    }
}

/// Reads bytes of a fixed length from standard base64.
pub(crate) fn bytes_from_text<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Writes bytes as standard base64.
pub(crate) fn bytes_to_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&bytes_to_text(&self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeHash({self})")
    }
}

impl Serialize for TreeHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TreeHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).ok_or_else(|| D::Error::custom("is no hash"))
    }
}
