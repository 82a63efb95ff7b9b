//! What is kept of a code at rest.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

use super::{CodeFormat, InvitationCode, TAG_SYMBOLS};
use crate::id::InvitationId;

/// By what a code is found again: 32 bytes, unique in a store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeDigest([u8; 32]);

/// By what a list is searched for the beginning of a code: 8 bytes, shared by
/// all codes with the same first four symbols.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeTag([u8; 8]);

macro_rules! bytes {
    ($name:ident, $len:literal) => {
        impl $name {
            /// As a store kept it.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// As a store keeps it.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        // Not a code, but what a code can be tried against.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

bytes!(CodeDigest, 32);
bytes!(CodeTag, 8);

/// The form in which a code is kept so that it can be shown again: opaque,
/// versioned bytes that only a [`Sealing`] makes and opens.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCode(Arc<[u8]>);

impl SealedCode {
    /// The most bytes that a sealed code has; a store's column must hold them.
    pub const MAX_BYTES: usize = 128;

    /// As a store kept it. Whether it can be opened shows when it is.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// As a store keeps it.
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

/// How codes are kept: found by a digest, shown again from sealed bytes.
///
/// There is one way so far, [`Sealing::readable`]: the digest is SHA-256, and
/// the "sealed" bytes are the code itself. **Whoever reads the store, a backup
/// or a replica of it reads the codes that are still active.** Protect them as
/// you protect the codes.
#[derive(Clone, Default, Debug)]
pub struct Sealing(());

/// The first byte of sealed bytes: what follows is the code as it is.
const READABLE: u8 = 0;

/// Set before what is hashed, so that no digest of one purpose is ever one of
/// another.
const DIGEST: &[u8] = b"invitation/lookup/v1\0";
const TAG: &[u8] = b"invitation/tag/v1\0";

impl Sealing {
    /// Codes stay readable in the store.
    #[must_use]
    pub fn readable() -> Self {
        Self(())
    }

    /// The digest under which a new code is stored.
    #[must_use]
    pub fn digest(&self, code: &InvitationCode) -> CodeDigest {
        let digest = Sha256::new_with_prefix(DIGEST).chain_update(code.symbols()).finalize();
        CodeDigest(digest.into())
    }

    /// The digests under which a presented code may have been stored: one for
    /// each key that is still in use, so one here.
    #[must_use]
    pub fn digests(&self, code: &InvitationCode) -> Vec<CodeDigest> {
        vec![self.digest(code)]
    }

    /// The tag under which a new code is stored.
    #[must_use]
    pub fn tag(&self, code: &InvitationCode) -> CodeTag {
        Self::tag_of(&code.symbols()[..TAG_SYMBOLS])
    }

    /// The tags under which codes with this beginning may have been stored.
    pub(crate) fn tags(beginning: &[u8]) -> Vec<CodeTag> {
        beginning.get(..TAG_SYMBOLS).map(Self::tag_of).into_iter().collect()
    }

    fn tag_of(first: &[u8]) -> CodeTag {
        let digest: [u8; 32] = Sha256::new_with_prefix(TAG).chain_update(first).finalize().into();
        let mut tag = [0; 8];
        tag.copy_from_slice(&digest[..8]);
        CodeTag(tag)
    }

    /// Seals `code` as the one of invitation `_id`.
    #[must_use]
    pub fn seal(&self, _id: InvitationId, code: &InvitationCode) -> SealedCode {
        let mut bytes = Vec::with_capacity(1 + code.symbols().len());
        bytes.push(READABLE);
        bytes.extend_from_slice(code.symbols());
        SealedCode(bytes.into())
    }

    /// Gives back the code of invitation `id`, written as `format` writes codes.
    ///
    /// # Errors
    ///
    /// [`UnreadableSeal`] when the bytes are not what [`seal`](Self::seal) made.
    pub fn open(
        &self,
        id: InvitationId,
        sealed: &SealedCode,
        format: &CodeFormat,
    ) -> Result<InvitationCode, UnreadableSeal> {
        match sealed.as_bytes() {
            [READABLE, symbols @ ..] => format.code_of(symbols).ok_or(UnreadableSeal { id }),
            _ => Err(UnreadableSeal { id }),
        }
    }
}

/// The sealed code of an invitation cannot be opened: the stored bytes were
/// damaged, or written by something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the sealed code of invitation {id} cannot be opened")]
pub struct UnreadableSeal {
    id: InvitationId,
}
