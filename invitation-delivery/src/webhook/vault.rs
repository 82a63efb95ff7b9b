//! How the secrets of endpoints are stored: encrypted if there is a keyring.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
#[cfg(feature = "keyring")]
use invitation_core::code::keyring::Keyring;
use invitation_core::{
    code::{Entropy, OsEntropy, UnsealCause},
    documents::DocumentName,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{error::WebhookError, secret::WebhookSecret};

/// The keyring and the source of randomness.
#[derive(Clone, Debug)]
pub(super) struct Vault {
    pub(super) entropy: Arc<dyn Entropy>,
    #[cfg(feature = "keyring")]
    pub(super) keyring: Option<Keyring>,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            entropy: Arc::new(OsEntropy),
            #[cfg(feature = "keyring")]
            keyring: None,
        }
    }
}

/// A secret as a document contains it, in base64. It has no `Debug`, because it may be readable.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredSecret {
    Readable(String),
    Encrypted(String),
}

impl Vault {
    /// Prepares a secret for the document of the endpoint.
    pub(super) fn lock(
        &self,
        name: &DocumentName,
        secret: &WebhookSecret,
    ) -> Result<StoredSecret, WebhookError> {
        let encrypted = self.encrypt(name, secret)?;
        let readable = || StoredSecret::Readable(STANDARD.encode(secret.bytes()));
        let encoded = |bytes| StoredSecret::Encrypted(STANDARD.encode::<Vec<u8>>(bytes));
        Ok(encrypted.map_or_else(readable, encoded))
    }

    /// Reads a secret of the document of the endpoint.
    pub(super) fn unlock(
        &self,
        name: &DocumentName,
        stored: &StoredSecret,
    ) -> Result<WebhookSecret, WebhookError> {
        let damaged = |_| WebhookError::Unseal { name: name.clone(), cause: UnsealCause::Damaged };
        match stored {
            StoredSecret::Readable(text) => {
                let bytes = Zeroizing::new(STANDARD.decode(text).map_err(damaged)?);
                Ok(WebhookSecret::from_bytes(bytes))
            }
            StoredSecret::Encrypted(text) => {
                self.decrypt(name, &STANDARD.decode(text).map_err(damaged)?)
            }
        }
    }

    /// Returns the encrypted secret; none without a keyring.
    #[cfg(feature = "keyring")]
    fn encrypt(
        &self,
        name: &DocumentName,
        secret: &WebhookSecret,
    ) -> Result<Option<Vec<u8>>, WebhookError> {
        let Some(ring) = &self.keyring else { return Ok(None) };
        Ok(Some(ring.encrypt(&context(name), secret.bytes(), &*self.entropy)?))
    }

    #[cfg(not(feature = "keyring"))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "with the feature `keyring`, it uses the keyring"
    )]
    fn encrypt(
        &self,
        _: &DocumentName,
        _: &WebhookSecret,
    ) -> Result<Option<Vec<u8>>, WebhookError> {
        Ok(None)
    }

    #[cfg(feature = "keyring")]
    fn decrypt(&self, name: &DocumentName, bytes: &[u8]) -> Result<WebhookSecret, WebhookError> {
        let no_keyring = || WebhookError::NoKeyring { name: name.clone() };
        let ring = self.keyring.as_ref().ok_or_else(no_keyring)?;
        let secret = ring.decrypt(&context(name), bytes);
        let secret = secret.map_err(|cause| WebhookError::Unseal { name: name.clone(), cause })?;
        Ok(WebhookSecret::from_bytes(secret))
    }

    #[cfg(not(feature = "keyring"))]
    #[expect(clippy::unused_self, reason = "with the feature `keyring`, it uses the keyring")]
    fn decrypt(&self, name: &DocumentName, _: &[u8]) -> Result<WebhookSecret, WebhookError> {
        Err(WebhookError::NoKeyring { name: name.clone() })
    }
}

/// Returns what an encrypted secret belongs to, so that it opens in no other endpoint.
#[cfg(feature = "keyring")]
fn context(name: &DocumentName) -> Vec<u8> {
    format!("webhook/{name}").into_bytes()
}
