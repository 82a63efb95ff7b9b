//! The result of creating an invitation.

use crate::{code::InvitationCode, invitation::Invitation};

/// A new invitation and its code.
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
