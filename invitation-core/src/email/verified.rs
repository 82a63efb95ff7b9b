//! Addresses that are proved to belong to the redeemer.

use super::Email;

/// An address that the host has proved to belong to the redeemer, by a mail that was
/// answered or by a trusted identity provider.
///
/// It has no deserialiser, because ownership is a finding of the host and never an input.
///
/// For a code that is bound to a domain, its comparison form is the mailbox that redeems: one
/// mailbox redeems an invitation once, whatever user id it comes with.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Email, Redeemer, Refusal, Username, VerifiedEmail, EmailDomain};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?)
///     .based_in(Division::new("sales")?);
/// let for_all = Draft::new()
///     .with_role(Role::new("staff")?)
///     .for_domain(EmailDomain::parse("example.com")?)
///     .for_uses(100_u32.try_into()?);
/// let code = invitations.create(&admin, for_all).await?.code().reveal();
///
/// // A mail with a link was answered, so the host vouches for the address.
/// let proved = VerifiedEmail::vouched_by_host(Email::parse("anna@example.com")?);
/// let with_mail = |id, name| -> Result<_, invitation::FieldError> {
///     Ok(Redeemer::new(UserId::new(id)?, Username::new(name)?).with_email(proved.clone()))
/// };
/// invitations.redeem(&code, &with_mail("u-2", "anna")?).await?;
///
/// // The same mailbox gets no second account.
/// let refused = invitations.redeem(&code, &with_mail("u-3", "anna2")?).await.unwrap_err();
/// assert_eq!(refused.refusal(), Some(&Refusal::Used));
/// # Ok(())
/// # }
/// ```
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
