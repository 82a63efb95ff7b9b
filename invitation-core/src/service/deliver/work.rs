//! What a worker does with deliveries besides claiming them: queue, and write what became of each.

use std::num::NonZeroU32;

use time::Duration;

use super::{ClaimedDelivery, Deliveries, readable};
use crate::{
    actor::SystemActor,
    decide::{Call, is_for_address},
    delivery::{BudgetOf, Delivery, DeliveryFailure, DeliveryPurpose, MessageId},
    documents::Document,
    error::Error,
    event::{Action, Event, EventOutcome, Reason},
    id::DeliveryId,
    store::Store,
    store_error::StoreError,
    time::Timestamp,
};

impl<S: Store> Deliveries<S> {
    /// Queues a mail for each of the events that created an invitation with an address, and
    /// returns the number of these events. An event that comes again has no further effect.
    ///
    /// Where the service [keeps no codes](crate::code::Sealing::hash_only), no mail is queued and the
    /// number is 0: only the user who created an invitation has its code.
    ///
    /// One round trip, or none. A call takes at most [`Document::MAX_BATCH`] such events at a
    /// time, and makes another round trip for each further batch.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails. Part of the mails may then be queued; call again.
    pub async fn queue(&self, events: &[Event]) -> Result<usize, StoreError> {
        if !self.invitations.settings.sealing.keeps_codes() {
            return Ok(0);
        }
        let new: Vec<_> = events.iter().filter_map(invited).collect();
        for batch in new.chunks(Document::MAX_BATCH) {
            let documents: Result<Vec<_>, _> = batch.iter().map(Delivery::document).collect();
            self.documents.add_documents(&documents?).await?;
        }
        Ok(new.len())
    }

    /// Returns deliveries that are due, the longest due first.
    ///
    /// A delivery that this version of the library cannot read, as a newer one may have written
    /// it, is left out and [reported](crate::observe). The others are returned in its place, as
    /// long as it is among the first [`Document::MAX_BATCH`] that are due.
    ///
    /// One round trip, or a few while deliveries that cannot be read are due.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    pub async fn due(&self, limit: NonZeroU32) -> Result<Vec<Delivery>, StoreError> {
        let now = self.invitations.now();
        let wanted = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let mut asked = limit;
        loop {
            let due = self.documents.due_documents(&Delivery::kind(), now, asked).await?;
            let unreadable = due.iter().filter(|one| Delivery::of_document(one).is_err()).count();
            let is_enough = unreadable == 0 || due.len().saturating_sub(unreadable) >= wanted;
            let more = u32::try_from(unreadable).unwrap_or(u32::MAX).saturating_mul(2);
            let more = limit.saturating_add(more);
            let is_all = u32::try_from(due.len()).is_ok_and(|n| n < Document::bounded(asked))
                || Document::bounded(more) <= Document::bounded(asked);
            if is_enough || is_all {
                return Ok(due.iter().filter_map(readable).take(wanted).collect());
            }
            asked = more;
        }
    }

    /// Writes that the mail was sent, with its event, and returns whether the claim was still
    /// the worker's.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Entropy`]. The mail is then sent again at the end of the claim.
    pub async fn sent(
        &self,
        worker: &SystemActor,
        claimed: &ClaimedDelivery,
        message: &MessageId,
    ) -> Result<bool, Error> {
        let call = self.invitations.call_by(worker.into())?;
        let sent = claimed.delivery().sent(call.id, message, call.now);
        let event = call.done(Action::Deliver, sent.detail());
        self.settled(&sent, event).await
    }

    /// Writes that an attempt failed, and returns whether the claim was still the worker's.
    ///
    /// `wait` is the time until the next attempt. Without it, or after a
    /// [final](crate::delivery::FailureKind::is_final) failure, no further attempt is made, and an event says so.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn failed(
        &self,
        worker: &SystemActor,
        claimed: &ClaimedDelivery,
        failure: DeliveryFailure,
        wait: Option<Duration>,
    ) -> Result<bool, Error> {
        let call = self.invitations.call_by(worker.into())?;
        match wait.filter(|_| !failure.kind().is_final()) {
            Some(wait) => {
                let due = call.now.checked_add(wait).unwrap_or(Timestamp::MAX);
                let again = claimed.delivery().due_again(call.id, due, Some(failure));
                Ok(self.replaced(&again, &[]).await?)
            }
            None => self.give_up(&call, claimed.delivery(), failure).await,
        }
    }

    /// Writes that the recipient wants no reminders, and returns whether the claim was still the
    /// worker's.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn unsubscribed(
        &self,
        worker: &SystemActor,
        claimed: &ClaimedDelivery,
    ) -> Result<bool, Error> {
        let call = self.invitations.call_by(worker.into())?;
        self.cancel(&call, claimed.delivery(), Reason::Unsubscribed).await
    }

    /// Removes the counts of mails that are older than the periods of the limits, at most `max`,
    /// and returns their number.
    ///
    /// One round trip if there are none, otherwise two, and one for each.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store fails.
    pub async fn remove_old_counts(&self, max: NonZeroU32) -> Result<u32, StoreError> {
        let (kind, over) = (BudgetOf::kind(), BudgetOf::over());
        let now = self.invitations.now();
        let old = self.documents.due_documents(&kind, now, max).await?;
        if old.is_empty() {
            return Ok(0);
        }
        for document in &old {
            // If the count is in use again, it stays.
            let done = document.next(over.clone()).never_due();
            self.documents.replace_documents(&[done], &[]).await?;
        }
        self.documents.remove_documents(&kind, &over, now, max, None).await
    }

    pub(super) async fn cancel(
        &self,
        call: &Call,
        delivery: &Delivery,
        reason: Reason,
    ) -> Result<bool, Error> {
        let cancelled = delivery.cancelled(call.id, reason, call.now);
        let event = Event {
            outcome: EventOutcome::Refused,
            reason: Some(reason),
            ..call.done(Action::Deliver, cancelled.detail())
        };
        self.settled(&cancelled, event).await
    }

    pub(super) async fn give_up(
        &self,
        call: &Call,
        delivery: &Delivery,
        failure: DeliveryFailure,
    ) -> Result<bool, Error> {
        let failed = delivery.failed(call.id, failure, call.now);
        let event = Event {
            outcome: EventOutcome::Failed,
            reason: Some(Reason::DeliveryFailed),
            ..call.done(Action::Deliver, failed.detail())
        };
        self.settled(&failed, event).await
    }

    async fn settled(&self, delivery: &Delivery, event: Event) -> Result<bool, Error> {
        let event = event.located(delivery.invitation(), delivery.division().clone());
        let outcome = event.outcome;
        let written = self.replaced(delivery, &[event]).await?;
        if written {
            crate::report::delivered(outcome);
        }
        Ok(written)
    }
}

/// Returns the mail for an event that created an invitation with an address.
fn invited(event: &Event) -> Option<Delivery> {
    let created = event.action == Action::Create && event.outcome == EventOutcome::Succeeded;
    let (invitation, division) = (event.invitation?, event.division.clone()?);
    (created && is_for_address(&event.detail)).then(|| {
        let id = DeliveryId::from_bytes(*event.id.as_bytes());
        Delivery::queued(id, DeliveryPurpose::Invited, invitation, division, event.at)
    })
}
