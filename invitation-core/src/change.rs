//! What a transition does to the facts.

use crate::{
    code::{CodeDigest, CodeTag, SealedCode},
    id::EventId,
    invitation::{Binding, Facts, Redemption, Revocation},
    text::{Role, UserId, Username},
    time::Timestamp,
};

/// A change of the facts of one invitation.
///
/// [`apply_to`](Self::apply_to) is the specification: a store must leave exactly
/// the facts that it leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a change")]
pub enum Change {
    /// Counts a use and remembers whose it was. The granted role is the one
    /// that is stored at that moment.
    Redeem {
        /// The id of the redemption: that of its event.
        id: EventId,
        /// Whose account.
        user: UserId,
        /// Under which name.
        username: Username,
        /// When.
        at: Timestamp,
    },
    /// Changes terms; what is `None` stays. Counts the version up.
    Amend {
        /// Who may redeem.
        binding: Option<Binding>,
        /// As what.
        role: Option<Role>,
        /// Until when.
        expires_at: Option<Timestamp>,
    },
    /// Replaces the code. Counts the version up.
    Rotate {
        /// The new look-up digest.
        digest: CodeDigest,
        /// The new search tag.
        tag: CodeTag,
        /// The new code, sealed.
        sealed: SealedCode,
    },
    /// Withdraws it. Counts the version up.
    Revoke(Revocation),
    /// Undoes the revocation. Counts the version up.
    Reinstate,
    /// Leaves a tombstone.
    Delete {
        /// When.
        at: Timestamp,
    },
}

impl Change {
    /// Makes the change.
    pub fn apply_to(&self, facts: &mut Facts) {
        let invitation = &mut facts.invitation;
        match self {
            Self::Redeem { id, user, username, at } => {
                let redemption = Redemption {
                    id: *id,
                    user: user.clone(),
                    username: username.clone(),
                    at: *at,
                    role: invitation.role.clone(),
                };
                // The guard of a redeem has left room for one more.
                invitation.uses = invitation.uses.saturating_add(1);
                invitation.last_use = Some(redemption.clone());
                facts.mine = Some(redemption);
                return;
            }
            Self::Amend { binding, role, expires_at } => {
                if let Some(binding) = binding {
                    invitation.binding = binding.clone();
                }
                if let Some(role) = role {
                    invitation.role = role.clone();
                }
                if let Some(expires_at) = expires_at {
                    invitation.expires_at = *expires_at;
                }
            }
            Self::Rotate { digest, tag, sealed } => {
                invitation.digest = *digest;
                invitation.tag = *tag;
                invitation.sealed = sealed.clone();
            }
            Self::Revoke(revocation) => invitation.revocation = Some(revocation.clone()),
            Self::Reinstate => invitation.revocation = None,
            Self::Delete { at } => {
                invitation.deleted_at = Some(*at);
                return;
            }
        }
        invitation.version += 1;
    }
}
