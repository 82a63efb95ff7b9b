//! Reading the audit trail.

use super::{EventCriteria, Invitations, Paging};
use crate::{
    actor::Actor,
    cursor::{Cursor, ListOf},
    error::Error,
    event::{Action, Event},
    page::Page,
    policy::Right,
    store::Store,
};

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
    ) -> Result<Page<Event>, Error> {
        let call = self.call_by(actor.into())?;
        let named = criteria.division.as_ref();
        self.permit(actor.into(), &call, Right::Audit, Action::Audit, named).await?;
        let page = paging.page(ListOf::Events)?;
        let scope = self.reach(actor, &call, named, Action::Audit).await?;
        let listing = self.store.events(&scope, &criteria.filter, &page).await?;
        let now = paging.time(call.now);
        let next = listing.next.map(|position| Cursor::behind(ListOf::Events, position, now));
        Ok(Page { items: listing.items, next })
    }
}
