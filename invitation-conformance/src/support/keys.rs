//! Keyrings for tests, and the job that moves a store from one to the next.

use invitation_core::{
    Paging, Sealing,
    code::{
        ResealPage,
        keyring::{KeyId, KeySecret, Keyring},
    },
};

use super::{harness::Service, samples::admin};

fn key(name: &str) -> (KeyId, KeySecret) {
    let mut bytes = [0x5a; KeySecret::BYTES];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    (KeyId::new(name).expect("an id"), KeySecret::from_bytes(bytes).expect("a secret"))
}

/// Returns the mode of a service with one key, which also reads codes without a key.
pub(crate) fn first_key() -> Sealing {
    let (id, secret) = key("k1");
    Sealing::keyring(Keyring::new(id, &secret))
}

/// Returns the mode of the first step to a keyring: a service reads what the first key sealed, and
/// still writes without a key.
pub(crate) fn first_key_not_written() -> Sealing {
    first_key().writing_unkeyed()
}

/// Returns the mode of the first step to a new key: a service reads what the second key sealed, and
/// still writes under the first.
pub(crate) fn first_key_and_next() -> Sealing {
    let ((id, secret), (next, new)) = (key("k1"), key("k2"));
    let ring = Keyring::new(id, &secret).with_older(next, &new);
    Sealing::keyring(ring.expect("another key"))
}

/// Returns the mode of a service with a new active key, which also reads what the first
/// key sealed.
pub(crate) fn second_key() -> Sealing {
    let ((id, secret), (older, old)) = (key("k2"), key("k1"));
    let ring = Keyring::new(id, &secret).with_older(older, &old);
    Sealing::keyring(ring.expect("another key"))
}

/// Returns the mode of a service that has the new key only.
pub(crate) fn second_key_only() -> Sealing {
    let ((id, secret), (retired, _)) = (key("k2"), key("k1"));
    let ring = Keyring::new(id, &secret).with_retired(retired);
    Sealing::keyring(ring.expect("another key")).keyed_only()
}

/// Re-seals everything within the administrator's reach, in pages of `limit`. Returns the
/// pages.
pub(crate) async fn reseal_all(service: &Service, limit: u32) -> Vec<ResealPage> {
    let mut pages: Vec<ResealPage> = Vec::new();
    loop {
        let paging = Paging::first(limit).expect("a page");
        let paging = match pages.last().map(ResealPage::next) {
            None => paging,
            Some(Some(cursor)) => paging.after(cursor),
            Some(None) => return pages,
        };
        pages.push(service.reseal(&admin(), paging).await.expect("the administrator may"));
    }
}

/// Returns the number of rows that the pages rewrote.
pub(crate) fn resealed(pages: &[ResealPage]) -> usize {
    pages.iter().map(ResealPage::resealed).sum()
}
