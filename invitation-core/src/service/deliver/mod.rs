//! Listing, retrying and removing deliveries.

mod claim;
mod remind;
mod resend;
mod resend_all;
mod work;

use std::{fmt, num::NonZeroU32, sync::Arc};

use time::Duration;

use self::remind::ReminderMark;
pub use self::{
    claim::ClaimedDelivery,
    remind::ReminderPage,
    resend::Resend,
    resend_all::{ResendOutcome, ResentInvitation, ResentPage},
};
use super::{Invitations, Paging, TRIES, evidence::Place};
use crate::{
    actor::Caller,
    cursor::{Cursor, ListOf},
    decide::{Call, check_resend},
    delivery::{Delivery, DeliveryState},
    detail::Detail,
    documents::{Document, DocumentFilter, Documents, RemovalEvidence},
    error::Error,
    event::{Action, Event, Reason},
    field_error::FieldError,
    hooks::CommandKind,
    id::{DeliveryId, InvitationId},
    invitation::Invitation,
    limits::Limits,
    page::{Page, PageRequest},
    policy::Right,
    query::Position,
    refusal::{Refusal, Verdict},
    report,
    scope::Scope,
    store::Store,
    store_error::{StoreError, StoreErrorKind},
    target::Target,
    time::Timestamp,
};

/// The number of tries to count a mail. Each round, one of those that count against the same limit
/// succeeds, so this is also the number of mails that must be counted before another one waits or
/// is refused.
const BUDGET_TRIES: usize = 64;

/// The deliveries of a service: the mails with the codes of its invitations.
///
/// [The module](crate::delivery) shows its use. The documents belong into the same store as the
/// invitations: then a mail is queued in one atomic step with its event.
#[derive(Clone)]
pub struct Deliveries<S> {
    invitations: Invitations<S>,
    documents: Arc<dyn Documents>,
}

impl<S> fmt::Debug for Deliveries<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries").field("documents", &self.documents).finish_non_exhaustive()
    }
}

impl<S: Store> Deliveries<S> {
    /// Creates the deliveries of a service, kept in `documents`.
    #[must_use]
    pub fn new(invitations: Invitations<S>, documents: Arc<dyn Documents>) -> Self {
        Self { invitations, documents }
    }

    /// Returns the service of the invitations.
    #[must_use]
    pub fn invitations(&self) -> &Invitations<S> {
        &self.invitations
    }

    /// Lists the deliveries of an invitation, newest first. Needs [`Right::View`]. A delivery that
    /// this version of the library cannot read is left out and [reported](crate::observe).
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Invalid`] for an invalid cursor;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn of_invitation(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
        paging: Paging,
    ) -> Result<Page<Delivery>, Error> {
        let (caller, service) = (caller.into(), &self.invitations);
        let call = service.call_by(caller)?;
        service.permit_on(caller, &call, id, Right::View, Action::View).await?;
        let page = paging.page::<DeliveryId>(ListOf::Deliveries)?;
        service.load(caller, &call, id, Action::View).await?;
        let filter =
            DocumentFilter { invitation: Some(id), ..DocumentFilter::all(Delivery::kind()) };
        self.listed(&caller.scope(), &filter, page, paging.time(call.now)).await
    }

    /// Lists the deliveries within the actor's reach, or those in one state, newest first. Needs
    /// [`Right::Resend`]. A delivery that this version of the library cannot read is left out and
    /// [reported](crate::observe).
    ///
    /// One round trip, or up to [`Limits::MAX_LIST_CALLS`] to fill a short page.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`; [`Error::Invalid`] for an invalid cursor;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn list(
        &self,
        caller: impl Into<Caller<'_>>,
        state: Option<DeliveryState>,
        paging: Paging,
    ) -> Result<Page<Delivery>, Error> {
        let (caller, service) = (caller.into(), &self.invitations);
        let call = service.call_by(caller)?;
        service.permit(caller, &call, Right::Resend, Action::View, None).await?;
        let page = paging.page::<DeliveryId>(ListOf::Deliveries)?;
        let state = state.map(DeliveryState::of_document);
        let filter = DocumentFilter { state, ..DocumentFilter::all(Delivery::kind()) };
        self.listed(&caller.scope(), &filter, page, paging.time(call.now)).await
    }

    async fn listed(
        &self,
        scope: &Scope,
        filter: &DocumentFilter,
        page: PageRequest<DeliveryId>,
        now: Timestamp,
    ) -> Result<Page<Delivery>, Error> {
        let after = page.after.map(|Position { at, id }| {
            let id = Delivery::key(id).name;
            Position { at, id }
        });
        let mut page = PageRequest { after, limit: page.limit };
        let mut items = Vec::new();
        for _ in 0..Limits::MAX_LIST_CALLS {
            let listing = self.documents.list_documents(scope, filter, &page).await?;
            for document in &listing.items {
                let Some(delivery) = readable(document) else { continue };
                items.push(delivery);
                page.limit = page.limit.saturating_sub(1);
            }
            page.after = listing.next;
            if page.after.is_none() || page.limit == 0 {
                break;
            }
        }
        let next = page.after.map(|Position { at, id }| {
            let id: DeliveryId = id.as_str().parse().map_err(|error: FieldError| {
                StoreError::new(StoreErrorKind::Corrupt, "delivery").because(error)
            })?;
            Ok::<_, StoreError>(Cursor::behind(ListOf::Deliveries, Position { at, id }, now))
        });
        Ok(Page { items, next: next.transpose()? })
    }

    /// Returns whether the actor may send an invitation again at this moment.
    ///
    /// No round trip. The limits of mails are not checked.
    #[must_use]
    pub fn may_resend<'a>(&self, caller: impl Into<Caller<'a>>, invitation: &Invitation) -> bool {
        let (caller, service) = (caller.into(), &self.invitations);
        let policy = service.policy();
        caller.may(policy, Right::Resend)
            && caller.scope().contains(invitation.division())
            && check_resend(invitation.record(), &caller.performer(), policy, service.now()).is_ok()
    }

    /// Queues a failed delivery again, with all attempts before it. The event is a
    /// [`Resend`](Action::Resend) that names the delivery. A delivery that has not failed is
    /// returned as it is: a repeated call has no further effect.
    ///
    /// Three round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`; `NotFound` if there is no such delivery within the
    /// actor's reach; `RoleNotGrantable`, `UnknownRole`; `Used`, `Revoked`, `Expired`, `NoAddress`
    /// for the state of the invitation; `Vetoed`; `Conflict`, also for a reminder of an expiry that
    /// was changed since; [`Error::Store`], [`Error::Entropy`].
    pub async fn retry(
        &self,
        caller: impl Into<Caller<'_>>,
        id: DeliveryId,
    ) -> Result<Delivery, Error> {
        let (caller, service) = (caller.into(), &self.invitations);
        let call = service.call_by(caller)?;
        service.permit(caller, &call, Right::Resend, Action::Resend, None).await?;
        for _ in 0..TRIES {
            let delivery = self.within_reach(caller, &call, id).await?;
            if delivery.state() != DeliveryState::Failed {
                return Ok(delivery);
            }
            let record = service.load(caller, &call, delivery.invitation(), Action::Resend).await?;
            let place = Place::Invitation(record.id, record.division.clone());
            let permitted =
                check_resend(&record, &call.performer, service.policy(), call.now).map(drop);
            let permitted = permitted.and_then(|()| {
                // The worker would cancel the reminder.
                let is_due = remind::is_of_expiry(&delivery, &record);
                let changed = Verdict::new(Refusal::Conflict, Reason::VersionMismatch);
                is_due.then_some(()).ok_or(changed)
            });
            if let Err(verdict) = permitted {
                return Err(service.refuse(&call, Action::Resend, verdict, place).await);
            }
            let intent = service.intent(CommandKind::Resend, &call, [&record]);
            service.consent_or_refuse(intent, &call, Action::Resend, place).await?;
            let retried = delivery.retried(call.id, call.now);
            let event = call.done(Action::Resend, retried.detail()).about(&record);
            if self.replaced(&retried, &[event]).await? {
                service.notify(CommandKind::Resend, &call, &record).await;
                return Ok(retried);
            }
        }
        let verdict = Verdict::new(Refusal::Conflict, Reason::Conflict);
        Err(service.refuse(&call, Action::Resend, verdict, Place::Division(None)).await)
    }

    /// Returns a delivery within the caller's reach, and refuses otherwise.
    async fn within_reach(
        &self,
        caller: Caller<'_>,
        call: &Call,
        id: DeliveryId,
    ) -> Result<Delivery, Error> {
        let found = self.documents.document(&Delivery::key(id)).await?;
        let (reason, place) = match &found {
            Some(document) if document.is_within(&caller.scope()) => {
                return Ok(Delivery::of_document(document)?);
            }
            Some(document) => {
                let delivery = Delivery::of_document(document)?;
                let division = delivery.division().clone();
                (Reason::OutOfScope, Place::Invitation(delivery.invitation(), division))
            }
            None => (Reason::Unknown, Place::Division(None)),
        };
        let verdict = Verdict::new(Refusal::NotFound, reason);
        Err(self.invitations.refuse(call, Action::Resend, verdict, place).await)
    }

    /// Removes deliveries that were queued at least `age` ago and have ended, at most `max` of
    /// each state, and returns their number. Needs [`Right::Purge`], and reach of everything.
    ///
    /// The deliveries of one state are removed in one atomic step, with an event that has their
    /// number. A call that fails or is dropped leaves an event for each state that it has removed.
    ///
    /// A delivery that is removed can be queued again from the same event. So do not let a
    /// consumer begin anew at events that old. A reminder is not queued again: what tells that an
    /// expiry was reminded of is kept until `age` after that expiry.
    ///
    /// Four calls to the store, one for each state and one for the reminders.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when `age` is shorter than [`Limits::MIN_RETENTION`];
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Store`], [`Error::Entropy`].
    pub async fn remove_ended(
        &self,
        caller: impl Into<Caller<'_>>,
        age: Duration,
        max: NonZeroU32,
    ) -> Result<u32, Error> {
        let (caller, service) = (caller.into(), &self.invitations);
        let call = service.call_by(caller)?;
        service.permit(caller, &call, Right::Purge, Action::Purge, None).await?;
        let before = Limits::purge_before(age, call.now)?;
        if caller.scope() != Scope::All {
            let verdict = Verdict::new(Refusal::NotFound, Reason::OutOfScope);
            return Err(service.refuse(&call, Action::Purge, verdict, Place::Division(None)).await);
        }
        let (kind, mut removed) = (Delivery::kind(), 0_u32);
        for state in [DeliveryState::Sent, DeliveryState::Failed, DeliveryState::Cancelled] {
            // An event has the id of its step.
            let step = Call { id: service.call_by(caller)?.id, ..call.clone() };
            let detail = Detail::none().with("state", state.as_str());
            let event = step.done(Action::Purge, detail);
            let evidence = RemovalEvidence { event, number: "deliveries" };
            let state = state.of_document();
            let some = self
                .documents
                .remove_documents(&kind, &state, before, max, Some(&evidence))
                .await?;
            if some > 0 {
                report::succeeded(Action::Purge, 1);
            }
            removed = removed.saturating_add(some);
        }
        let (marks, reminded) = (ReminderMark::kind(), ReminderMark::state());
        self.documents.remove_documents(&marks, &reminded, before, max, None).await?;
        Ok(removed)
    }

    /// Replaces the stored version by the next one, with events.
    async fn replaced(&self, next: &Delivery, events: &[Event]) -> Result<bool, StoreError> {
        self.replaced_all(&[next.document()?], events).await
    }

    /// Replaces documents. If it is unknown whether the store did, asks again: the same documents
    /// and the same event have no further effect.
    async fn replaced_all(&self, next: &[Document], events: &[Event]) -> Result<bool, StoreError> {
        let mut last = Ok(false);
        for _ in 0..TRIES {
            last = self.documents.replace_documents(next, events).await;
            match &last {
                Err(error) if error.kind() == StoreErrorKind::OutcomeUnknown => {}
                _ => return last,
            }
        }
        last
    }

    /// Refuses a call about an invitation that was loaded.
    async fn refuse_about(&self, call: &Call, id: InvitationId, verdict: Verdict) -> Error {
        let target = Target::Id(id);
        self.invitations.refuse_about(call, Action::Resend, &target, verdict).await
    }
}

/// Reads a delivery. One that this version cannot read, as a newer one may have written it, must
/// not hold up the others: it is reported.
fn readable(document: &Document) -> Option<Delivery> {
    let read = Delivery::of_document(document);
    read.inspect_err(|_| report::unreadable(&document.key)).ok()
}
