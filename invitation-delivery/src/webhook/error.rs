//! The errors of webhooks.

use std::error::Error as StdError;

use invitation_core::{
    FieldError, StoreError,
    code::{EntropyError, UnsealCause},
    documents::DocumentName,
};

/// The error of a call about webhooks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// A value was not accepted.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// There is no endpoint of this name.
    #[error("there is no endpoint {name}")]
    UnknownEndpoint {
        /// The name that was asked for.
        name: DocumentName,
    },
    /// There is an endpoint of this name already.
    #[error("there is an endpoint {name} already")]
    NameTaken {
        /// The name that was asked for.
        name: DocumentName,
    },
    /// Another endpoint was registered under the same idempotency key.
    #[error("another endpoint was registered under the same idempotency key")]
    KeyReused,
    /// The endpoint was registered under the same idempotency key, and has another secret by now.
    #[error("the secret of the endpoint {name} has been replaced since it was registered")]
    SecretReplaced {
        /// The name of the endpoint.
        name: DocumentName,
    },
    /// There are [as many endpoints](super::Webhooks::MAX_ENDPOINTS) as there may be.
    #[error("there are as many endpoints as there may be")]
    TooManyEndpoints,
    /// The endpoint has [the maximum number](super::Webhooks::MAX_SECRETS) of valid secrets.
    #[error("the endpoint {name} has the maximum number of valid secrets")]
    TooManySecrets {
        /// The name of the endpoint.
        name: DocumentName,
    },
    /// A secret of the endpoint is encrypted, and cannot be decrypted.
    #[error("a secret of the endpoint {name} cannot be decrypted: {cause}")]
    Unseal {
        /// The name of the endpoint.
        name: DocumentName,
        /// The cause, in the words for sealed codes.
        cause: UnsealCause,
    },
    /// A secret of the endpoint is encrypted, and the webhooks have no keyring.
    #[error("the secrets of the endpoint {name} are encrypted, and there is no keyring")]
    NoKeyring {
        /// The name of the endpoint.
        name: DocumentName,
    },
    /// The stored endpoint cannot be read: it was changed, or written by a later version.
    #[error("the stored endpoint {name} cannot be read")]
    Unreadable {
        /// The name of the endpoint.
        name: DocumentName,
        /// The cause.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The HTTP client cannot be set up, for example because of a malformed certificate.
    #[error("the HTTP client cannot be set up")]
    Client(#[source] Box<dyn StdError + Send + Sync>),
    /// A message cannot be signed.
    #[error("the message cannot be signed")]
    Sign(#[source] Box<dyn StdError + Send + Sync>),
}
