//! Reading the audit trail.

use super::{Cursor, EventCriteria, Invitations, Paging, cursor::ListOf};
use crate::{
    actor::Actor,
    error::Error,
    event::{Action, Event},
    policy::Right,
    store::Store,
};

/// A page of the audit trail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventPage {
    items: Vec<Event>,
    next: Option<Cursor>,
}

impl EventPage {
    /// The events, newest first.
    #[must_use]
    pub fn items(&self) -> &[Event] {
        &self.items
    }

    /// The cursor of the next page; `None` when this is the last one.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

impl<S: Store> Invitations<S> {
    /// Lists the audit events within the actor's reach, newest first. An actor whose
    /// reach is one division sees the events of that division.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `DivisionNotAllowed`; [`Error::Invalid`]
    /// for an invalid cursor; [`Error::Store`], [`Error::Entropy`].
    pub async fn events(
        &self,
        actor: &Actor,
        criteria: &EventCriteria,
        paging: Paging,
    ) -> Result<EventPage, Error> {
        let call = self.call_by(actor.into())?;
        let named = criteria.division.as_ref();
        self.permit(actor.into(), &call, Right::Audit, Action::Audit, named).await?;
        let page = paging.page(ListOf::Events)?;
        let scope = self.reach(actor, &call, named, Action::Audit).await?;
        let listing = self.store.events(&scope, &criteria.filter, &page).await?;
        let now = paging.time(call.now);
        let next = listing.next.map(|position| Cursor::behind(ListOf::Events, position, now));
        Ok(EventPage { items: listing.items, next })
    }
}
