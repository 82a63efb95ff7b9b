//! What hosts ask for: a new invitation, or other terms for one.

use std::num::NonZeroU32;

use crate::{
    email::{Email, EmailDomain},
    invitation::Binding,
    limits::Expiry,
    metadata::Metadata,
    request::Fingerprinting,
    text::{Division, Role},
};

/// An invitation as it is asked for. What is not said is filled in: the role, if
/// the actor may hand out only one; the actor's division; the default lifetime;
/// one use; no binding.
///
/// ```
/// use invitation_core::{Draft, Email, Expiry};
///
/// let draft = Draft::new()
///     .for_email(Email::parse("anna@example.com")?)
///     .expiring(Expiry::InDays(14));
/// # Ok::<_, invitation_core::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Draft {
    pub(crate) binding: Binding,
    pub(crate) role: Option<Role>,
    pub(crate) division: Option<Division>,
    pub(crate) expiry: Expiry,
    pub(crate) max_uses: NonZeroU32,
    pub(crate) metadata: Option<Metadata>,
}

impl Draft {
    /// With nothing said.
    pub fn new() -> Self {
        Self {
            binding: Binding::Anyone,
            role: None,
            division: None,
            expiry: Expiry::Default,
            max_uses: NonZeroU32::MIN,
            metadata: None,
        }
    }

    /// Only for who proves this address. Replaces a domain.
    pub fn for_email(self, email: Email) -> Self {
        Self { binding: Binding::Address(email), ..self }
    }

    /// Only for who proves an address of this domain. Replaces an address.
    pub fn for_domain(self, domain: EmailDomain) -> Self {
        Self { binding: Binding::Domain(domain), ..self }
    }

    /// The role that the newcomer gets.
    pub fn with_role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// The division that the newcomer joins.
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Until when it is valid.
    pub fn expiring(self, expiry: Expiry) -> Self {
        Self { expiry, ..self }
    }

    /// How many different people may redeem it.
    pub fn for_uses(self, max_uses: NonZeroU32) -> Self {
        Self { max_uses, ..self }
    }

    /// Adds everything that is asked for.
    pub(crate) fn tell(&self, all: &mut Fingerprinting) {
        let (kind, binding) = match &self.binding {
            Binding::Anyone => ("anyone", None),
            Binding::Address(email) => ("address", Some(email.as_str())),
            Binding::Domain(domain) => ("domain", Some(domain.as_str())),
        };
        let expiry = match self.expiry {
            Expiry::Default => "default".to_owned(),
            Expiry::At(at) => format!("at {at}"),
            Expiry::InDays(days) => format!("in {days} days"),
        };
        all.part(Some(kind));
        all.part(binding);
        all.part(self.role.as_ref().map(Role::as_str));
        all.part(self.division.as_ref().map(Division::as_str));
        all.part(Some(&expiry));
        all.part(Some(&self.max_uses.to_string()));
        all.part(self.metadata.as_ref().map(Metadata::as_json));
    }

    /// What the host wants to keep with it.
    pub fn with_metadata(self, metadata: Metadata) -> Self {
        Self { metadata: Some(metadata), ..self }
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self::new()
    }
}

/// Other terms for an invitation: what is not said stays. The code stays the
/// same in any case.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct Amendment {
    pub(crate) binding: Option<Binding>,
    pub(crate) role: Option<Role>,
    pub(crate) expiry: Option<Expiry>,
}

impl Amendment {
    /// With nothing said.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds it to this address instead: the old one is worth nothing any more.
    pub fn for_email(self, email: Email) -> Self {
        Self { binding: Some(Binding::Address(email)), ..self }
    }

    /// Binds it to this domain instead.
    pub fn for_domain(self, domain: EmailDomain) -> Self {
        Self { binding: Some(Binding::Domain(domain)), ..self }
    }

    /// Lets anyone redeem it who holds the code.
    pub fn for_anyone(self) -> Self {
        Self { binding: Some(Binding::Anyone), ..self }
    }

    /// Lets it carry another role. Who created the invitation must be able to hand
    /// it out too, or the code cannot be redeemed: at that moment the inviter's
    /// role is what counts, whoever amended.
    pub fn with_role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Sets when it expires, counted from the time of the call.
    pub fn expiring(self, expiry: Expiry) -> Self {
        Self { expiry: Some(expiry), ..self }
    }
}

/// Which version of an invitation a change is meant for (HTTP's `If-Match`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum IfVersion {
    /// Whatever it is.
    #[default]
    Any,
    /// This one; another is a
    /// [`VersionMismatch`](crate::Refusal::VersionMismatch).
    Exactly(u64),
}
