//! The address or domain to which a code is bound.

use crate::email::{Email, EmailDomain, EmailKey};

/// The e-mail address or domain that a redeemer of a code must prove.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a binding")]
pub enum Binding {
    /// No address: every holder of the code may redeem it.
    #[default]
    Anyone,
    /// The redeemer must prove this address.
    Address(Email),
    /// The redeemer must prove any address of this domain.
    Domain(EmailDomain),
}

impl Binding {
    /// Returns whether a redeemer with this proved address, or with none, may redeem the
    /// code.
    #[must_use]
    pub fn is_met_by(&self, address: Option<&EmailKey>) -> bool {
        match (self, address) {
            (Self::Anyone, _) => true,
            (_, None) => false,
            (Self::Address(bound), Some(address)) => bound.key() == address,
            (Self::Domain(bound), Some(address)) => bound.as_str() == address.domain(),
        }
    }
}
