//! Guard, change and event: one step of an invitation's life.

use crate::{
    actor::Scope,
    change::Change,
    code::CodeDigest,
    event::Event,
    guard::Guard,
    id::InvitationId,
    invitation::{Facts, Invitation},
    lease::Lease,
    quota::{Quota, QuotaOf},
    store::Outcome,
    text::UserId,
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
/// scope and satisfies the guard, and the quotas have room, make the change and
/// write the event.
///
/// Only [`decide`](crate::decide::decide()) builds one; a store reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    pub(crate) target: Target,
    pub(crate) scope: Scope,
    pub(crate) guard: Guard,
    pub(crate) quotas: Vec<Quota>,
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

    /// Which bounds must have room, by ascending [`Quota::of`]: in this order a
    /// store locks them. Empty for most transitions.
    #[must_use]
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// What is then changed.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The evidence of it, still without the invitation. Its id is that of the
    /// operation. What a store writes is [`evidence`](Self::evidence).
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The evidence of having made the change: about `invitation`, as it is after
    /// it, and naming the run-out lease that it `ended`, if it took the use of one
    /// ([`Change::apply_to`] gives it back).
    #[must_use]
    pub fn evidence(&self, invitation: &Invitation, ended: Option<&Lease>) -> Event {
        let event = self.event.clone().about(invitation);
        match ended.filter(|ended| self.redeemer() != Some(&ended.user)) {
            Some(ended) => event.in_place_of(&ended.id),
            None => event,
        }
    }

    /// The answer of a store that found these facts and did not make the change.
    /// `on_record` says whether the event was there already, `full` which quota
    /// had no room.
    ///
    /// For stores whose guarded statement matches nothing in several cases: it
    /// tells them apart.
    #[must_use]
    pub fn not_made(&self, facts: Facts, on_record: bool, full: Option<QuotaOf>) -> Outcome {
        if on_record {
            return Outcome::Replayed(Box::new(facts));
        }
        if self.guard.first_refusal(&facts).is_some() {
            return Outcome::Refused(Box::new(facts));
        }
        match (&self.change, full) {
            (_, Some(of)) => Outcome::QuotaFull(of),
            // The invitation's own digest is a taken one too.
            (Change::Rotate { digest, .. }, None) if *digest == facts.invitation.digest => {
                Outcome::CodeTaken
            }
            (_, None) => Outcome::Refused(Box::new(facts)),
        }
    }

    /// Whose own redemption and lease belong to the facts.
    #[must_use]
    pub fn redeemer(&self) -> Option<&UserId> {
        self.change.redeemer()
    }
}
