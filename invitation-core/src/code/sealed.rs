//! The stored forms of a code: digest, tag and sealed bytes.

use std::{fmt, sync::Arc};

/// The digest by which a code is looked up: 32 bytes, unique in a store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeDigest([u8; 32]);

/// The tag by which a list is searched for the beginning of a code: 8 bytes, shared by
/// all codes with the same first four symbols.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeTag([u8; 8]);

macro_rules! bytes {
    ($name:ident, $len:literal) => {
        impl $name {
            /// Creates the value from the bytes that a store kept.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Returns the bytes for a store to keep.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        // This is not the code itself, but guesses of a code can be tested against it.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

bytes!(CodeDigest, 32);
bytes!(CodeTag, 8);

/// The sealed form of a code, stored so that the code can be shown again: opaque,
/// versioned bytes that only a [`Sealing`](super::Sealing) creates and opens.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCode(Arc<[u8]>);

impl SealedCode {
    /// The maximum number of bytes of a sealed code; a store's column must hold them.
    pub const MAX_BYTES: usize = 128;

    /// Creates the value from the bytes that a store kept. Opening it checks them.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes for a store to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the id of the key under which the code is stored; none without a key, and
    /// for damaged bytes.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        match Form::of(&self.0)? {
            Form::Readable(_) => None,
            Form::Encrypted { key, .. } => Some(key),
            Form::Hashed { key } => key,
        }
    }

    /// Whether the bytes contain the code, readable or encrypted.
    pub(crate) fn holds_code(&self) -> bool {
        !matches!(Form::of(&self.0), Some(Form::Hashed { .. }))
    }
}

impl fmt::Debug for SealedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedCode(…)")
    }
}

/// The first byte of sealed bytes: what they contain.
const READABLE: u8 = 0;
const ENCRYPTED: u8 = 1;
const HASHED: u8 = 2;

/// The parts of sealed bytes.
///
/// The header is one byte for the form, then, except in the readable form, the length and
/// the bytes of the key's id. No header is the beginning of another.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    /// The canonical symbols of the code.
    Readable(&'a [u8]),
    /// The encrypted symbols, with everything but the key that opening them takes.
    #[cfg_attr(not(feature = "keyring"), expect(dead_code, reason = "no key can open it"))]
    Encrypted { key: &'a str, header: &'a [u8], body: &'a [u8] },
    /// No code: the store has the digest only, keyed or not.
    Hashed { key: Option<&'a str> },
}

impl<'a> Form<'a> {
    /// Returns the parts of sealed bytes, or `None` if they are damaged.
    pub(super) fn of(sealed: &'a [u8]) -> Option<Self> {
        match sealed {
            [READABLE, symbols @ ..] => Some(Self::Readable(symbols)),
            [form @ (ENCRYPTED | HASHED), length, rest @ ..] => {
                let (key, body) = rest.split_at_checked(usize::from(*length))?;
                let key = std::str::from_utf8(key).ok()?;
                let header = sealed.get(..2 + key.len())?;
                match (*form, key.is_empty()) {
                    (ENCRYPTED, false) => Some(Self::Encrypted { key, header, body }),
                    (HASHED, none) if body.is_empty() => {
                        Some(Self::Hashed { key: (!none).then_some(key) })
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Returns the header of the readable form.
pub(super) fn readable_header() -> Vec<u8> {
    vec![READABLE]
}

/// Returns the header of the encrypted form under a key.
#[cfg(feature = "keyring")]
pub(super) fn encrypted_header(key: &str) -> Vec<u8> {
    with_key(ENCRYPTED, key)
}

/// Returns the header, which is all of it, of the form without the code.
pub(super) fn hashed_header(key: Option<&str>) -> Vec<u8> {
    with_key(HASHED, key.unwrap_or_default())
}

fn with_key(form: u8, key: &str) -> Vec<u8> {
    let mut header = Vec::with_capacity(SealedCode::MAX_BYTES);
    // Ids are at most 32 bytes long. A longer one would not be opened again.
    header.extend([form, u8::try_from(key.len()).unwrap_or_default()]);
    header.extend_from_slice(key.as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(bytes: &[u8]) -> Option<String> {
        SealedCode::from_bytes(bytes).key_id().map(str::to_owned)
    }

    #[test]
    fn header_names_the_key_and_whether_the_code_is_kept() {
        for (bytes, key, holds_code) in [
            (&b"\x007KQ2"[..], None, true),
            (b"\x01\x02k1body", Some("k1"), true),
            (b"\x02\x02k1", Some("k1"), false),
            (b"\x02\x00", None, false),
        ] {
            assert_eq!(key_of(bytes).as_deref(), key, "{bytes:?}");
            assert_eq!(SealedCode::from_bytes(bytes).holds_code(), holds_code, "{bytes:?}");
        }
    }

    #[test]
    fn damaged_header_names_no_key() {
        for bytes in [
            &b""[..],
            b"\x01",
            b"\x01\x00body",
            b"\x01\x09k1",
            b"\x01\x02\xff\xfe",
            b"\x02\x02k1more",
            b"\x03\x02k1",
        ] {
            assert!(Form::of(bytes).is_none(), "{bytes:?}");
            assert_eq!(key_of(bytes), None, "{bytes:?}");
        }
    }
}
