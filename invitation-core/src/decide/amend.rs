//! Deciding on an amendment.

use super::{call::Call, form::Form};
use crate::{
    binding::Binding, detail::Detail, field_error::FieldError, policy::Policy, record::Record,
    refusal::Verdict, text::Role, time::Timestamp,
};

/// The terms that an amendment sets, with the expiry already computed. A term that is
/// `None` stays.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the service and authors of stores build it")]
pub struct NewTerms {
    /// The new binding: to an address, to a domain or to neither.
    pub binding: Option<Binding>,
    /// The new role.
    pub role: Option<Role>,
    /// The new expiry.
    pub expires_at: Option<Timestamp>,
}

impl NewTerms {
    /// Denies a performer without the right to set these terms on any invitation.
    pub(crate) fn check_rights(&self, call: &Call, policy: &Policy) -> Result<(), Verdict> {
        let (role, binding) = (self.role.as_ref(), self.binding.as_ref());
        Form { role, binding, max_uses: None }.check(&call.performer, policy)
    }

    /// Rejects an address for an invitation with several uses.
    pub(super) fn check_uses(&self, current: &Record) -> Result<(), FieldError> {
        match &self.binding {
            Some(binding) if !binding.allows_uses(current.max_uses) => {
                Err(FieldError::new("email", "must not be set if the invitation has several uses"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The detail of the audit event, with masked addresses.
    pub(super) fn detail(&self) -> Detail {
        let mut detail = Detail::none();
        if let Some(binding) = &self.binding {
            detail = bound_to(detail, binding);
        }
        if let Some(role) = &self.role {
            detail = detail.with("role", role.as_str());
        }
        if let Some(expires_at) = self.expires_at {
            detail = detail.with("expires_at", &expires_at.to_string());
        }
        detail
    }
}

/// Returns whether the event with this detail created an invitation for an address.
pub(crate) fn is_for_address(detail: &Detail) -> bool {
    // A masked address has an @; a domain, and the word for anyone, have none.
    detail.get(Detail::BOUND_TO).is_some_and(|to| to.contains('@'))
}

pub(super) fn bound_to(detail: Detail, binding: &Binding) -> Detail {
    match binding {
        Binding::Anyone => detail.with(Detail::BOUND_TO, "anyone"),
        Binding::Address(email) => detail.with(Detail::BOUND_TO, &email.masked()),
        Binding::Domain(domain) => detail.with(Detail::BOUND_TO, domain.as_str()),
    }
}
