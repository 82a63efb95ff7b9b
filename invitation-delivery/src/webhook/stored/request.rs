//! The registration of an endpoint under an idempotency key, as its document keeps it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use invitation_core::{documents::Document, store::Fingerprint, webhook::RegistrationRequest};
use serde::{Deserialize, Serialize};

/// The registration of an endpoint, by which a repeated one is recognised. The digests are in base64.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::webhook) struct StoredRequest {
    key: String,
    content: String,
    /// Whether the endpoint has another secret than the one that the registration returned.
    secret_replaced: bool,
}

/// The part of a document's body that has the registration.
#[derive(Deserialize)]
struct Registered {
    request: Option<StoredRequest>,
}

impl StoredRequest {
    pub(in crate::webhook) fn new(request: &RegistrationRequest) -> Self {
        let (key, content) = (encoded(&request.key), encoded(&request.content));
        Self { key, content, secret_replaced: false }
    }

    /// Returns the registration of a document's endpoint; none if it had no key, or if the document
    /// cannot be read. No secret is decrypted: the document may be that of any endpoint.
    pub(in crate::webhook) fn of(document: &Document) -> Option<Self> {
        serde_json::from_slice::<Registered>(&document.body).ok()?.request
    }

    pub(in crate::webhook) fn has_key_of(&self, request: &RegistrationRequest) -> bool {
        self.key == encoded(&request.key)
    }

    pub(in crate::webhook) fn is_same(&self, request: &RegistrationRequest) -> bool {
        self.has_key_of(request) && self.content == encoded(&request.content)
    }

    pub(in crate::webhook) fn is_replaced(&self) -> bool {
        self.secret_replaced
    }

    /// Notes that the endpoint got another secret.
    pub(in crate::webhook) fn secret_was_replaced(&mut self) {
        self.secret_replaced = true;
    }
}

fn encoded(digest: &Fingerprint) -> String {
    STANDARD.encode(digest.as_bytes())
}
