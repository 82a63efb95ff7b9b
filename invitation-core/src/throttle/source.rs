//! The source of an attempt, as budgets distinguish sources.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use sha2::{Digest, Sha256};

use super::BudgetKey;
use crate::{code::CodeDigest, text::Source};

/// The source of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GuessSource<'a> {
    /// An IPv4 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6Prefix([u8; 8]),
    /// A text that is no address.
    Text(&'a str),
    /// The host gave no source.
    Unknown,
}

impl<'a> GuessSource<'a> {
    pub(super) fn of(source: Option<&'a Source>) -> Self {
        let Some(text) = source.map(Source::as_str) else { return Self::Unknown };
        match address(text.trim()) {
            Some(IpAddr::V4(address)) => Self::V4(address.octets()),
            Some(IpAddr::V6(address)) => Self::V6Prefix(prefix(address)),
            None => Self::Text(text),
        }
    }

    /// Returns the key of the source's budget.
    pub(super) fn key(&self) -> BudgetKey {
        self.hashed(&[])
    }

    /// Returns the key of the source's budget for one code.
    pub(super) fn key_with(&self, code: &CodeDigest) -> BudgetKey {
        self.hashed(code.as_bytes())
    }

    fn hashed(&self, code: &[u8]) -> BudgetKey {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::V4(address) => (4, address),
            Self::V6Prefix(prefix) => (6, prefix),
            Self::Text(text) => (1, text.as_bytes()),
            Self::Unknown => (0, &[]),
        };
        let mut hash = Sha256::new();
        hash.update(b"invitation/guesses/v1\0");
        // The code is empty or has 32 bytes, so no two inputs have the same concatenation.
        hash.update([kind, u8::from(!code.is_empty())]);
        hash.update(code);
        hash.update(bytes);
        BudgetKey::from_bytes(hash.finalize().into())
    }
}

/// Reads an address, which may have a port, brackets, or the zone of a link-local address.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(with_port) = text.parse::<SocketAddr>() {
        return Some(with_port.ip().to_canonical());
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let without_zone = bare.split_once('%').map_or(bare, |(address, _)| address);
    let address = without_zone.parse().ok()?;
    // An IPv4 address that a socket for both versions shows as IPv6 is the same source.
    Some(IpAddr::to_canonical(&address))
}

fn prefix(address: Ipv6Addr) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&address.octets()[..8]);
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one_source_and_other_texts_are_themselves() {
        let net = GuessSource::V6Prefix([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1]);
        let v4 = GuessSource::V4([192, 0, 2, 7]);
        for (text, expected) in [
            ("2001:db8:0:1::1", net),
            ("2001:0DB8:0000:0001:ffff:ffff:ffff:ffff", net),
            ("2001:db8::1:0:0:192.0.2.1", net),
            (" [2001:db8:0:1::9]:443 ", net),
            ("[2001:db8:0:1::9]", net),
            ("2001:db8:0:1::9%eth0", net),
            ("192.0.2.7", v4),
            ("192.0.2.7:50000", v4),
            ("::ffff:192.0.2.7", v4),
            ("[::ffff:c000:207]:80", v4),
            ("192.0.2.07", GuessSource::Text("192.0.2.07")),
            ("kiosk 3", GuessSource::Text("kiosk 3")),
        ] {
            assert_eq!(GuessSource::of(Some(&Source::from_stored(text))), expected, "{text}");
        }
        assert_eq!(GuessSource::of(None), GuessSource::Unknown);
        let other_net = Source::from_stored("2001:db8:0:2::1");
        assert_ne!(GuessSource::of(Some(&other_net)), net);
    }
}
