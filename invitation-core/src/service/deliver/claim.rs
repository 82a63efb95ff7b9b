//! Claiming a due delivery, with what its mail needs.

use time::Duration;

use super::{BUDGET_TRIES, Deliveries, remind::is_of_expiry};
use crate::{
    actor::SystemActor,
    code::InvitationCode,
    decide::{Call, DrawnCode, draw, recipient},
    delivery::{
        Budget, BudgetOf, Delivery, DeliveryFailure, DeliveryState, FailureKind, MessageId,
    },
    email::{Email, EmailDomain},
    error::Error,
    event::Reason,
    invitation::Invitation,
    outcome::Outcome,
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
    is_drawn: bool,
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

    /// Returns the Message-ID of the mail. `domain` is one of the host's.
    ///
    /// Every attempt of a delivery has the same one, so that a mail program shows one mail. Where the
    /// store keeps no codes, each attempt has its own code, and its own Message-ID: otherwise the mail
    /// program might show the one whose code no longer works.
    #[must_use]
    pub fn message_id(&self, domain: &EmailDomain) -> MessageId {
        let (id, attempt) = (self.delivery.id(), self.delivery.written_by());
        match attempt.filter(|_| self.is_drawn) {
            Some(attempt) => MessageId::of_attempt(id, attempt, domain),
            None => MessageId::new(id, domain),
        }
    }
}

/// What a worker does with a due delivery.
enum Decision {
    Send {
        address: Email,
        /// The stored code; none if the worker draws one, because the store keeps none.
        code: Option<InvitationCode>,
    },
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
    /// Where the store [keeps no codes](crate::code::Sealing::hash_only), a mail with a new code gets
    /// one that is drawn now: the claim replaces the code of the invitation, with an event of the
    /// action `rotate`. A further attempt draws again, because the drawn code is not kept. The
    /// delivery is cancelled if the code was replaced again meanwhile.
    ///
    /// The first mail of an invitation and a reminder are counted against the limit of
    /// [mails to an address](crate::Limits::with_resends_per_address). Beyond it, nothing is claimed:
    /// the mail is due again when there is room, and no attempt is counted.
    ///
    /// Two round trips; three for a mail that is counted, or whose code is drawn.
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
        let (claimed, code, drawn) = if let Some(code) = code {
            (claimed, code, None)
        } else {
            let (code, drawn) = self.drawn(&record)?;
            // Written before the code is replaced: so the next attempt knows the code, however far
            // this one gets.
            (claimed.drawing([&record.digest, &drawn.digest]), code, Some(drawn))
        };
        let claimed = if delivery.is_to_count() {
            self.claimed_within_limit(&call, delivery, claimed.counted(), &address).await?
        } else {
            self.replaced(&claimed, &[]).await?.then_some(claimed)
        };
        let Some(delivery) = claimed else { return Ok(None) };
        let is_drawn = drawn.is_some();
        let record = match drawn {
            Some(drawn) => self.replace_code(&record, drawn, &delivery, &call).await?,
            None => Some(record),
        };
        let Some(record) = record else { return Ok(None) };
        let invitation = Invitation::from(record);
        Ok(Some(ClaimedDelivery { delivery, invitation, address, code, is_drawn }))
    }

    /// Draws the code of a mail.
    fn drawn(&self, record: &Record) -> Result<(InvitationCode, DrawnCode), Error> {
        let service = &self.invitations;
        let code = service.settings.format.generate(service.entropy())?;
        let sealing = &service.settings.sealing;
        let (digest, tag) = (sealing.digest(&code), sealing.tag(&code));
        let sealed = sealing.seal(record.id, &code, service.entropy())?;
        Ok((code, DrawnCode { digest, tag, sealed }))
    }

    /// Replaces the code of a claimed delivery, with its event, and returns the invitation. Returns
    /// none if the invitation was changed meanwhile: the delivery is then due at once.
    async fn replace_code(
        &self,
        record: &Record,
        drawn: DrawnCode,
        delivery: &Delivery,
        call: &Call,
    ) -> Result<Option<Record>, Error> {
        match self.invitations.apply(&draw(record, drawn, delivery.id(), call)).await? {
            Outcome::Applied(facts) | Outcome::Replayed(facts) => Ok(Some(facts.invitation)),
            Outcome::Refused(_) | Outcome::Missing | Outcome::QuotaFull(_) | Outcome::CodeTaken => {
                let due = delivery.due_again(call.id, call.now, None);
                self.replaced(&due, &[]).await?;
                Ok(None)
            }
        }
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
        let is_kept = service.settings.sealing.shows(&record.sealed);
        let code = service.open(record).ok().filter(|_| is_kept);
        let may_draw = !is_kept && delivery.may_draw(&record.digest);
        if !is_kept && delivery.is_rotated() && !may_draw {
            // The code was replaced again since: by a person, or for a later mail.
            return Decision::Cancel(Reason::Conflict);
        }
        if code.is_none() && !may_draw {
            Decision::GiveUp(FailureKind::CodeUnavailable)
        } else if delivery.attempts() >= attempts {
            Decision::GiveUp(FailureKind::Interrupted)
        } else {
            Decision::Send { address, code }
        }
    }
}
