//! Idempotency: a creation that is asked for twice is made once.

use std::fmt;

use sha2::{Digest, Sha256};
use time::Duration;

use crate::{id::EventId, invalid::Invalid, invitation::Invitation, text::UserId, time::Timestamp};

/// A key under which a host asks for a creation, so that asking again is
/// harmless. Drawn by the client, one for each thing it wants (HTTP's
/// `Idempotency-Key`).
///
/// Of each person's own: two people may use the same key without meeting.
///
/// ```
/// use invitation_core::IdempotencyKey;
///
/// assert!(IdempotencyKey::new("8e03978e-40d5-43e8-bc93-6894a57f9324").is_ok());
/// assert!(IdempotencyKey::new("").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest that is accepted, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Takes a key as it is.
    ///
    /// # Errors
    ///
    /// [`Invalid`] unless it is 1 to [`MAX_BYTES`](Self::MAX_BYTES) visible ASCII
    /// characters.
    pub fn new(key: impl Into<String>) -> Result<Self, Invalid> {
        let key = key.into();
        if (1..=Self::MAX_BYTES).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(key))
        } else {
            let max = Self::MAX_BYTES;
            let message = format!("must be 1 to {max} visible ASCII characters");
            Err(Invalid::new("idempotency_key", message))
        }
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tells apart what was asked for: a SHA-256 over all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// As a store kept it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As a store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Collects the parts of what was asked for. Each part goes in with its length,
/// so that shifting a boundary makes a difference.
#[derive(Clone)]
pub(crate) struct Fingerprinting(Sha256);

impl Fingerprinting {
    pub(crate) fn new(kind: &str) -> Self {
        let mut parts = Self(Sha256::new());
        parts.part(Some(kind));
        parts
    }

    pub(crate) fn part(&mut self, part: Option<&str>) {
        match part {
            None => self.0.update([0]),
            Some(part) => self.bytes(part.as_bytes()),
        }
    }

    pub(crate) fn bytes(&mut self, part: &[u8]) {
        self.0.update([1]);
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    pub(crate) fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

/// Whose key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct RequestKey {
    /// Who asked; none is the system itself.
    pub owner: Option<UserId>,
    /// The key.
    pub key: IdempotencyKey,
}

/// What each row of a request came to, as the service writes it down: no code, no address.
///
/// Opaque to stores, which give it back byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestResults(Vec<u8>);

impl RequestResults {
    /// The results as a store kept them.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The results as a store keeps them: for each row of the request at most
    /// [`MAX_BYTES_PER_ROW`](Self::MAX_BYTES_PER_ROW).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The most bytes that the results take for each row of the request.
    pub const MAX_BYTES_PER_ROW: usize = 4_096;
}

impl fmt::Debug for RequestResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestResults({} bytes)", self.0.len())
    }
}

/// A creation under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct Request {
    /// Under which key.
    pub key: RequestKey,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// The id of the request, unique in the store.
    pub id: EventId,
    /// The time of the call.
    pub at: Timestamp,
    /// What each row came to; none where every row is created, or none of them.
    pub results: Option<RequestResults>,
}

impl Request {
    /// How long the key of a request is known that created nothing.
    pub const KEPT_WITHOUT_INVITATIONS: Duration = Duration::hours(24);

    /// The end of that time, counted from the call.
    #[must_use]
    pub fn forgotten_at(&self) -> Timestamp {
        self.at.checked_add(Self::KEPT_WITHOUT_INVITATIONS).unwrap_or(Timestamp::MAX)
    }

    /// Whether this very request led to what is known.
    #[must_use]
    pub(crate) fn made(&self, known: &Known) -> bool {
        self.fingerprint == known.fingerprint
    }
}

/// What a store knows of a request that was made before.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Known {
    /// What was asked for then.
    pub fingerprint: Fingerprint,
    /// What was created then, as it is now, tombstones included, by ascending id.
    pub invitations: Vec<Invitation>,
    /// The results that were stored with it.
    pub results: Option<RequestResults>,
}

impl fmt::Debug for Fingerprinting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinting")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii() {
        assert!(IdempotencyKey::new("a").is_ok());
        assert!(IdempotencyKey::new("~".repeat(128)).is_ok());
        for wrong in ["", " ", "a b", "é", "\u{7f}", &"a".repeat(129)] {
            assert_eq!(IdempotencyKey::new(wrong).unwrap_err().field(), "idempotency_key");
        }
    }

    #[test]
    fn a_fingerprint_tells_boundaries_apart() {
        let of = |parts: &[Option<&str>]| {
            let mut all = Fingerprinting::new("create");
            for part in parts {
                all.part(*part);
            }
            all.finish()
        };
        // Kept by stores: a later version must come to the same. Worked out by hand, SHA-256
        // over 1, the length in 8 bytes and the text of each part, or 0 for none.
        let worked_out = [
            0x1f, 0xaa, 0xd3, 0xe8, 0xf6, 0x64, 0x46, 0xc2, 0xda, 0x6b, 0xe1, 0x3f, 0x68, 0x6a,
            0x21, 0x8a, 0x6a, 0xe0, 0xbc, 0xad, 0x32, 0x9c, 0x09, 0x75, 0x74, 0x1c, 0xb2, 0x92,
            0x56, 0x4f, 0x3e, 0xc8,
        ];
        assert_eq!(of(&[Some("ab"), None]).as_bytes(), &worked_out);
        let different = [
            of(&[Some("ab"), Some("c")]),
            of(&[Some("a"), Some("bc")]),
            of(&[Some("abc"), None]),
            of(&[Some("abc")]),
            of(&[Some("abc"), Some("")]),
        ];
        for (n, one) in different.iter().enumerate() {
            assert!(different[n + 1..].iter().all(|other| other != one));
        }
    }
}
