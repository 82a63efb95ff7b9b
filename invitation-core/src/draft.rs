//! Drafts and amendments: the input for a new invitation, or for new terms of an existing
//! one.

use std::num::NonZeroU32;

use crate::{
    binding::Binding,
    email::{Email, EmailDomain},
    limits::Expiry,
    metadata::Metadata,
    request::Fingerprinting,
    text::{Division, Role},
};

/// The requested terms of a new invitation. Terms that are not set get these defaults:
///
/// - role: the role that the actor may grant, if there is only one;
/// - division: the actor's home division;
/// - expiry: the default lifetime;
/// - uses: one;
/// - binding: none, so that every holder of the code may redeem it.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Draft, Email, Expiry};
///
/// let draft = Draft::new()
///     .for_email(Email::parse("anna@example.com")?)
///     .expiring(Expiry::InDays(14));
/// assert_eq!(draft.role(), None); // the default, which depends on the actor
/// # Ok::<_, invitation::FieldError>(())
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
    /// Returns a draft with no terms set.
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

    /// Binds the code to this address: the redeemer must prove it. Replaces a domain. Such an
    /// invitation has one use; a draft with more is invalid.
    pub fn for_email(self, email: Email) -> Self {
        Self { binding: Binding::Address(email), ..self }
    }

    /// Binds the code to this domain: the redeemer must prove an address of it. Each address
    /// redeems the invitation once, whatever user id it comes with. Replaces an address.
    pub fn for_domain(self, domain: EmailDomain) -> Self {
        Self { binding: Binding::Domain(domain), ..self }
    }

    /// Sets the role that the newcomer gets.
    pub fn with_role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Sets the division that the newcomer joins.
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Sets the time until which the invitation is valid.
    pub fn expiring(self, expiry: Expiry) -> Self {
        Self { expiry, ..self }
    }

    /// Sets how many different users may redeem the invitation.
    pub fn for_uses(self, max_uses: NonZeroU32) -> Self {
        Self { max_uses, ..self }
    }

    /// Returns the role that the newcomer gets; none if the draft names none.
    #[must_use]
    pub fn role(&self) -> Option<&Role> {
        self.role.as_ref()
    }

    /// Adds all terms of the draft to the fingerprint of the request.
    pub(crate) fn tell(&self, all: &mut Fingerprinting) {
        all.binding(&self.binding);
        all.part(self.role.as_ref().map(Role::as_str));
        all.part(self.division.as_ref().map(Division::as_str));
        all.expiry(self.expiry);
        all.part(Some(&self.max_uses.to_string()));
        all.part(self.metadata.as_ref().map(Metadata::as_json));
    }

    /// Sets metadata that the host wants to store with the invitation.
    pub fn with_metadata(self, metadata: Metadata) -> Self {
        Self { metadata: Some(metadata), ..self }
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self::new()
    }
}

/// New terms for an existing invitation. Terms that are not set keep their value. An
/// amendment never changes the code.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Amendment, Expiry, IfVersion};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let created = invitations.create(&manager, Draft::new()).await?;
/// let id = created.invitation().id();
///
/// // A manager may not do this. An administrator makes the newcomer a manager, too.
/// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?);
/// let better = Amendment::new().with_role(Role::new("manager")?).expiring(Expiry::InDays(30));
/// let amended = invitations.amend(&admin, id, better, IfVersion::Any).await?;
/// assert_eq!(amended.role().as_str(), "manager");
/// assert_eq!(*invitations.copy(&admin, id).await?.reveal(), *created.code().reveal());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct Amendment {
    pub(crate) binding: Option<Binding>,
    pub(crate) role: Option<Role>,
    pub(crate) expiry: Option<Expiry>,
}

impl Amendment {
    /// Returns an amendment with no terms set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds the invitation to this address. A proof of the previous address is no longer
    /// enough. An invitation for several uses cannot be bound to an address.
    pub fn for_email(self, email: Email) -> Self {
        Self { binding: Some(Binding::Address(email)), ..self }
    }

    /// Binds the invitation to this domain, which replaces the previous binding.
    pub fn for_domain(self, domain: EmailDomain) -> Self {
        Self { binding: Some(Binding::Domain(domain)), ..self }
    }

    /// Removes the binding: every holder of the code may redeem it.
    pub fn for_anyone(self) -> Self {
        Self { binding: Some(Binding::Anyone), ..self }
    }

    /// Sets another role.
    ///
    /// The user who amends the invitation becomes its
    /// [grantor](crate::Invitation::grantor). The policy must let this user's role grant the new
    /// role, when the invitation is amended and when it is redeemed.
    pub fn with_role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Sets the expiry. Relative expiries count from the time of the call.
    pub fn expiring(self, expiry: Expiry) -> Self {
        Self { expiry: Some(expiry), ..self }
    }
}

/// The version of an invitation to which a change applies (HTTP's `If-Match`).
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{IfVersion, Refusal};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let created = invitations.create(&manager, Draft::new()).await?;
/// let (id, seen) = (created.invitation().id(), created.invitation().version());
///
/// // Two administrators look at the same row. Only the first one changes what both saw.
/// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?);
/// invitations.revoke(&admin, id, None, IfVersion::Exactly(seen)).await?;
/// let late = invitations.delete(&admin, id, IfVersion::Exactly(seen)).await.unwrap_err();
/// assert_eq!(late.refusal(), Some(&Refusal::VersionMismatch { current: seen + 1 }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum IfVersion {
    /// The change applies to every version.
    #[default]
    Any,
    /// This version only. If the invitation has another one, the change is refused with
    /// [`VersionMismatch`](crate::Refusal::VersionMismatch).
    Exactly(u64),
}
