//! The reasons why a key is not accepted.

use std::{io, path::PathBuf};

use super::KeyId;

/// The reason why a key or its id is not accepted. It contains nothing of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The id of a key is empty, too long, or contains other characters than allowed.
    #[error("the id of a key must be 1 to {} of a-z, 0-9, '.', '_' and '-'", KeyId::MAX_BYTES)]
    InvalidId,
    /// The keyring has a key with this id already.
    #[error("the keyring has a key with the id {id} already")]
    RepeatedId {
        /// The repeated id.
        id: KeyId,
    },
    /// The keyring has a key with the same secret already.
    #[error("the secret is the same as that of the key with the id {id}")]
    RepeatedSecret {
        /// The id of the other key.
        id: KeyId,
    },
    /// The text is not a secret.
    #[error("a key must be 32 bytes, written in hexadecimal digits or in base64")]
    Malformed,
    /// All bytes of the secret are equal, so it is a placeholder and not random.
    #[error("a key must be random: all bytes of this one are equal")]
    Placeholder,
    /// The environment variable is not set.
    #[error("the environment variable {variable} is not set")]
    NotSet {
        /// The name of the variable.
        variable: String,
    },
    /// The file cannot be read.
    #[error("the key file {} cannot be read", path.display())]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}
