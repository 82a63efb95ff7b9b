//! Idempotency: a creation that is requested again under the same key is made once.

use std::fmt;

use sha2::{Digest, Sha256};
use time::Duration;

use crate::{
    binding::Binding, field_error::FieldError, id::EventId, limits::Expiry, record::Record,
    text::UserId, time::Timestamp,
};

/// An idempotency key, which makes it safe to repeat a request that creates invitations
/// (HTTP's `Idempotency-Key`). The client draws a new key for each creation.
///
/// Each user has a separate set of keys: two users may use the same key without conflict.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::IdempotencyKey;
///
/// assert!(IdempotencyKey::new("8e03978e-40d5-43e8-bc93-6894a57f9324").is_ok());
/// assert!(IdempotencyKey::new("").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The maximum length, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Creates a key from the text, without changing it.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] unless the text has 1 to [`MAX_BYTES`](Self::MAX_BYTES)
    /// visible ASCII characters.
    pub fn new(key: impl Into<String>) -> Result<Self, FieldError> {
        let key = key.into();
        if (1..=Self::MAX_BYTES).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(key))
        } else {
            let max = Self::MAX_BYTES;
            let message = format!("must be 1 to {max} visible ASCII characters");
            Err(FieldError::new("idempotency_key", message))
        }
    }

    /// Returns the text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The SHA-256 digest of everything that a request asks for. It distinguishes requests
/// that use the same key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads the bytes that a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes that a store keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A hasher of the parts of a request. Each part is hashed with its length, so that
/// moving text from one part to the next changes the digest.
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

    /// Adds the binding of a code: the addresses that may redeem it.
    pub(crate) fn binding(&mut self, binding: &Binding) {
        let (kind, value) = match binding {
            Binding::Anyone => ("anyone", None),
            Binding::Address(email) => ("address", Some(email.as_str())),
            Binding::Domain(domain) => ("domain", Some(domain.as_str())),
        };
        self.part(Some(kind));
        self.part(value);
    }

    /// Adds an expiry as it was asked for: a number of days is not yet a time.
    pub(crate) fn expiry(&mut self, expiry: Expiry) {
        let text = match expiry {
            Expiry::Default => "default".to_owned(),
            Expiry::At(at) => format!("at {at}"),
            Expiry::InDays(days) => format!("in {days} days"),
        };
        self.part(Some(&text));
    }

    pub(crate) fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

/// An idempotency key together with its owner.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct ScopedIdempotencyKey {
    /// The user who made the request; none for the system.
    pub owner: Option<UserId>,
    /// The key itself, unique for its owner.
    pub key: IdempotencyKey,
}

/// The result of each row of a request, as the service encodes it. It contains no code
/// and no address.
///
/// The bytes are opaque to stores, which return them unchanged.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestResults(Vec<u8>);

impl RequestResults {
    /// Reads the bytes that a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Returns the bytes that a store keeps: at most
    /// [`MAX_BYTES_PER_ROW`](Self::MAX_BYTES_PER_ROW) for each row of the request.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The maximum number of bytes of the results for each row of the request.
    pub const MAX_BYTES_PER_ROW: usize = 4_096;
}

impl fmt::Debug for RequestResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestResults({} bytes)", self.0.len())
    }
}

/// A request to create invitations under an idempotency key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct IdempotentRequest {
    /// The idempotency key and its owner.
    pub key: ScopedIdempotencyKey,
    /// The digest of everything that the request asks for.
    pub fingerprint: Fingerprint,
    /// The id of the request, unique in the store.
    pub id: EventId,
    /// The time of the call.
    pub at: Timestamp,
    /// The result of each row; none if every row is created, or no row is.
    pub results: Option<RequestResults>,
}

impl IdempotentRequest {
    /// How long a store remembers the key of a request that created nothing.
    pub const KEPT_WITHOUT_INVITATIONS: Duration = Duration::hours(24);

    /// Returns the time until which the key of a request that created nothing is
    /// remembered, counted from the call.
    #[must_use]
    pub fn forgotten_at(&self) -> Timestamp {
        self.at.checked_add(Self::KEPT_WITHOUT_INVITATIONS).unwrap_or(Timestamp::MAX)
    }

    /// Returns whether `known` stems from a request with the same content.
    #[must_use]
    pub(crate) fn made(&self, known: &PriorRequest) -> bool {
        self.fingerprint == known.fingerprint
    }
}

/// The record of an earlier request under the same idempotency key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct PriorRequest {
    /// The digest of everything that the earlier request asked for.
    pub fingerprint: Fingerprint,
    /// The invitations that it created, in their current state, tombstones included, by
    /// ascending id.
    pub invitations: Vec<Record>,
    /// The results that were stored with the earlier request.
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
        // Stores keep fingerprints, so later versions must compute the same value. The
        // expected digest is worked out by hand: SHA-256 over 1, the length in 8 bytes
        // and the text of each part, or 0 for a missing part.
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
