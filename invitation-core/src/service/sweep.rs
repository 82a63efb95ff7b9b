//! Operations on many invitations: revoking and purging them.

use std::num::NonZeroU32;

use time::Duration;

use super::{Criteria, Invitations, Paging, evidence::Place, hooks::send, reason::checked_reason};
use crate::{
    actor::Caller,
    cursor::{Cursor, ListOf},
    decide::{Call, Command, decide},
    detail::Detail,
    draft::IfVersion,
    error::Error,
    event::Action,
    hooks::CommandKind,
    id::InvitationId,
    limits::Limits,
    outcome::Outcome,
    policy::Right,
    purge::{Purge, Purged},
    report,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    target::Target,
};

/// A page of invitations that were revoked.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Criteria, Paging, RevokedPage};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// # let admin = Actor::across_divisions(UserId::new("u-0")?, Role::new("admin")?);
/// for _ in 0..3 {
///     invitations.create(&manager, Draft::new()).await?;
/// }
/// // The manager has left: all open invitations of hers end, a page at a time.
/// let hers = Criteria::new().by_inviter(UserId::new("u-1")?);
/// let (mut paging, mut revoked) = (Paging::first(2)?, 0);
/// loop {
///     let page: RevokedPage = invitations.revoke_all(&admin, &hers, None, paging).await?;
///     revoked += page.revoked().len();
///     let Some(next) = page.next() else { break };
///     paging = Paging::first(2)?.after(next);
/// }
/// assert_eq!(revoked, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevokedPage {
    revoked: Vec<InvitationId>,
    unverified: Vec<InvitationId>,
    next: Option<Cursor>,
}

impl RevokedPage {
    /// The invitations that this call revoked.
    #[must_use]
    pub fn revoked(&self) -> &[InvitationId] {
        &self.revoked
    }

    /// The invitations that a search by code may mean and that this call did not revoke,
    /// because their stored codes are damaged and cannot be compared with the search.
    /// Their codes can still be redeemed: [`revoke`](Invitations::revoke) them by id.
    #[must_use]
    pub fn unverified(&self) -> &[InvitationId] {
        &self.unverified
    }

    /// The cursor to continue with; `None` when all are revoked, except those that are
    /// [unverified](Self::unverified).
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

impl<S: Store> Invitations<S> {
    /// Revokes, page by page, every invitation that matches the criteria and can be
    /// revoked: it has uses left and is not revoked yet; expired ones are included.
    /// Continue with [`RevokedPage::next`] until it is `None`. A search by code cannot
    /// check damaged codes: see [`RevokedPage::unverified`].
    ///
    /// Each invitation is revoked in a step of its own, with its event. If a later page
    /// fails, earlier pages stay revoked: continue from the last cursor, or begin again.
    /// Invitations created after the first page are not revoked, unless the caller begins
    /// again. The host's [hooks](crate::hooks) are asked once for each page.
    ///
    /// Two calls to the store for each page, and those by which [`list`](Self::list) checks a
    /// search for the beginning of a code.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] as for [`revoke`](Self::revoke), and for an invalid
    /// search or cursor; [`Error::Refused`]: `Forbidden`,
    /// `DivisionNotAllowed`; [`Error::Store`], [`Error::Entropy`].
    pub async fn revoke_all(
        &self,
        caller: impl Into<Caller<'_>>,
        criteria: &Criteria,
        reason: Option<&str>,
        paging: Paging,
    ) -> Result<RevokedPage, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        let named = criteria.division.as_ref();
        self.permit(caller, &call, Right::Revoke, Action::Revoke, named).await?;
        let reason = checked_reason(reason)?;
        let now = paging.time(call.now);
        let list_of = ListOf::invitations(criteria.order);
        let page = paging.page(list_of)?;
        let (filter, query) = self.filter(caller, criteria, now)?;
        let scope = self.reach(caller, &call, named, Action::Revoke).await?;

        let (policy, limits) = (&self.settings.policy, &self.settings.limits);
        let listing = self.store.list(&scope, &filter, &page).await?;
        let (mut transitions, mut meant) = (Vec::with_capacity(listing.items.len()), Vec::new());
        let mut unverified = Vec::new();
        for invitation in &listing.items {
            if !invitation.has_uses_left() || invitation.revocation.is_some() {
                continue;
            }
            let code = self.open(invitation);
            if !self.is_meant(query.as_ref(), invitation, code.as_ref().ok()).await? {
                // Redeeming needs only the digest, so a code that cannot be opened still
                // works. It must not keep the rest of the page from being revoked.
                if code.is_err() {
                    unverified.push(invitation.id);
                }
                continue;
            }
            let id = self.state.ids.event(call.now, self.entropy())?;
            let own = Call { id, ..call.clone() };
            let command = Command::Revoke { id: invitation.id, reason: reason.clone() };
            match decide(command, scope.clone(), IfVersion::Any, &own, policy, limits) {
                Ok(transition) => {
                    transitions.push(transition);
                    meant.push(invitation);
                }
                Err(verdict) => {
                    let target = Target::Id(invitation.id);
                    return Err(self.refuse_about(&own, Action::Revoke, &target, verdict).await);
                }
            }
        }
        if !meant.is_empty() {
            let intent = self.intent(CommandKind::Revoke, &call, meant);
            let place = Place::named_or_home(named.cloned(), caller);
            self.consent_or_refuse(intent, &call, Action::Revoke, place).await?;
        }
        let mut revoked = Vec::with_capacity(transitions.len());
        let outcomes = self.store.apply(&transitions).await;
        if outcomes.len() != transitions.len() {
            return Err(StoreError::new(StoreErrorKind::Corrupt, "revoke").into());
        }
        for (transition, outcome) in transitions.iter().zip(outcomes) {
            let outcome = outcome?;
            report::transition(transition, &outcome);
            match outcome {
                Outcome::Applied(facts) | Outcome::Replayed(facts) => {
                    revoked.push(facts.invitation);
                }
                // Used, revoked, deleted or purged since it was listed: there is nothing
                // to revoke.
                Outcome::Refused(facts) if transition.guard().first_refusal(&facts).is_some() => {}
                Outcome::Missing => {}
                // It could be revoked now, after a concurrent change: a repeated call
                // does so.
                Outcome::Refused(_) | Outcome::QuotaFull(_) | Outcome::CodeTaken => {
                    return Err(StoreError::new(StoreErrorKind::Conflict, "revoke").into());
                }
            }
        }
        if !revoked.is_empty() {
            send(self.notice(CommandKind::Revoke, &call, &revoked)).await;
        }
        let revoked = revoked.iter().map(|one| one.id).collect();
        let next = listing.next.map(|position| Cursor::behind(list_of, position, now));
        Ok(RevokedPage { revoked, unverified, next })
    }

    /// Removes for good, within the actor's reach, up to `max` invitations that have been
    /// over for longer than `age`: deleted, used up, revoked or expired. Call it again
    /// while [`Purged::more`] is set.
    ///
    /// No later call finds a removed invitation, not even for its redeemers, and it
    /// cannot be extended or reinstated; its events stay. Until then its code is kept, so
    /// that it is never issued again. After that, drawing the same code again is as
    /// likely as guessing it (see [`CodeFormat`](crate::CodeFormat) for the bits).
    /// Idempotency keys are removed with the invitations created under them.
    ///
    /// One call to the store, with one event for all removed invitations.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the age is less than [`Limits::MIN_RETENTION`], or
    /// when `max` is beyond [`Limits::batch`]; [`Error::Refused`]: `Forbidden`;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn purge(
        &self,
        caller: impl Into<Caller<'_>>,
        age: Duration,
        max: NonZeroU32,
    ) -> Result<Purged, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit(caller, &call, Right::Purge, Action::Purge, None).await?;
        let before = Limits::purge_before(age, call.now)?;
        self.settings.limits.check_batch("max", max)?;
        let scope = caller.scope();
        let event = call.done(Action::Purge, Detail::none().with("before", &before.to_string()));
        let event = event.within(&scope);
        let purged = self.store.purge(&Purge { scope, before, max, event }).await?;
        report::succeeded(Action::Purge, 1);
        Ok(purged)
    }
}
