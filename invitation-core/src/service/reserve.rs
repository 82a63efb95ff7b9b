//! Reservations: redeeming for hosts whose accounts live outside the store's transaction.

use super::{
    Invitations, Redeemed, TRIES, evidence::Place, present::Settled, redeem::redeemed,
    standing::Vouched,
};
use crate::{
    actor::Redeemer,
    decide::{Call, RedeemCommand, Wanted, decide_redemption},
    error::Error,
    event::{Action, Reason},
    facts::Facts,
    guard::Condition,
    hooks::CommandKind,
    lease::{Lease, ReservationId},
    metadata::Metadata,
    outcome::Outcome,
    record::Record,
    refusal::{Refusal, Verdict},
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    target::Target,
    text::{Division, Role},
    time::Timestamp,
};

/// A use that is held for one redeemer, and what it grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    lease: Lease,
    invitation: Record,
    replayed: bool,
}

impl Reservation {
    /// The id of the reservation. Store it with the account that is being created: after
    /// a crash, the host commits with the id it finds there.
    #[must_use]
    pub fn id(&self) -> ReservationId {
        ReservationId::new(self.invitation.id, self.lease.id)
    }

    /// The time until which the use is certainly held: while `now < until`. After that it
    /// can still be committed, as long as no other redeemer has taken the use.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.lease.holds_until(&self.invitation)
    }

    /// The role that the new user gets. It does not change during a reservation: changing
    /// the invitation's role ends the reservation.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.invitation.role
    }

    /// The division that the new user joins.
    #[must_use]
    pub fn division(&self) -> &Division {
        &self.invitation.division
    }

    /// The metadata that the host attached to the invitation.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.invitation.metadata.as_ref()
    }

    /// Whether an earlier call had already created the reservation, expired or not. In
    /// this case an account may already exist under its [`id`](Self::id).
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.replayed
    }
}

/// The result of [`Invitations::reserve`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
#[must_use = "a reservation is to be committed or released"]
pub enum Reserved {
    /// The use is held for the redeemer.
    Open(Reservation),
    /// The redeemer has already redeemed this code: there is no account to create.
    AlreadyRedeemed(Redeemed),
}

impl<S: Store> Invitations<S> {
    /// Holds a use of a code while the host creates the account somewhere else: with an
    /// identity provider, in another database, in another service.
    ///
    /// Then [`commit`](Self::commit) it, or [`release`](Self::release) it. A reservation
    /// that is neither committed nor released expires after
    /// [`Limits::lease`](crate::Limits::lease), or when the invitation expires. Its use
    /// is then free for the next redeemer; no clean-up job is needed.
    ///
    /// Idempotent: a repeated call of the same redeemer returns the same reservation. An
    /// expired reservation is renewed under the same id, with the name given in this
    /// call, unless another redeemer has taken the use.
    ///
    /// Inside a host's transaction the reservation takes effect with the commit; there is
    /// rarely a reason for that.
    ///
    /// One call to the store, and one more if another reservation holds the use. A
    /// refusal needs another call to record its evidence, and a refusal of an unknown
    /// code one more.
    ///
    /// # Errors
    ///
    /// As [`redeem`](Self::redeem). `Reserved` is the refusal when all remaining uses are
    /// held by other redeemers.
    pub async fn reserve(&self, code: &str, redeemer: &Redeemer) -> Result<Reserved, Error> {
        let code = self.parse_code(code)?;
        let call = self.call(redeemer.performer(), redeemer.context())?;
        let guess = self.guess(&call, Action::Reserve, &code, redeemer).await?;
        let (wanted, vouched) = (Wanted::Reservation, Vouched::NotYet);
        match self.present(&code, redeemer, wanted, &call, guess, vouched).await? {
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

    /// Redeems a reserved use, after the account has been created.
    ///
    /// It also works after the reservation has expired, as long as no other redeemer has
    /// taken the use and the invitation has not expired. It is idempotent: the same
    /// reservation gets the same redemption again, whatever the state of the invitation
    /// is by then. Take the id from the host's own records, never from a client: a
    /// refusal here discloses its reason.
    ///
    /// A host that [judges grantors](crate::standing) is asked if the reservation has expired.
    /// During the lease it is not: it was asked when the reservation began, and the account has
    /// been created since. The host's [hooks](crate::hooks) are asked in any case.
    ///
    /// One call to the store, and one more that reads the terms if the host judges grantors or has
    /// hooks; a refusal needs another call to record its evidence.
    ///
    /// # Errors
    ///
    /// - [`Error::Refused`]: `Revoked`, `Expired`, `GrantWithdrawn`, or `ReservationLost`.
    ///   The reservation is lost when another redeemer took the use, or when the
    ///   invitation's code, role or binding was changed. It is also lost when the same
    ///   redeemer has redeemed the invitation by another reservation or without one.
    ///   After these refusals the host removes the account, or lets the new user
    ///   present another code for it.
    /// - [`Error::Refused`]: `Vetoed`, `Conflict`, or `GrantWithdrawn` with the reason
    ///   [`StandingUnknown`](crate::Reason::StandingUnknown): the host's own hook said no
    ///   or did not answer, or concurrent calls changed the invitation. The reservation
    ///   stays, so the host keeps the account unusable and commits again later.
    /// - [`Error::Refused`]: `NotFound` when the invitation was deleted, was
    ///   [purged](Self::purge), or lies in another division than the redeemer's. After a
    ///   purge only the audit trail says whether it was redeemed, so settle open accounts
    ///   well before.
    /// - [`Error::Store`]. After [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown), call
    ///   again with the same redeemer: the result says whether it was redeemed.
    pub async fn commit(
        &self,
        reservation: ReservationId,
        redeemer: &Redeemer,
    ) -> Result<Redeemed, Error> {
        let ceiling = &self.settings.ceiling;
        let step = |vouched| RedeemCommand::Commit { reservation, redeemer, ceiling, vouched };
        let (facts, replayed) = self.settle(step, reservation, redeemer, Action::Redeem).await?;
        redeemed(facts, replayed)
    }

    /// Releases a reserved use, if the account is not going to be created. It has no
    /// effect if the reservation has already ended or the invitation was deleted.
    ///
    /// One call to the store.
    ///
    /// # Errors
    ///
    /// - [`Error::Refused`]: `Used` when the redeemer has redeemed the invitation by this
    ///   reservation: the redemption stays; `NotFound` when there never was such an
    ///   invitation, it was purged, or it lies in another division than the redeemer's.
    /// - [`Error::Store`]. The use is free again at the latest when the reservation
    ///   expires.
    pub async fn release(
        &self,
        reservation: ReservationId,
        redeemer: &Redeemer,
    ) -> Result<(), Error> {
        let step = |_| RedeemCommand::Release { reservation, redeemer };
        self.settle(step, reservation, redeemer, Action::Release).await.map(drop)
    }

    /// Asks the host about a commit: about the grantor if the lease has expired, and whether the
    /// commit is allowed. Returns the version that the answer is about; none if nothing was asked.
    async fn approve_commit(
        &self,
        invitation: &Record,
        is_in_time: bool,
        call: &Call,
    ) -> Result<Option<u64>, Verdict> {
        if !is_in_time {
            self.vouch(invitation).await?;
        }
        self.consent(self.intent(CommandKind::Commit, call, [invitation])).await?;
        Ok((!is_in_time || self.has_hooks()).then_some(invitation.version))
    }

    /// Applies a step that ends a reservation. Returns the current facts, and whether the
    /// reservation had ended before this call. `step` returns the step on terms of the version that the
    /// host has vouched for.
    async fn settle<'a>(
        &self,
        step: impl Fn(Option<u64>) -> RedeemCommand<'a>,
        reservation: ReservationId,
        redeemer: &Redeemer,
        action: Action,
    ) -> Result<(Facts, bool), Error> {
        let corrupt = || StoreError::new(StoreErrorKind::Corrupt, action.as_str());
        let call = self.call(redeemer.performer(), redeemer.context())?;
        let asks = action == Action::Redeem && self.asks_host();
        let (mut reads_first, mut vouched) = (asks, None);
        let target = Target::Id(reservation.invitation());
        for _ in 0..TRIES {
            let transition = decide_redemption(step(vouched), redeemer.scope(), &call);
            let outcome = if reads_first {
                self.facts_before(&transition, redeemer).await?
            } else {
                self.apply(&transition).await?
            };
            let facts = match outcome {
                // Each call has an event id of its own. A replay therefore means that the store's
                // client sent this call twice, as after a lost connection.
                Outcome::Applied(facts) | Outcome::Replayed(facts) => {
                    if action == Action::Redeem {
                        self.notify(CommandKind::Commit, &call, &facts.invitation).await;
                    }
                    return Ok((*facts, false));
                }
                Outcome::Refused(facts) => *facts,
                Outcome::Missing => {
                    return Err(self
                        .refuse_missing(&call, action, transition.target(), None)
                        .await);
                }
                Outcome::CodeTaken | Outcome::QuotaFull(_) => return Err(corrupt().into()),
            };
            let verdict = match (transition.guard().first_refusal(&facts), action) {
                // The facts allow the commit, except that the host may have to vouch for the
                // present terms.
                (None | Some(Condition::Version(_)), _) if asks => {
                    reads_first = false;
                    let own = facts.lease_of(redeemer.user());
                    let is_in_time = own.is_some_and(|own| !own.has_expired(call.now));
                    match self.approve_commit(&facts.invitation, is_in_time, &call).await {
                        Ok(version) => {
                            vouched = version;
                            continue;
                        }
                        Err(verdict) => verdict,
                    }
                }
                // The current facts satisfy the guard: the invitation has changed
                // meanwhile.
                (None, _) => continue,
                // The same redeemer has redeemed the invitation: by this reservation, by
                // another one or without one. In the latter two cases the account of this
                // reservation is one too many.
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
        Err(self.refuse_about(&call, action, &target, verdict).await)
    }
}
