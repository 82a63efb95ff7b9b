//! Guard, change and event: one step of an invitation's life.

use crate::{
    actor::Scope, change::Change, code::CodeDigest, event::Event, guard::Guard, id::InvitationId,
    invitation::Facts, store::Outcome, text::UserId,
};

/// By what an invitation is found.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a target")]
pub enum Target {
    /// By its public key.
    Id(InvitationId),
    /// By its code: one of these digests, at most one of which is stored.
    Code(Vec<CodeDigest>),
}

/// One step, to be made as a whole or not at all: if the target lies in the
/// scope and satisfies the guard, make the change and write the event.
///
/// Only [`decide`](crate::decide::decide()) builds one; a store reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    pub(crate) target: Target,
    pub(crate) scope: Scope,
    pub(crate) guard: Guard,
    pub(crate) change: Change,
    pub(crate) event: Event,
}

impl Transition {
    /// Which invitation.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Where it must lie. Outside of it, it does not exist.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What must hold.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What is then changed.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The evidence of it. A store completes it with the invitation that was
    /// found ([`Event::about`]). Its id is that of the operation.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The answer of a store that found these facts and did not make the change;
    /// `on_record` says whether the event was there already.
    ///
    /// For stores whose guarded statement matches nothing in several cases: it
    /// tells them apart.
    #[must_use]
    pub fn not_made(&self, facts: Facts, on_record: bool) -> Outcome {
        if on_record {
            return Outcome::Replayed(Box::new(facts));
        }
        match &self.change {
            // The invitation's own digest is a taken one too.
            Change::Rotate { digest, .. }
                if *digest == facts.invitation.digest
                    && self.guard.first_refusal(&facts).is_none() =>
            {
                Outcome::CodeTaken
            }
            _ => Outcome::Refused(Box::new(facts)),
        }
    }

    /// Whose own redemption belongs to the facts.
    #[must_use]
    pub fn redeemer(&self) -> Option<&UserId> {
        match &self.change {
            Change::Redeem { user, .. } => Some(user),
            _ => None,
        }
    }
}
