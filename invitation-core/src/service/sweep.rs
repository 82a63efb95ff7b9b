//! Work on many invitations at once: withdrawing them, and removing old ones.

use std::num::NonZeroU32;

use time::Duration;

use super::{Criteria, Cursor, Invitations, Paging, administer::checked_reason, cursor::ListOf};
use crate::{
    actor::{Acting, Actor},
    decide::{Call, Command, decide},
    draft::IfVersion,
    error::{Error, StoreError, StoreErrorKind},
    event::{Action, Detail},
    id::InvitationId,
    limits::Limits,
    policy::Right,
    purge::{Purge, Purged},
    store::{Outcome, Store},
};

/// A page of invitations that were withdrawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokedPage {
    revoked: Vec<InvitationId>,
    next: Option<Cursor>,
}

impl RevokedPage {
    /// Those that were withdrawn by this call.
    #[must_use]
    pub fn revoked(&self) -> &[InvitationId] {
        &self.revoked
    }

    /// Where to go on; none when all are withdrawn.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

impl<S: Store> Invitations<S> {
    /// Withdraws, page by page, everything that the criteria mean and that can be
    /// withdrawn: what has uses left and is not revoked yet, expired ones too. Go on
    /// with [`RevokedPage::next`] until there is none.
    ///
    /// Each invitation is withdrawn in a step of its own, with its event. What was
    /// done stays done when a later page fails: go on from the last cursor, or begin
    /// anew. Invitations created after the first page are not touched, unless the
    /// caller begins anew.
    ///
    /// Two calls to the store for each page.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] as for [`revoke`](Self::revoke), and for a search or
    /// cursor that is not one; [`Error::Refused`]: `Forbidden`,
    /// `DivisionNotAllowed`; [`Error::Store`], [`Error::Entropy`].
    pub async fn revoke_all(
        &self,
        actor: &Actor,
        criteria: &Criteria,
        reason: Option<&str>,
        paging: Paging,
    ) -> Result<RevokedPage, Error> {
        let call = self.call_by(actor.into())?;
        let named = criteria.division.as_ref();
        self.permit(actor.into(), &call, Right::Revoke, Action::Revoke, named).await?;
        let reason = reason.map(checked_reason).transpose()?;
        let now = paging.time(call.now);
        let page = paging.page(ListOf::Invitations)?;
        let (filter, query) = self.filter(actor, criteria, now)?;
        let scope = self.reach(actor, &call, named, Action::Revoke).await?;

        let (policy, limits) = (&self.settings.policy, &self.settings.limits);
        let listing = self.store.list(&scope, &filter, &page).await?;
        let mut transitions = Vec::with_capacity(listing.items.len());
        for invitation in &listing.items {
            let code = self.open(invitation).ok();
            let is_meant =
                query.as_ref().is_none_or(|query| query.finds(invitation, code.as_ref()));
            if is_meant && invitation.has_uses_left() && invitation.revocation.is_none() {
                let id = self.state.ids.event(call.now, self.entropy())?;
                let own = Call { id, ..call.clone() };
                let command = Command::Revoke { id: invitation.id, reason: reason.clone() };
                let scope = scope.clone();
                transitions
                    .extend(decide(command, scope, IfVersion::Any, &own, policy, limits).ok());
            }
        }
        let mut revoked = Vec::with_capacity(transitions.len());
        let outcomes = self.store.apply(&transitions).await;
        if outcomes.len() != transitions.len() {
            return Err(StoreError::new(StoreErrorKind::Corrupt, "revoke").into());
        }
        for (transition, outcome) in transitions.iter().zip(outcomes) {
            match outcome? {
                Outcome::Applied(facts) | Outcome::Replayed(facts) => {
                    revoked.push(facts.invitation.id);
                }
                // Used, revoked, deleted or purged since it was listed: nothing to withdraw.
                Outcome::Refused(facts) if transition.guard().first_refusal(&facts).is_some() => {}
                Outcome::Missing => {}
                // It could be withdrawn by now: whoever calls again does it.
                Outcome::Refused(_) | Outcome::QuotaFull(_) | Outcome::CodeTaken => {
                    return Err(StoreError::new(StoreErrorKind::Conflict, "revoke").into());
                }
            }
        }
        let next = listing.next.map(|position| Cursor::behind(ListOf::Invitations, position, now));
        Ok(RevokedPage { revoked, next })
    }

    /// Removes for good, within the actor's reach, up to `max` invitations that have
    /// been over for longer than `age`: deleted, used up, revoked or expired. Call
    /// it again while [`Purged::more`] is set.
    ///
    /// What is removed is unknown from then on, to its redeemers too, and cannot be
    /// extended or reinstated; its events stay. Until then its code is kept, so that
    /// it is never issued again; after that, the same code coming up again is as
    /// likely as guessing it ([`CodeFormat`](crate::CodeFormat) tells the bits).
    /// Idempotency keys are forgotten with what was created under them.
    ///
    /// One call to the store, with one event for all that it removes.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the age is less than [`Limits::MIN_RETENTION`], or
    /// when `max` is beyond [`Limits::batch`]; [`Error::Refused`]: `Forbidden`;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn purge(
        &self,
        acting: impl Into<Acting<'_>>,
        age: Duration,
        max: NonZeroU32,
    ) -> Result<Purged, Error> {
        let acting = acting.into();
        let call = self.call_by(acting)?;
        self.permit(acting, &call, Right::Purge, Action::Purge, None).await?;
        let before = Limits::purge_before(age, call.now)?;
        self.settings.limits.check_batch("max", max)?;
        let scope = acting.scope();
        let event = call.done(Action::Purge, Detail::none().with("before", &before.to_string()));
        let event = event.within(&scope);
        Ok(self.store.purge(&Purge { scope, before, max, event }).await?)
    }
}
