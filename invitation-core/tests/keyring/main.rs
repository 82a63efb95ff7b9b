//! The keyring: the stored forms of a code, and the service on rows of several keys.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod forms;
mod service;

use invitation_core::code::keyring::{KeyId, KeySecret, Keyring};

/// Returns the id of a key.
fn id(text: &str) -> KeyId {
    KeyId::new(text).expect("an id")
}

/// Returns a fixed secret: 32 bytes that count up from `first`.
fn secret(first: u8) -> KeySecret {
    let bytes = std::array::from_fn(|n| first + u8::try_from(n).expect("below 32"));
    KeySecret::from_bytes(bytes).expect("a secret")
}

/// Returns a keyring with the active key `k1`.
fn first_ring() -> Keyring {
    Keyring::new(id("k1"), &secret(1))
}

/// Returns a keyring with the active key `k2` and the older key `k1`.
fn overlapping_ring() -> Keyring {
    Keyring::new(id("k2"), &secret(2)).with_older(id("k1"), &secret(1)).expect("another key")
}
