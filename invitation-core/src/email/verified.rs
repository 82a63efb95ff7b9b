//! Addresses that are proved to belong to the redeemer.

use super::Email;

/// An address that the host has proved to belong to the redeemer, by a mail that was
/// answered or by a trusted identity provider.
///
/// It has no deserialiser, because ownership is a finding of the host and never an input.
///
/// For a code that is bound to a domain, its comparison form is the mailbox that redeems: one
/// mailbox redeems an invitation once, whatever user id it comes with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedEmail(Email);

impl VerifiedEmail {
    /// Returns `email` as proved: the host vouches that it belongs to the redeemer.
    #[must_use]
    pub fn vouched_by_host(email: Email) -> Self {
        Self(email)
    }

    /// Returns the address.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.0
    }
}
