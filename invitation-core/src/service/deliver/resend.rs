//! Sending an invitation again.

use time::Duration;

use super::{super::evidence::Place, Deliveries};
use crate::{
    actor::Caller,
    decide::{Call, check_resend},
    delivery::{Budget, BudgetOf, Delivery, DeliveryPurpose},
    documents::Document,
    draft::IfVersion,
    email::Email,
    error::Error,
    event::{Action, Event, EventOutcome, Reason},
    hooks::CommandKind,
    id::{DeliveryId, InvitationId},
    policy::Right,
    record::Record,
    refusal::{Refusal, Verdict},
    request::IdempotencyKey,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    time::Timestamp,
};

/// The time that a replacement of the code has before the mail is sent anyway.
const ROTATION: Duration = Duration::MINUTE;

/// A request to send an invitation again.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct Resend {
    rotate: bool,
    key: Option<IdempotencyKey>,
}

impl Resend {
    /// Creates a request to send the same code again.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the code before, as [`rotate`](crate::Invitations::rotate) does. The old code and
    /// the mail with it are then worth nothing. The actor also needs [`Right::Rotate`].
    pub fn with_new_code(self) -> Self {
        Self { rotate: true, ..self }
    }

    /// Sets an idempotency key. The same actor repeating the request for the same invitation with
    /// the same key gets the same delivery, and sends nothing more.
    pub fn with_key(self, key: IdempotencyKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Returns whether the code is replaced.
    pub(super) fn rotates(&self) -> bool {
        self.rotate
    }

    /// Returns the id of the delivery.
    fn delivery(&self, caller: Caller<'_>, invitation: InvitationId, call: &Call) -> DeliveryId {
        let Some(key) = &self.key else { return DeliveryId::from_bytes(*call.id.as_bytes()) };
        let user = caller.user().map_or("", |actor| actor.user().as_str());
        let (user, key) = (user.as_bytes(), key.as_str().as_bytes());
        DeliveryId::derived(&[b"resend", invitation.as_bytes(), user, key])
    }
}

/// The result of sending an invitation again.
pub(super) enum SentAgain {
    /// This call queued the mail for the invitation.
    Now(Delivery, Box<Record>),
    /// An earlier call with the same key had queued it.
    Before(Delivery),
}

impl<S: Store> Deliveries<S> {
    /// Sends an active invitation to its address again, with the same code or a
    /// [new one](Resend::with_new_code). Needs [`Right::Resend`], and every right that creating
    /// the invitation needs.
    ///
    /// One atomic step queues the mail, writes the event and counts it against the limits of
    /// [`Limits`](crate::Limits): so concurrent calls cannot exceed them. A replacement of the
    /// code is a second step. If the process dies in between, the mail is sent a minute later,
    /// with the code that the invitation then has.
    ///
    /// Five round trips; with a new code eight.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `RoleNotGrantable`, `UnknownRole`, `NotFound`; `Used`,
    /// `Revoked`, `Expired`, `NoAddress`, `CodeNotKept`; `MailLimit`; `Vetoed`;
    /// `IdempotencyKeyReused` if the key was used with another choice about the code; `Conflict`;
    /// [`Error::Seal`];
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn resend(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
        resend: Resend,
    ) -> Result<Delivery, Error> {
        let (caller, service) = (caller.into(), &self.invitations);
        let call = service.call_by(caller)?;
        service.permit_on(caller, &call, id, Right::Resend, Action::Resend).await?;
        if resend.rotate {
            service.permit_on(caller, &call, id, Right::Rotate, Action::Rotate).await?;
        }
        match self.send_again(caller, &call, id, &resend, None).await? {
            SentAgain::Now(delivery, record) => {
                service.notify(CommandKind::Resend, &call, &record).await;
                Ok(delivery)
            }
            SentAgain::Before(delivery) => Ok(delivery),
        }
    }

    /// Sends an invitation again for a caller with the rights. Asks the hooks, unless they have
    /// allowed it on the terms of the version `allowed`.
    pub(super) async fn send_again(
        &self,
        caller: Caller<'_>,
        call: &Call,
        id: InvitationId,
        resend: &Resend,
        mut allowed: Option<u64>,
    ) -> Result<SentAgain, Error> {
        let service = &self.invitations;
        let delivery_id = resend.delivery(caller, id, call);
        for _ in 0..super::TRIES {
            let record = service.load(caller, call, id, Action::Resend).await?;
            if resend.key.is_some()
                && let Some(earlier) = self.documents.document(&Delivery::key(delivery_id)).await?
            {
                let earlier = Delivery::of_document(&earlier)?;
                return self.repeated(call, earlier, resend).await.map(SentAgain::Before);
            }
            let address = match self.sendable(&record, call) {
                Ok(address) => address.clone(),
                Err(verdict) => return Err(self.refuse_about(call, id, verdict).await),
            };
            let delivery = queued(delivery_id, &record, resend, call.now);
            let mut documents = vec![delivery.document()?];
            match self.budgets(caller, &address, call).await? {
                Ok(budgets) => documents.extend(budgets),
                Err(until) => {
                    let verdict = Verdict::mail_limit(until.since(call.now));
                    return Err(self.refuse_about(call, id, verdict).await);
                }
            }
            if service.has_hooks() && allowed != Some(record.version) {
                let intent = service.intent(CommandKind::Resend, call, [&record]);
                let place = Place::Invitation(record.id, record.division.clone());
                service.consent_or_refuse(intent, call, Action::Resend, place).await?;
                allowed = Some(record.version);
            }
            let event = call.done(Action::Resend, delivery.detail()).about(&record);
            if !self.replaced_all(&documents, &[event]).await? {
                continue;
            }
            let delivery =
                if resend.rotate { self.rotated(caller, call, delivery).await? } else { delivery };
            return Ok(SentAgain::Now(delivery, Box::new(record)));
        }
        let verdict = Verdict::new(Refusal::Conflict, Reason::Conflict);
        Err(self.refuse_about(call, id, verdict).await)
    }

    /// Returns the address of an invitation whose code can be read.
    pub(super) fn sendable<'r>(
        &self,
        record: &'r Record,
        call: &Call,
    ) -> Result<&'r Email, Verdict> {
        let settings = &self.invitations.settings;
        let address = check_resend(record, &call.performer, &settings.policy, call.now)?;
        if settings.sealing.shows(&record.sealed) {
            Ok(address)
        } else {
            Err(Verdict::code_not_kept())
        }
    }

    /// Returns the delivery of an earlier call with the same key.
    async fn repeated(
        &self,
        call: &Call,
        earlier: Delivery,
        resend: &Resend,
    ) -> Result<Delivery, Error> {
        if earlier.is_rotated() == resend.rotate {
            return Ok(earlier);
        }
        let verdict = Verdict::new(Refusal::IdempotencyKeyReused, Reason::IdempotencyKeyReused);
        Err(self.refuse_about(call, earlier.invitation(), verdict).await)
    }

    /// Returns the budgets after this mail, or the time from which it is possible.
    async fn budgets(
        &self,
        caller: Caller<'_>,
        address: &Email,
        call: &Call,
    ) -> Result<Result<Vec<Document>, Timestamp>, Error> {
        let limits = self.invitations.limits();
        let of_actor = caller.user().map(|actor| BudgetOf::Actor(actor.user()));
        let of_address = [BudgetOf::Address(address.key())];
        let mut budgets = Vec::with_capacity(2);
        for of in of_actor.into_iter().chain(of_address) {
            let stored = self.documents.document(&of.key()).await?;
            match Budget::take(of, stored.as_ref(), limits, call.id, call.now)? {
                Ok(budget) => budgets.push(budget),
                Err(until) => return Ok(Err(until)),
            }
        }
        Ok(Ok(budgets))
    }

    /// Replaces the code of an invitation whose mail is queued, and lets the mail go.
    async fn rotated(
        &self,
        caller: Caller<'_>,
        call: &Call,
        delivery: Delivery,
    ) -> Result<Delivery, Error> {
        let service = &self.invitations;
        let rotated = service.rotate(caller, delivery.invitation(), IfVersion::Any).await;
        if let Err(error) = rotated {
            // A refusal left the code as it was, and the caller learns of it. After a failure of
            // the store the code may be new, so the mail goes out later.
            if error.refusal().is_some() {
                let now = service.call_by(caller)?;
                let cancelled = delivery.cancelled(now.id, Reason::Conflict, now.now);
                let event = Event {
                    outcome: EventOutcome::Refused,
                    reason: Some(Reason::Conflict),
                    ..now.done(Action::Deliver, cancelled.detail())
                }
                .located(delivery.invitation(), delivery.division().clone());
                self.replaced(&cancelled, &[event]).await?;
            }
            return Err(error);
        }
        let due = delivery.due_again(call.id, call.now, None);
        if self.replaced(&due, &[]).await? {
            return Ok(due);
        }
        // A worker was quicker: the minute had passed.
        let stored = self.documents.document(&Delivery::key(delivery.id())).await?;
        let stored = stored.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "resend"))?;
        Ok(Delivery::of_document(&stored)?)
    }
}

fn queued(id: DeliveryId, record: &Record, resend: &Resend, now: Timestamp) -> Delivery {
    let division = record.division.clone();
    let queued = Delivery::queued(id, DeliveryPurpose::Resent, record.id, division, now);
    if resend.rotate {
        queued.of_rotated(now.checked_add(ROTATION).unwrap_or(Timestamp::MAX))
    } else {
        queued
    }
}
