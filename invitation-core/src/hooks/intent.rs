//! The values that the hooks get: the command, its performer and the terms of the invitations.

use std::num::NonZeroU32;

use crate::{
    binding::Binding,
    decide::NewTerms,
    id::{BatchId, EventId, InvitationId},
    inviter::Inviter,
    metadata::Metadata,
    performer::Performer,
    record::Record,
    request_context::RequestContext,
    string_enum::string_enum,
    text::{Division, Role},
    time::Timestamp,
};

string_enum! {
    /// The kind of a command.
    #[non_exhaustive]
    CommandKind, "command" {
        /// To create one invitation.
        Create = "create",
        /// To create the invitations of a list or file.
        CreateMany = "create_many",
        /// To redeem a code.
        Redeem = "redeem",
        /// To hold a use of a code while the host creates the account.
        Reserve = "reserve",
        /// To redeem a held use. The account exists already.
        Commit = "commit",
        /// To change the address, expiry or role.
        Amend = "amend",
        /// To replace the code.
        Rotate = "rotate",
        /// To revoke.
        Revoke = "revoke",
        /// To undo a revocation.
        Reinstate = "reinstate",
        /// To delete.
        Delete = "delete",
        /// To send the mail with the code again.
        Resend = "resend",
    }
}

/// The terms of one invitation, without its code.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct InvitationTerms {
    /// The id; none before the invitation is created.
    pub id: Option<InvitationId>,
    /// The role that the newcomer gets.
    pub role: Role,
    /// The division that the newcomer joins.
    pub division: Division,
    /// The e-mail address or domain that a redeemer must prove, if there is one.
    pub binding: Binding,
    /// The time of expiry.
    pub expires_at: Timestamp,
    /// How many different users may redeem the invitation.
    pub max_uses: NonZeroU32,
    /// How many users have redeemed it.
    pub uses: u32,
    /// The user or system that created it, or is about to.
    pub inviter: Inviter,
    /// The batch that it was created in. None before the invitation is created.
    pub batch: Option<BatchId>,
    /// The metadata that the host attached.
    pub metadata: Option<Metadata>,
}

impl InvitationTerms {
    pub(crate) fn of(invitation: &Record) -> Self {
        Self {
            id: Some(invitation.id),
            role: invitation.role.clone(),
            division: invitation.division.clone(),
            binding: invitation.binding.clone(),
            expires_at: invitation.expires_at,
            max_uses: invitation.max_uses,
            uses: invitation.uses,
            inviter: invitation.inviter.clone(),
            batch: invitation.batch,
            metadata: invitation.metadata.clone(),
        }
    }

    /// Returns the terms after an amendment.
    pub(crate) fn amended(self, new: &NewTerms) -> Self {
        let NewTerms { binding, role, expires_at } = new.clone();
        Self {
            binding: binding.unwrap_or(self.binding),
            role: role.unwrap_or(self.role),
            expires_at: expires_at.unwrap_or(self.expires_at),
            ..self
        }
    }
}

/// A command that a performer is about to do. It contains no code.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Intent {
    /// The kind of the command.
    pub kind: CommandKind,
    /// The id of the call. If the command is about one invitation, the event has this id.
    pub call: EventId,
    /// The time of the call, by the clock of the service.
    pub at: Timestamp,
    /// The actor, the system or the redeemer.
    pub performer: Performer,
    /// The context that the host gave the call.
    pub context: RequestContext,
    /// The invitations that the command is about, on the terms that they have before it. For a
    /// creation, on the terms that they will have.
    pub invitations: Vec<InvitationTerms>,
    /// The new terms, if the command is an [`Amend`](CommandKind::Amend).
    pub amended: Option<InvitationTerms>,
}

/// A command that was done, and that the store has kept. It contains no code.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Done {
    /// The kind of the command.
    pub kind: CommandKind,
    /// The id of the call, as in the [`Intent`].
    pub call: EventId,
    /// The time of the call, by the clock of the service.
    pub at: Timestamp,
    /// The actor, the system or the redeemer.
    pub performer: Performer,
    /// The context that the host gave the call.
    pub context: RequestContext,
    /// The invitations that were created or changed, on the terms that they have now.
    pub invitations: Vec<InvitationTerms>,
}
