//! An invitation as a host sees it.

use std::num::NonZeroU32;

use crate::{
    binding::Binding,
    id::{BatchId, InvitationId},
    inviter::Inviter,
    metadata::Metadata,
    record::Record,
    redemption::{Redemption, UsedBy},
    revocation::Revocation,
    state::State,
    status::Status,
    text::{Division, Role},
    time::Timestamp,
};

/// The facts of one invitation at the time of the call that returned it.
///
/// The code is not among them, in no form: the calls that may show it return it beside the
/// invitation. A store keeps a [`Record`](crate::store::Record).
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Email, Invitation, Status};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let for_anna = Draft::new().for_email(Email::parse("anna@example.com")?);
/// let created = invitations.create(&manager, for_anna).await?;
/// let invitation: &Invitation = created.invitation();
///
/// assert_eq!((invitation.role().as_str(), invitation.division().as_str()), ("staff", "sales"));
/// assert_eq!((invitation.uses(), invitation.max_uses().get()), (0, 1));
/// // The status depends on the time; all other facts do not.
/// assert_eq!(invitation.status(invitation.created_at()), Status::Active);
/// assert_eq!(invitation.status(invitation.expires_at()), Status::Expired);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation(Record);

impl Invitation {
    /// Returns the public id.
    #[must_use]
    pub fn id(&self) -> InvitationId {
        self.0.id
    }

    /// Returns the e-mail address or domain that a redeemer must prove, if there is one.
    #[must_use]
    pub fn binding(&self) -> &Binding {
        &self.0.binding
    }

    /// Returns the role that the newcomer gets.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.0.role
    }

    /// Returns the division that the newcomer joins. It never changes.
    #[must_use]
    pub fn division(&self) -> &Division {
        &self.0.division
    }

    /// Returns the user or system that created the invitation.
    ///
    /// It holds the user's id, role, and the name that the
    /// [actor had](crate::Actor::with_name) at that time.
    #[must_use]
    pub fn inviter(&self) -> &Inviter {
        &self.0.inviter
    }

    /// Returns the user or system whose rights the role is granted by: the creator, then
    /// the user who last changed the role or the expiry, replaced the code, or reinstated it.
    #[must_use]
    pub fn grantor(&self) -> &Inviter {
        &self.0.grantor
    }

    /// Returns the time at which the invitation was created.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Returns the time of expiry. The invitation is valid while `now < expires_at`.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// Returns how many different users may redeem the invitation.
    #[must_use]
    pub fn max_uses(&self) -> NonZeroU32 {
        self.0.max_uses
    }

    /// Returns how many users have redeemed the invitation.
    #[must_use]
    pub fn uses(&self) -> u32 {
        self.0.uses
    }

    /// Returns the number of remaining uses that reservations hold, expired ones included.
    #[must_use]
    pub fn held(&self) -> u32 {
        self.0.held
    }

    /// Returns the latest redemption. A single-use invitation has at most one.
    #[must_use]
    pub fn last_use(&self) -> Option<&Redemption> {
        self.0.last_use.as_ref()
    }

    /// Returns the content of the column *Used By*; none before the first redemption.
    #[must_use]
    pub fn used_by(&self) -> Option<UsedBy<'_>> {
        self.0.used_by()
    }

    /// Returns the time and reason of the revocation; none while the invitation is not
    /// revoked.
    #[must_use]
    pub fn revocation(&self) -> Option<&Revocation> {
        self.0.revocation.as_ref()
    }

    /// Returns the time of deletion. Only a call that repeats an earlier one under its
    /// idempotency key returns a deleted invitation.
    #[must_use]
    pub fn deleted_at(&self) -> Option<Timestamp> {
        self.0.deleted_at
    }

    /// Returns the number of changes of the terms: amend, rotate, revoke and reinstate each
    /// count one.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// Returns the id of the call that created several invitations, this one among them.
    #[must_use]
    pub fn batch(&self) -> Option<BatchId> {
        self.0.batch
    }

    /// Returns the metadata that the host attached.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.0.metadata.as_ref()
    }

    /// Returns the state: the part of the status that does not depend on the clock.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// Returns the status at `now`: the first that applies of used, revoked, expired,
    /// active.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        self.0.status(now)
    }

    /// Returns the time at which the invitation ended, or will end if no change comes
    /// before. See [`Record::ended_at`](crate::store::Record::ended_at).
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.0.ended_at()
    }

    /// Returns the facts as the store keeps them.
    pub(crate) fn record(&self) -> &Record {
        &self.0
    }
}

/// A host's test makes an invitation from the record that it put into a store.
impl From<Record> for Invitation {
    fn from(record: Record) -> Self {
        Self(record)
    }
}
