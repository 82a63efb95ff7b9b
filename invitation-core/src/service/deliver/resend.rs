//! Sending an invitation again.

use time::Duration;

use super::{super::evidence::Place, Deliveries};
use crate::{
    actor::Caller,
    decide::{Call, check_resend},
    delivery::{Budget, BudgetOf, Delivery, DeliveryPurpose, DeliveryState},
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

/// The time that a replacement of the code has. Then a worker sends the mail if the code is new,
/// and otherwise cancels it.
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
    ///
    /// Where the store [keeps no codes](crate::code::Sealing::hash_only), no other mail can be sent. The
    /// worker that sends it replaces the code once more, by one that it knows.
    pub fn with_new_code(self) -> Self {
        Self { rotate: true, ..self }
    }

    /// Sets an idempotency key. The same actor repeating the request for the same invitation with
    /// the same key gets the same delivery, and sends nothing more. A replacement of the code that
    /// an earlier request did not reach is made by the repeated one.
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
    /// An earlier call with the same key had queued it, and replaced the code if it was to.
    Before(Delivery),
}

impl<S: Store> Deliveries<S> {
    /// Sends an active invitation to its address again, with the same code or a
    /// [new one](Resend::with_new_code). Needs [`Right::Resend`], and every right that creating
    /// the invitation needs.
    ///
    /// One atomic step queues the mail, writes the event and counts it against the limits of
    /// [`Limits`](crate::Limits): so concurrent calls cannot exceed them. A replacement of the
    /// code is a second step, and the mail waits for it. If the second step fails, or the process
    /// dies in between, the mail is cancelled a minute later, unless the code is new by then. A
    /// repeated call with the same [key](Resend::with_key) replaces the code.
    ///
    /// Five round trips; with a new code eight.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `RoleNotGrantable`, `UnknownRole`, `NotFound`; `Used`,
    /// `Revoked`, `Expired`, `NoAddress`, `CodeNotKept`; `MailLimit`; `Vetoed`;
    /// `IdempotencyKeyReused` if the key was used with another choice about the code; `Conflict`;
    /// [`Error::Seal`];
    /// [`Error::Store`], [`Error::Entropy`]. When the replacement of the code fails, the mail is
    /// queued already, so the kind of the store's error is
    /// [`OutcomeUnknown`](crate::StoreErrorKind::OutcomeUnknown).
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
        for _ in 0..super::BUDGET_TRIES {
            let record = service.load(caller, call, id, Action::Resend).await?;
            let earlier = self.earlier(call, delivery_id, resend).await?;
            if let Some(earlier) = &earlier {
                if !earlier.awaits_new_code() {
                    return Ok(SentAgain::Before(earlier.clone()));
                }
                if earlier.state() == DeliveryState::Queued {
                    // No worker may decide about the mail meanwhile.
                    let waiting = earlier.due_again(call.id, rotated_by(call.now), None);
                    if !self.replaced(&waiting, &[]).await? {
                        continue;
                    }
                    let delivery = self.rotated(caller, call, waiting).await?;
                    return Ok(SentAgain::Now(delivery, Box::new(record)));
                }
            }
            let address = match self.sendable(&record, resend, call) {
                Ok(address) => address.clone(),
                Err(verdict) => return Err(self.refuse_about(call, id, verdict).await),
            };
            // A mail that was given up without the new code is queued anew.
            let delivery = match earlier {
                Some(ended) => ended.retried(call.id, call.now),
                None => queued(delivery_id, &record, call.now),
            };
            let delivery = if resend.rotate {
                delivery.replacing(&record.digest, rotated_by(call.now))
            } else {
                delivery
            };
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

    /// Returns the address of an invitation whose code can be read, or is replaced.
    pub(super) fn sendable<'r>(
        &self,
        record: &'r Record,
        resend: &Resend,
        call: &Call,
    ) -> Result<&'r Email, Verdict> {
        let settings = &self.invitations.settings;
        let address = check_resend(record, &call.performer, &settings.policy, call.now)?;
        if resend.rotate || settings.sealing.shows(&record.sealed) {
            Ok(address)
        } else {
            Err(Verdict::code_not_kept())
        }
    }

    /// Returns the delivery of an earlier call with the same key.
    async fn earlier(
        &self,
        call: &Call,
        id: DeliveryId,
        resend: &Resend,
    ) -> Result<Option<Delivery>, Error> {
        if resend.key.is_none() {
            return Ok(None);
        }
        let Some(document) = self.documents.document(&Delivery::key(id)).await? else {
            return Ok(None);
        };
        let earlier = Delivery::of_document(&document)?;
        if earlier.is_rotated() == resend.rotate {
            return Ok(Some(earlier));
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
        let error = match rotated {
            Ok(made) => {
                let record = made.invitation().record();
                return self.released(call, delivery, record).await.map_err(unknown);
            }
            Err(error) => error,
        };
        // A refusal left the code as it was, and the caller learns of it. After a failure of the
        // store the code may be new, so a worker looks at it later.
        if error.refusal().is_none() {
            return Err(unknown(error));
        }
        let now = service.call_by(caller).map_err(|error| unknown(error.into()))?;
        let cancelled = delivery.cancelled(now.id, Reason::Conflict, now.now);
        let event = Event {
            outcome: EventOutcome::Refused,
            reason: Some(Reason::Conflict),
            ..now.done(Action::Deliver, cancelled.detail())
        }
        .located(delivery.invitation(), delivery.division().clone());
        self.replaced(&cancelled, &[event]).await.map_err(|error| unknown(error.into()))?;
        Err(error)
    }

    /// Lets the mail go, after the replacement of the code. Returns the stored delivery if another
    /// call or a worker has let it go.
    async fn released(
        &self,
        call: &Call,
        mut delivery: Delivery,
        record: &Record,
    ) -> Result<Delivery, Error> {
        let is_kept = self.invitations.settings.sealing.shows(&record.sealed);
        for _ in 0..super::TRIES {
            // A worker may have cancelled it: the minute had passed.
            let due = delivery.retried(call.id, call.now).with_new_code();
            // A code that is not kept is drawn by the worker, which then knows it.
            let due = if is_kept { due } else { due.drawing([&record.digest]) };
            if self.replaced(&due, &[]).await? {
                return Ok(due);
            }
            let stored = self.documents.document(&Delivery::key(delivery.id())).await?;
            let stored =
                stored.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "resend"))?;
            delivery = Delivery::of_document(&stored)?;
            if !delivery.awaits_new_code() {
                return Ok(delivery);
            }
        }
        Err(StoreError::new(StoreErrorKind::Conflict, "resend").into())
    }
}

fn queued(id: DeliveryId, record: &Record, now: Timestamp) -> Delivery {
    Delivery::queued(id, DeliveryPurpose::Resent, record.id, record.division.clone(), now)
}

/// Returns the time by which a replacement of the code that begins now is done.
fn rotated_by(now: Timestamp) -> Timestamp {
    now.checked_add(ROTATION).unwrap_or(Timestamp::MAX)
}

/// Returns an error of the second step. The mail is queued, so it must not say that nothing was
/// changed.
fn unknown(error: Error) -> Error {
    match error {
        // The queued mail is gone with the host's transaction.
        Error::Store(ended) if ended.transaction_ended() => ended.into(),
        error => StoreError::new(StoreErrorKind::OutcomeUnknown, "resend").because(error).into(),
    }
}
