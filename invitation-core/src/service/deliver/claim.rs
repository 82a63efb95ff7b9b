//! Claiming a due delivery, with what its mail needs.

use time::Duration;

use super::{BUDGET_TRIES, Deliveries, remind::is_of_expiry};
use crate::{
    actor::SystemActor,
    code::InvitationCode,
    decide::{Call, recipient},
    delivery::{Budget, BudgetOf, Delivery, DeliveryFailure, DeliveryState, FailureKind},
    email::Email,
    error::Error,
    event::Reason,
    invitation::Invitation,
    record::Record,
    scope::Scope,
    store::Store,
    target::Target,
    time::Timestamp,
};

/// A delivery that a worker has claimed, with what its mail needs.
///
/// The claim ends at the time that the worker named. Then another worker may make an attempt.
#[derive(Debug)]
pub struct ClaimedDelivery {
    delivery: Delivery,
    invitation: Invitation,
    address: Email,
    code: InvitationCode,
}

impl ClaimedDelivery {
    /// Returns the delivery, whose attempts count this one.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Returns the invitation as it was when the delivery was claimed.
    #[must_use]
    pub fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// Returns the address to send to.
    #[must_use]
    pub fn address(&self) -> &Email {
        &self.address
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> &InvitationCode {
        &self.code
    }
}

/// What is to become of a due delivery.
enum Decision {
    Send { address: Email, code: InvitationCode },
    Cancel(Reason),
    GiveUp(FailureKind),
}

impl<S: Store> Deliveries<S> {
    /// Claims a due delivery for `lease`, and returns it with the address and the code. Returns
    /// none if another worker has claimed it, or if it has ended:
    ///
    /// - it is cancelled if the invitation is no longer active, or no longer for an address; if
    ///   the mail was to have a [new code](super::Resend::with_new_code) and the code is still the
    ///   old one; or if it is a reminder of an expiry that was changed since;
    /// - it fails if the code cannot be read, or if `attempts` attempts ended without a result.
    ///
    /// The first mail of an invitation and a reminder are counted against the limit of
    /// [mails to an address](crate::Limits::with_resends_per_address). Beyond it, nothing is claimed:
    /// the mail is due again when there is room, and no attempt is counted.
    ///
    /// Two round trips; three for a mail that is counted.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn claim(
        &self,
        worker: &SystemActor,
        delivery: &Delivery,
        lease: Duration,
        attempts: u32,
    ) -> Result<Option<ClaimedDelivery>, Error> {
        let service = &self.invitations;
        let call = service.call_by(worker.into())?;
        if delivery.state() != DeliveryState::Queued {
            return Ok(None);
        }
        let target = Target::Id(delivery.invitation());
        let Some(record) = service.store.get(&target, &Scope::All).await? else {
            self.cancel(&call, delivery, Reason::Unknown).await?;
            return Ok(None);
        };
        let (address, code) = match self.decide(delivery, &record, &call, attempts) {
            Decision::Send { address, code } => (address, code),
            Decision::Cancel(reason) => {
                self.cancel(&call, delivery, reason).await?;
                return Ok(None);
            }
            Decision::GiveUp(kind) => {
                self.give_up(&call, delivery, DeliveryFailure::new(kind)).await?;
                return Ok(None);
            }
        };
        let until = call.now.checked_add(lease).unwrap_or(Timestamp::MAX);
        let claimed = delivery.claimed(call.id, until);
        let claimed = if delivery.is_to_count() {
            self.claimed_within_limit(&call, delivery, claimed.counted(), &address).await?
        } else {
            self.replaced(&claimed, &[]).await?.then_some(claimed)
        };
        let invitation = Invitation::from(record);
        Ok(claimed.map(|delivery| ClaimedDelivery { delivery, invitation, address, code }))
    }

    /// Writes a claim and counts its mail against the limit of the address, in one atomic step.
    /// Returns none if another worker has claimed the delivery, or if the limit is reached: the
    /// mail is then due when there is room again.
    async fn claimed_within_limit(
        &self,
        call: &Call,
        delivery: &Delivery,
        claimed: Delivery,
        address: &Email,
    ) -> Result<Option<Delivery>, Error> {
        let limits = self.invitations.limits();
        let budget = BudgetOf::Address(address.key());
        for _ in 0..BUDGET_TRIES {
            let stored = self.documents.document(&budget.key()).await?;
            let counted = Budget::take(budget, stored.as_ref(), limits, call.id, call.now)?;
            let counted = match counted {
                Ok(counted) => counted,
                Err(until) => {
                    let later = delivery.due_again(call.id, until, None);
                    self.replaced(&later, &[]).await?;
                    return Ok(None);
                }
            };
            if self.replaced_all(&[claimed.document()?, counted], &[]).await? {
                return Ok(Some(claimed));
            }
            let stored = self.documents.document(&Delivery::key(delivery.id())).await?;
            // Otherwise only another mail to the address was faster.
            if stored.is_none_or(|stored| stored.version != delivery.version()) {
                return Ok(None);
            }
        }
        // It is still due, and the next run claims it.
        Ok(None)
    }

    fn decide(&self, delivery: &Delivery, record: &Record, call: &Call, attempts: u32) -> Decision {
        let service = &self.invitations;
        let address = match recipient(record, call.now) {
            Ok(address) => address.clone(),
            Err(verdict) => return Decision::Cancel(verdict.reason()),
        };
        if delivery.is_to_replace(&record.digest) {
            return Decision::Cancel(Reason::Conflict);
        }
        if !is_of_expiry(delivery, record) {
            return Decision::Cancel(Reason::VersionMismatch);
        }
        let code = service.open(record).ok();
        match code.filter(|_| service.settings.sealing.shows(&record.sealed)) {
            None => Decision::GiveUp(FailureKind::CodeUnavailable),
            Some(_) if delivery.attempts() >= attempts => {
                Decision::GiveUp(FailureKind::Interrupted)
            }
            Some(code) => Decision::Send { address, code },
        }
    }
}
