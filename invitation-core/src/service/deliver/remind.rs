//! Reminding the recipients of invitations that are about to expire.

use time::Duration;

use super::{super::Paging, Deliveries};
use crate::{
    actor::SystemActor,
    cursor::{Cursor, ListOf},
    decide::{Call, recipient},
    delivery::{Delivery, DeliveryPurpose},
    documents::{Document, DocumentKey, DocumentKind, DocumentName, DocumentState},
    error::Error,
    event::Action,
    id::DeliveryId,
    query::{Filter, ListOrder, TimeRange},
    record::Record,
    scope::Scope,
    status::Status,
    store::Store,
};

/// The progress of one page of reminders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReminderPage {
    examined: usize,
    queued: usize,
    next: Option<Cursor>,
}

impl ReminderPage {
    /// Returns the number of invitations on the page.
    #[must_use]
    pub fn examined(&self) -> usize {
        self.examined
    }

    /// Returns the number of reminders that this call queued.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Returns the cursor to continue with; none after the last page.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

impl<S: Store> Deliveries<S> {
    /// Queues a reminder for each active invitation with an address that expires within `before`,
    /// one page at a time, the soonest to expire first.
    ///
    /// Each invitation is reminded of once for each expiry, also after its delivery was
    /// [removed](Self::remove_ended): a job may call this as often as it likes, from several machines. An invitation whose whole lifetime is not longer than
    /// `before` is not reminded of, nor one whose code the store does
    /// [not keep](crate::code::Sealing::hash_only). The event and the queued mail are one atomic step.
    ///
    /// One round trip, one for each invitation with an address, and another one for each reminder.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for an invalid cursor; [`Error::Store`], [`Error::Entropy`]. After an
    /// error, part of the page may be reminded; call again.
    pub async fn remind(
        &self,
        worker: &SystemActor,
        before: Duration,
        paging: Paging,
    ) -> Result<ReminderPage, Error> {
        let service = &self.invitations;
        let call = service.call_by(worker.into())?;
        let now = paging.time(call.now);
        let page = paging.page(ListOf::InvitationsByExpiry)?;
        let filter = Filter {
            status: Some(Status::Active),
            expires: TimeRange { from: None, until: now.checked_add(before) },
            order: ListOrder::SoonestExpiryFirst,
            ..Filter::all(now)
        };
        let listing = service.store.list(&Scope::All, &filter, &page).await?;
        let mut queued = 0;
        for record in &listing.items {
            let lifetime = record.expires_at.since(record.created_at);
            // A code that is not kept cannot be sent again.
            let is_kept = service.settings.sealing.shows(&record.sealed);
            if lifetime > before
                && is_kept
                && recipient(record, call.now).is_ok()
                && self.reminded(worker, record).await?
            {
                queued += 1;
            }
        }
        let next =
            listing.next.map(|place| Cursor::behind(ListOf::InvitationsByExpiry, place, now));
        Ok(ReminderPage { examined: listing.items.len(), queued, next })
    }

    /// Queues the reminder of an invitation, and returns whether there was none before.
    async fn reminded(&self, worker: &SystemActor, record: &Record) -> Result<bool, Error> {
        let id = reminder_of(record);
        let mark = ReminderMark::of(id, record);
        // A read is cheaper than a write that has no effect.
        if self.documents.document(&mark.key).await?.is_some() {
            return Ok(false);
        }
        let call: Call = self.invitations.call_by(worker.into())?;
        let (purpose, division) = (DeliveryPurpose::Reminder, record.division.clone());
        let delivery = Delivery::queued(id, purpose, record.id, division, call.now);
        let event = call.done(Action::ReminderDue, delivery.detail()).about(record);
        Ok(self.replaced_all(&[delivery.document()?, mark], &[event]).await?)
    }
}

/// The document that tells that an expiry was reminded of. It is kept until the expiry is long
/// over: the delivery may be removed earlier, and would then be queued again.
pub(super) enum ReminderMark {}

impl ReminderMark {
    pub(super) fn kind() -> DocumentKind {
        DocumentKind::from_stored("mail-reminder")
    }

    pub(super) fn state() -> DocumentState {
        DocumentState::from_stored("reminded")
    }

    fn of(id: DeliveryId, record: &Record) -> Document {
        let name = DocumentName::from_stored(id.to_string());
        let key = DocumentKey { kind: Self::kind(), name };
        Document::new(key, Self::state(), record.expires_at)
    }
}

/// Returns the id of the reminder of the present expiry.
fn reminder_of(record: &Record) -> DeliveryId {
    let expiry = record.expires_at.as_micros().to_be_bytes();
    DeliveryId::derived(&[b"reminder", record.id.as_bytes(), &expiry])
}

/// Returns whether a delivery is no reminder, or one of the present expiry. A reminder of another
/// expiry would say that an extended invitation is about to expire.
pub(super) fn is_of_expiry(delivery: &Delivery, record: &Record) -> bool {
    delivery.purpose() != DeliveryPurpose::Reminder || delivery.id() == reminder_of(record)
}
