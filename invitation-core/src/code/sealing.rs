//! The forms in which a code is stored.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

use super::{CodeFormat, InvitationCode, TAG_SYMBOLS};
use crate::id::InvitationId;

/// The digest by which a code is looked up: 32 bytes, unique in a store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeDigest([u8; 32]);

/// The tag by which a list is searched for the beginning of a code: 8 bytes, shared by
/// all codes with the same first four symbols.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeTag([u8; 8]);

macro_rules! bytes {
    ($name:ident, $len:literal) => {
        impl $name {
            /// Creates the value from the bytes that a store kept.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Returns the bytes for a store to keep.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        // This is not the code itself, but guesses of a code can be tested against it.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

bytes!(CodeDigest, 32);
bytes!(CodeTag, 8);

/// The sealed form of a code, stored so that the code can be shown again: opaque,
/// versioned bytes that only a [`Sealing`] creates and opens.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCode(Arc<[u8]>);

impl SealedCode {
    /// The maximum number of bytes of a sealed code; a store's column must hold them.
    pub const MAX_BYTES: usize = 128;

    /// Creates the value from the bytes that a store kept. Opening it checks them.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes for a store to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedCode(…)")
    }
}

/// How codes are stored: looked up by a digest, shown again from sealed bytes.
///
/// [`Sealing::readable`] is the only mode so far: the digest is SHA-256, and the "sealed"
/// bytes are the code itself. **Anyone with access to the store, a backup or a replica
/// can read the codes that are still active.** Protect them as you protect the codes.
#[derive(Clone, Default, Debug)]
pub struct Sealing(());

/// The first byte of sealed bytes that contain the code unencrypted.
const READABLE: u8 = 0;

/// A prefix of the hashed data, so that digests for different purposes never collide.
const DIGEST: &[u8] = b"invitation/lookup/v1\0";
const TAG: &[u8] = b"invitation/tag/v1\0";

impl Sealing {
    /// Stores codes unencrypted.
    #[must_use]
    pub fn readable() -> Self {
        Self(())
    }

    /// Returns the digest under which a new code is stored.
    #[must_use]
    pub fn digest(&self, code: &InvitationCode) -> CodeDigest {
        let digest = Sha256::new_with_prefix(DIGEST).chain_update(code.symbols()).finalize();
        CodeDigest(digest.into())
    }

    /// Returns the digests under which a presented code may have been stored: one for
    /// each key that is still in use, so one here.
    #[must_use]
    pub fn digests(&self, code: &InvitationCode) -> Vec<CodeDigest> {
        vec![self.digest(code)]
    }

    /// Returns the tag under which a new code is stored.
    #[must_use]
    pub fn tag(&self, code: &InvitationCode) -> CodeTag {
        Self::tag_of(&code.symbols()[..TAG_SYMBOLS])
    }

    /// Returns the tags under which codes with this beginning may have been stored.
    pub(crate) fn tags(beginning: &[u8]) -> Vec<CodeTag> {
        beginning.get(..TAG_SYMBOLS).map(Self::tag_of).into_iter().collect()
    }

    fn tag_of(first: &[u8]) -> CodeTag {
        let digest: [u8; 32] = Sha256::new_with_prefix(TAG).chain_update(first).finalize().into();
        let mut tag = [0; 8];
        tag.copy_from_slice(&digest[..8]);
        CodeTag(tag)
    }

    /// Seals `code` as the code of invitation `_id`.
    #[must_use]
    pub fn seal(&self, _id: InvitationId, code: &InvitationCode) -> SealedCode {
        let mut bytes = Vec::with_capacity(1 + code.symbols().len());
        bytes.push(READABLE);
        bytes.extend_from_slice(code.symbols());
        SealedCode(bytes.into())
    }

    /// Returns the code of invitation `id`, written in `format`.
    ///
    /// # Errors
    ///
    /// [`UnsealError`] when [`seal`](Self::seal) did not create the bytes.
    pub fn open(
        &self,
        id: InvitationId,
        sealed: &SealedCode,
        format: &CodeFormat,
    ) -> Result<InvitationCode, UnsealError> {
        match sealed.as_bytes() {
            [READABLE, symbols @ ..] => format.code_of(symbols).ok_or(UnsealError { id }),
            _ => Err(UnsealError { id }),
        }
    }
}

/// The error of a sealed code that cannot be opened: the stored bytes were damaged, or
/// other software wrote them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the sealed code of invitation {id} cannot be opened")]
pub struct UnsealError {
    id: InvitationId,
}
