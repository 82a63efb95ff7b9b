//! The error of a stored code that cannot be shown again.

use std::{fmt, sync::Arc};

use crate::id::InvitationId;

/// The error of a sealed code that cannot be opened.
///
/// It names the invitation and the cause, and contains nothing of the code. A code under an
/// [unknown key](UnsealCause::UnknownKey) opens again after the key was added to the
/// keyring.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the sealed code of invitation {id} cannot be opened: {cause}")]
pub struct UnsealError {
    id: InvitationId,
    cause: UnsealCause,
}

impl UnsealError {
    pub(crate) fn new(id: InvitationId, cause: UnsealCause) -> Self {
        Self { id, cause }
    }

    /// Returns the id of the invitation.
    #[must_use]
    pub fn invitation(&self) -> InvitationId {
        self.id
    }

    /// Returns the cause.
    #[must_use]
    pub fn cause(&self) -> &UnsealCause {
        &self.cause
    }

    /// Returns the id of the key that is unknown or retired; none for other causes.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        match &self.cause {
            UnsealCause::UnknownKey(key) | UnsealCause::RetiredKey(key) => Some(key),
            UnsealCause::Damaged | UnsealCause::NotKept | UnsealCause::Unkeyed => None,
        }
    }
}

/// The cause of an [`UnsealError`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UnsealCause {
    /// The stored bytes were changed, belong to another invitation or to another digest, were
    /// sealed under another secret with the same key id, or were written by other software.
    Damaged,
    /// The code is stored under a key with this id, and the service has no such key.
    UnknownKey(Arc<str>),
    /// The code is stored under a key with this id, and the keyring names it as retired.
    RetiredKey(Arc<str>),
    /// The store has only a digest of the code. The code was shown when it was created.
    NotKept,
    /// The code is stored without a key, and the service accepts keyed ones only.
    Unkeyed,
}

impl fmt::Display for UnsealCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("the stored bytes are damaged"),
            Self::UnknownKey(key) => write!(f, "there is no key with the id {key}"),
            Self::RetiredKey(key) => write!(f, "the key with the id {key} is retired"),
            Self::Unkeyed => f.write_str("the code is stored without a key"),
            Self::NotKept => f.write_str("the store keeps only a digest of the code"),
        }
    }
}
