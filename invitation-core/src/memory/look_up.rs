//! Looking up an invitation, in a time that does not tell whether a code is unknown, of another
//! division, or deleted.

use super::state::{State, Stored};
use crate::{id::InvitationId, scope::Scope, target::Target, text::UserId, transition::Transition};

impl State {
    pub(super) fn find(&self, target: &Target) -> Option<usize> {
        match target {
            Target::Id(id) => self.by_id.get(id).copied(),
            // An unknown code is looked up under each digest, so a known one is too.
            Target::Code(digests) => digests
                .iter()
                .fold(None, |found, digest| self.by_digest.get(digest).copied().or(found)),
        }
    }

    /// Returns the invitation of a target within a scope, deleted ones included.
    pub(super) fn find_in(&self, target: &Target, scope: &Scope) -> Option<usize> {
        self.find_if(target, |stored| scope.contains(&stored.invitation.division))
    }

    /// Returns the invitation that a user finds by a target.
    pub(super) fn find_of(&self, target: &Target, scope: &Scope, user: &UserId) -> Option<usize> {
        self.find_if(target, |stored| {
            let is_in_scope = scope.contains(&stored.invitation.division);
            is_in_scope & target.finds(&stored.invitation, stored.redemption_of(user))
        })
    }

    /// Returns the invitation that a transition finds. It also finds the one that an event of the
    /// same id is `about`, because the transition was applied before.
    pub(super) fn find_for(
        &self,
        transition: &Transition,
        about: Option<InvitationId>,
    ) -> Option<usize> {
        let (target, scope) = (transition.target(), transition.scope());
        self.find_if(target, |stored| {
            let is_in_scope = scope.contains(&stored.invitation.division);
            let mine = transition.redeemer().and_then(|user| stored.redemption_of(user));
            let is_replay = about == Some(stored.invitation.id);
            is_in_scope & (is_replay | target.finds(&stored.invitation, mine))
        })
    }

    /// Returns the invitation of a target if a condition holds. Without an invitation, it asks the
    /// same of another one, so that the answer takes the same time.
    fn find_if(&self, target: &Target, is_found: impl Fn(&Stored) -> bool) -> Option<usize> {
        let slot = self.find(target);
        let is_found = is_found(self.invitations.get(slot.unwrap_or_default())?);
        slot.filter(|_| is_found)
    }
}
