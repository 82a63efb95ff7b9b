//! The secret that signs webhooks.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use invitation_core::code::{Entropy, EntropyError};
use zeroize::Zeroizing;

/// The beginning of a secret in its text form (Standard Webhooks, "Signature scheme").
const PREFIX: &str = "whsec_";

/// A secret that signs webhooks, which the host gives to the receiver. `Debug` does not show it,
/// and it is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// The length of a new secret, in bytes. Standard Webhooks asks for 24 to 64.
    pub const BYTES: usize = 32;

    /// Draws a new secret.
    pub(super) fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new(vec![0; Self::BYTES]);
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Restores a secret from the bytes of a store.
    pub(super) fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the secret as receivers configure it: `whsec_` and base64. The text is wiped on
    /// drop.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + self.0.len() * 2));
        text.push_str(PREFIX);
        STANDARD.encode_string(&*self.0, &mut text);
        text
    }

    /// Returns the signature of a message: `v1,` and base64.
    ///
    /// The signing crate makes a copy of the secret, which is not wiped.
    pub(super) fn sign(
        &self,
        id: &str,
        timestamp: i64,
        body: &str,
    ) -> Result<String, standardwebhooks::WebhookError> {
        let signer = standardwebhooks::Webhook::from_bytes(self.0.to_vec())?;
        signer.sign(id, timestamp, body.as_bytes())
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published example of the specification.
    const EXAMPLE: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    #[test]
    fn published_example_has_its_published_signature() {
        let bytes = STANDARD.decode(&EXAMPLE[PREFIX.len()..]).unwrap();
        let secret = WebhookSecret::from_bytes(Zeroizing::new(bytes));
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        let signature = secret.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
        assert_eq!(signature.unwrap(), "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
        assert_eq!(*secret.reveal(), EXAMPLE);
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
}
