//! Transitions: a guard, a change and an event, applied in one atomic step.

use crate::{
    change::Change,
    code::CodeDigest,
    email::EmailKey,
    event::Event,
    facts::Facts,
    guard::Guard,
    lease::Lease,
    outcome::Outcome,
    quota::{Quota, QuotaOf},
    record::Record,
    scope::Scope,
    target::Target,
    text::UserId,
};

/// One step that a store applies completely or not at all.
///
/// If the target lies in the scope, satisfies the guard, and all quotas have room, the
/// store makes the change and writes the event. Only [`decide`](crate::decide::decide())
/// builds a transition; a store reads it.
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
    /// Returns the key of the invitation.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Returns the divisions in which the target must lie. An invitation outside of them
    /// does not exist for the transition.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the conditions that must hold.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Returns the quotas that must have room, by ascending [`Quota::of`]. A store locks
    /// them in this order. Empty for most transitions.
    #[must_use]
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// Returns the change to make.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// Returns the audit event, without the invitation. Its id is that of the operation.
    /// A store writes [`evidence`](Self::evidence) instead, which is complete.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Returns the complete audit event of the change that was made.
    ///
    /// `invitation` is the invitation after the change. `ended` is the lease that
    /// [`Change::apply_to`] returned; if it belonged to a different user, the event names
    /// it. An event that [several changes share](Change::shares_event) names no invitation.
    #[must_use]
    pub fn evidence(&self, invitation: &Record, ended: Option<&Lease>) -> Event {
        if self.change.shares_event() {
            return self.event.clone();
        }
        let event = self.event.clone().about(invitation);
        match ended.filter(|ended| self.redeemer() != Some(&ended.user)) {
            Some(ended) => event.taken_over_from(&ended.id),
            None => event,
        }
    }

    /// Returns the digest that the change gives to the invitation, if it moves it. No
    /// invitation, tombstones included, may have it: if one does, the outcome is
    /// [`Outcome::CodeTaken`].
    #[must_use]
    pub fn new_digest(&self) -> Option<&CodeDigest> {
        let is_present = |digest: &CodeDigest| match &self.target {
            Target::Code(present) => {
                self.change.shares_event() && present.as_slice() == std::slice::from_ref(digest)
            }
            Target::Id(_) => false,
        };
        self.change.new_digest().filter(|digest| !is_present(digest))
    }

    /// Returns the answer of a store that found `facts` and did not make the change.
    ///
    /// `on_record` says whether the store already held the event, and is false if the change
    /// [shares its event](Change::shares_event). `full` is the quota
    /// that had no room, if there was one. The method is for stores whose guarded
    /// statement has no effect in several cases; it tells these cases apart.
    #[must_use]
    pub fn not_made(&self, facts: Facts, on_record: bool, full: Option<QuotaOf>) -> Outcome {
        if on_record {
            return Outcome::Replayed(Box::new(facts));
        }
        if self.guard.first_refusal(&facts).is_some() {
            return Outcome::Refused(Box::new(facts));
        }
        if let Some(of) = full {
            return Outcome::QuotaFull(of);
        }
        // The digest of the invitation itself counts as a taken digest too.
        if self.new_digest() == Some(&facts.invitation.digest) {
            return Outcome::CodeTaken;
        }
        Outcome::Refused(Box::new(facts))
    }

    /// Returns the user whose redemption and lease belong to the facts.
    #[must_use]
    pub fn redeemer(&self) -> Option<&UserId> {
        self.change.redeemer()
    }

    /// Returns the mailbox whose redemption and lease belong to the facts about
    /// `invitation`: the proved address, if the invitation is bound to a domain.
    #[must_use]
    pub fn mailbox_on(&self, invitation: &Record) -> Option<&EmailKey> {
        invitation.binding.mailbox(self.change.address())
    }
}
