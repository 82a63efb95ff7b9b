//! Reserving: for hosts whose accounts live outside of the store's transaction.

use super::{Invitations, Redeemed, TRIES, evidence::Place, present::Settled, redeem::redeemed};
use crate::{
    actor::Redeemer,
    decide::{Command, Wanted, decide},
    draft::IfVersion,
    error::{Error, StoreError, StoreErrorKind},
    event::{Action, Reason},
    guard::Condition,
    invitation::{Facts, Invitation},
    lease::{Lease, ReservationId},
    metadata::Metadata,
    refusal::{Refusal, Verdict},
    store::{Outcome, Store},
    text::{Division, Role},
    time::Timestamp,
};

/// A use that is held for one redeemer, and what it will grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    lease: Lease,
    invitation: Invitation,
    replayed: bool,
}

impl Reservation {
    /// Its key. Keep it with the account that is being created: whoever finds the
    /// account after a crash can commit with it.
    #[must_use]
    pub fn id(&self) -> ReservationId {
        ReservationId::new(self.invitation.id, self.lease.id)
    }

    /// Until when the use is certainly held: while `now < until`. After that it
    /// can still be committed, as long as nobody else needed it.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.lease.holds_until(&self.invitation)
    }

    /// The role that the newcomer will get. It cannot change under a reservation:
    /// a change of it ends the reservation.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.invitation.role
    }

    /// The division that the newcomer will join.
    #[must_use]
    pub fn division(&self) -> &Division {
        &self.invitation.division
    }

    /// What the host attached to the invitation.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.invitation.metadata.as_ref()
    }

    /// Whether the redeemer had it already, from an earlier call, run out or not:
    /// then an account may already exist under its [`id`](Self::id).
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.replayed
    }
}

/// The answer to a reservation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
#[must_use = "a reservation is to be committed or released"]
pub enum Reserved {
    /// The use is held.
    Open(Reservation),
    /// The redeemer had redeemed this code before: there is nothing to create.
    AlreadyRedeemed(Redeemed),
}

impl<S: Store> Invitations<S> {
    /// Holds a use of a code, while the host creates the account somewhere else:
    /// with an identity provider, in another database, in another service.
    ///
    /// Then [`commit`](Self::commit) it, or [`release`](Self::release) it. What is
    /// neither committed nor released runs out after
    /// [`Limits::lease`](crate::Limits::lease), or when the invitation expires, and
    /// is free for whoever needs it next; nothing has to clean up.
    ///
    /// The same redeemer asking again gets the same reservation. Asking after it
    /// ran out, the redeemer gets it for another while under the same id, and under the
    /// name of this call, unless somebody else needed the use in the meantime.
    ///
    /// Inside a host's transaction the reservation begins with its commit; there
    /// is rarely a reason for that.
    ///
    /// One call to the store, and one more where another reservation is in the way; a
    /// refusal takes another for its evidence, and that of an unknown code one more.
    ///
    /// # Errors
    ///
    /// As [`redeem`](Self::redeem). `Reserved` is the refusal when all the uses
    /// left are held by others.
    pub async fn reserve(&self, code: &str, redeemer: &Redeemer) -> Result<Reserved, Error> {
        let code = self.parse_code(code)?;
        match self.present(&code, redeemer, Wanted::Reservation).await? {
            Settled::Made(facts) => match *facts {
                Facts { lease: Some(lease), invitation, .. } => {
                    Ok(Reserved::Open(Reservation { lease, invitation, replayed: false }))
                }
                _ => Err(StoreError::new(StoreErrorKind::Corrupt, "reserve")
                    .because("the facts of a reservation must contain its lease")
                    .into()),
            },
            Settled::Leased(lease, facts) => {
                let invitation = facts.invitation;
                Ok(Reserved::Open(Reservation { lease, invitation, replayed: true }))
            }
            Settled::Redeemed(facts) => Ok(Reserved::AlreadyRedeemed(redeemed(*facts, true)?)),
        }
    }

    /// Redeems a reserved use: the account exists now.
    ///
    /// Works after the reservation ran out too, as long as nobody else needed its
    /// use and the invitation has not expired. It is idempotent: the same reservation
    /// gets the same redemption again, in whatever state the invitation is by then.
    /// Take its key from the host's own records, never from a client: what is refused
    /// here is told with its reason.
    ///
    /// One call to the store; a refusal takes another for its evidence.
    ///
    /// # Errors
    ///
    /// - [`Error::Refused`]: `ReservationLost` when its use passed to somebody else,
    ///   when the code, role or binding of the invitation were changed, or when the
    ///   same redeemer has redeemed it by another reservation or without any;
    ///   `Revoked`, `Expired`, `GrantWithdrawn`. Then the host takes the account back,
    ///   or lets the newcomer present another code for it. `NotFound` when the
    ///   invitation was deleted, was [purged](Self::purge), or lies in another
    ///   division than the redeemer's: after a purge nobody can tell any more whether
    ///   it was redeemed, but the audit trail can; so settle open accounts well before.
    /// - [`Error::Store`]. After
    ///   [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown), call again with the same
    ///   redeemer: the answer is the truth.
    pub async fn commit(
        &self,
        reservation: ReservationId,
        redeemer: &Redeemer,
    ) -> Result<Redeemed, Error> {
        let command = Command::Commit { reservation, redeemer, ceiling: &self.settings.ceiling };
        let (facts, replayed) = self.settle(command, reservation, redeemer, Action::Redeem).await?;
        redeemed(facts, replayed)
    }

    /// Gives a reserved use back: there will be no account. Nothing happens when the
    /// reservation has ended already, or the invitation was deleted.
    ///
    /// One call to the store.
    ///
    /// # Errors
    ///
    /// - [`Error::Refused`]: `Used` when the redeemer has redeemed the invitation by
    ///   it: that stays; `NotFound` when there never was such an invitation, it was
    ///   purged, or it lies in another division than the redeemer's.
    /// - [`Error::Store`]. The use is free again at the latest when the reservation
    ///   runs out.
    pub async fn release(
        &self,
        reservation: ReservationId,
        redeemer: &Redeemer,
    ) -> Result<(), Error> {
        let command = Command::Release { reservation, redeemer };
        self.settle(command, reservation, redeemer, Action::Release).await.map(drop)
    }

    /// Makes a step that ends a reservation. The facts of now, and whether there
    /// was nothing to do any more.
    async fn settle(
        &self,
        command: Command<'_>,
        reservation: ReservationId,
        redeemer: &Redeemer,
        action: Action,
    ) -> Result<(Facts, bool), Error> {
        let corrupt = || StoreError::new(StoreErrorKind::Corrupt, action.as_str());
        let call = self.call(redeemer.performer(), redeemer.origin())?;
        let (policy, limits) = (&self.settings.policy, &self.settings.limits);
        let transition = decide(command, redeemer.scope(), IfVersion::Any, &call, policy, limits)
            .map_err(|_| corrupt())?;
        for _ in 0..TRIES {
            let facts = match self.apply(&transition).await? {
                Outcome::Applied(facts) => return Ok((*facts, false)),
                Outcome::Replayed(facts) => return Ok((*facts, true)),
                Outcome::Refused(facts) => *facts,
                Outcome::Missing => {
                    return Err(self
                        .refuse_missing(&call, action, transition.target(), None)
                        .await);
                }
                Outcome::CodeTaken | Outcome::QuotaFull(_) => return Err(corrupt().into()),
            };
            let verdict = match (transition.guard().first_refusal(&facts), action) {
                // The facts satisfy the guard by now.
                (None, _) => continue,
                // Redeemed by the same person: by this reservation, or by another one or
                // without any. Then the account of this one is one too many.
                (Some(Condition::FirstUseBy(_)), _) => {
                    let own = facts.mine.as_ref().and_then(|mine| mine.lease);
                    match (own == Some(reservation.lease()), action) {
                        (true, Action::Release) => Verdict::new(Refusal::Used, Reason::Used),
                        (true, _) | (false, Action::Release) => return Ok((facts, true)),
                        (false, _) => {
                            Verdict::new(Refusal::ReservationLost, Reason::ReservationLost)
                        }
                    }
                }
                (Some(Condition::HoldsLease { .. }), Action::Release) => {
                    return Ok((facts, true));
                }
                (Some(failed), _) => {
                    Verdict::explain(failed, transition.target(), &facts).ok_or_else(corrupt)?
                }
            };
            let place = Place::Invitation(facts.invitation.id, facts.invitation.division);
            return Err(self.refuse(&call, action, verdict, place).await);
        }
        let verdict = Verdict::new(Refusal::Conflict, Reason::Conflict);
        Err(self.refuse_about(&call, action, transition.target(), verdict).await)
    }
}
