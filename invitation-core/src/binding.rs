//! The address or domain to which a code is bound.

use std::num::NonZeroU32;

use crate::email::{Email, EmailDomain, EmailKey};

/// The e-mail address or domain that a redeemer of a code must prove.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Binding, Email, EmailDomain};
///
/// let anna = Email::parse("Anna@example.com")?;
/// let domain = Binding::Domain(EmailDomain::parse("example.com")?);
/// assert!(domain.is_met_by(Some(anna.key())) && !domain.is_met_by(None));
///
/// let address = Binding::Address(Email::parse("anna@EXAMPLE.com")?);
/// assert!(address.is_met_by(Some(anna.key())));
/// assert!(!address.is_met_by(Some(Email::parse("ben@example.com")?.key())));
/// assert!(Binding::Anyone.is_met_by(None));
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a binding")]
pub enum Binding {
    /// No address: every holder of the code may redeem it.
    #[default]
    Anyone,
    /// The redeemer must prove this address.
    Address(Email),
    /// The redeemer must prove any address of this domain. Each address redeems the
    /// invitation once, whatever user id it comes with.
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

    /// Returns the mailbox that a redemption with this proved address uses up: the address,
    /// if the code is bound to a domain. No other function defines this rule.
    ///
    /// A code bound to an address has one use, and an address that is proved for an unbound
    /// code is not stored.
    #[must_use]
    pub fn mailbox<'a>(&self, proved: Option<&'a EmailKey>) -> Option<&'a EmailKey> {
        match self {
            Self::Domain(_) => proved,
            Self::Anyone | Self::Address(_) => None,
        }
    }

    /// Returns whether an invitation with this binding may have `max_uses` uses. One mailbox
    /// has one use, so a code that is bound to an address has one. No other function defines
    /// this rule.
    #[must_use]
    pub fn allows_uses(&self, max_uses: NonZeroU32) -> bool {
        match self {
            Self::Address(_) => max_uses == NonZeroU32::MIN,
            Self::Anyone | Self::Domain(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailbox_and_number_of_uses_follow_the_binding() {
        let email = Email::parse("Anna@Example.com").unwrap();
        let two = NonZeroU32::MIN.saturating_add(1);
        for (binding, has_mailbox, allows_two) in [
            (Binding::Anyone, false, true),
            (Binding::Address(email.clone()), false, false),
            (Binding::Domain(EmailDomain::parse("example.com").unwrap()), true, true),
        ] {
            let mailbox = binding.mailbox(Some(email.key()));
            assert_eq!(mailbox, has_mailbox.then_some(email.key()), "{binding:?}");
            assert_eq!(binding.mailbox(None), None, "{binding:?}");
            assert!(binding.allows_uses(NonZeroU32::MIN), "{binding:?}");
            assert_eq!(binding.allows_uses(two), allows_two, "{binding:?}");
        }
    }
}
