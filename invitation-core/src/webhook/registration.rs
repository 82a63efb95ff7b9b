//! Registrations that are requested again under the same idempotency key.

use super::EndpointDraft;
use crate::{
    request::{Fingerprint, Fingerprinting, IdempotencyKey},
    text::{Division, UserId},
};

/// A registration under an idempotency key, by which a repeated one is recognised. It has digests
/// only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "implementations of the port keep both parts")]
pub struct RegistrationRequest {
    /// The digest of the key and its owner.
    pub key: Fingerprint,
    /// The digest of everything that the registration asks for.
    pub content: Fingerprint,
}

impl RegistrationRequest {
    /// Returns the request of a user, or of the system.
    pub(crate) fn new(owner: Option<&UserId>, key: &IdempotencyKey, draft: &EndpointDraft) -> Self {
        let mut of_key = Fingerprinting::new("webhook-key");
        of_key.part(owner.map(UserId::as_str));
        of_key.part(Some(key.as_str()));
        let EndpointDraft { name, url, division, has_names } = draft;
        let mut content = Fingerprinting::new("webhook");
        content.part(Some(name));
        content.part(Some(url));
        content.part(division.as_ref().map(Division::as_str));
        content.part(has_names.then_some("names"));
        Self { key: of_key.finish(), content: content.finish() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_key_and_every_field_tell_requests_apart() {
        let (anna, ben) = (UserId::new("anna").unwrap(), UserId::new("ben").unwrap());
        let key = |key: &str| IdempotencyKey::new(key).unwrap();
        let draft = EndpointDraft { name: "crm".into(), ..EndpointDraft::default() };
        let first = RegistrationRequest::new(Some(&anna), &key("k"), &draft);
        assert_eq!(first, RegistrationRequest::new(Some(&anna), &key("k"), &draft.clone()));
        for (owner, text) in [(Some(&ben), "k"), (None, "k"), (Some(&anna), "l")] {
            let other = RegistrationRequest::new(owner, &key(text), &draft);
            assert!(other.key != first.key && other.content == first.content, "{owner:?} {text}");
        }
        let division = Some(Division::new("sales").unwrap());
        for draft in [
            EndpointDraft { name: "erp".into(), ..draft.clone() },
            EndpointDraft { url: "https://crm.example/".into(), ..draft.clone() },
            EndpointDraft { division, ..draft.clone() },
            EndpointDraft { has_names: true, ..draft.clone() },
        ] {
            let other = RegistrationRequest::new(Some(&anna), &key("k"), &draft);
            assert!(other.key == first.key && other.content != first.content, "{draft:?}");
        }
    }
}
