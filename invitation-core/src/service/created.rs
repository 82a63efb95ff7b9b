//! The result of creating an invitation.

use crate::{code::InvitationCode, invitation::Invitation};

/// A new invitation and its code.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::IdempotencyKey;
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let key = IdempotencyKey::new("form-7")?;
/// let created = invitations.create_once(&manager, &key, Draft::new()).await?;
/// assert_eq!(created.invitation().role().as_str(), "staff");
/// let code = created.code().reveal(); // to share with the newcomer
///
/// // The same form again, for example after a lost reply.
/// let again = invitations.create_once(&manager, &key, Draft::new()).await?;
/// assert!(again.is_replayed());
/// assert_eq!(*again.code().reveal(), *code);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Created {
    invitation: Invitation,
    code: InvitationCode,
    replayed: bool,
}

impl Created {
    pub(super) fn new(invitation: Invitation, code: InvitationCode) -> Self {
        Self { invitation, code, replayed: false }
    }

    pub(super) fn replayed(invitation: Invitation, code: InvitationCode) -> Self {
        Self { invitation, code, replayed: true }
    }

    /// The stored invitation.
    #[must_use]
    pub fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// The code, to be shared with the person invited.
    #[must_use]
    pub fn code(&self) -> &InvitationCode {
        &self.code
    }

    /// Whether an earlier call with the same idempotency key had created it. In this case
    /// the invitation is returned in its current state.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.replayed
    }
}
