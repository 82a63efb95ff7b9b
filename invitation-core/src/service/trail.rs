//! Reading the audit trail.

use super::{EventCriteria, Invitations, Paging};
use crate::{
    actor::Caller,
    cursor::{Cursor, ListOf},
    error::Error,
    event::{Action, Event},
    limits::Limits,
    page::Page,
    policy::Right,
    store::Store,
};

impl<S: Store> Invitations<S> {
    /// Lists the audit events within the actor's reach, newest first. An actor whose
    /// reach is one division sees the events of that division.
    ///
    /// One round trip, or up to [`Limits::MAX_LIST_CALLS`] to fill a short page, as
    /// [`list`](Self::list) does.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `DivisionNotAllowed`; [`Error::Invalid`]
    /// for an invalid cursor; [`Error::Store`], [`Error::Entropy`].
    pub async fn events(
        &self,
        caller: impl Into<Caller<'_>>,
        criteria: &EventCriteria,
        paging: Paging,
    ) -> Result<Page<Event>, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        let named = criteria.division.as_ref();
        self.permit(caller, &call, Right::Audit, Action::Audit, named).await?;
        let mut page = paging.page(ListOf::Events)?;
        let scope = self.reach(caller, &call, named, Action::Audit).await?;
        let mut items = Vec::new();
        for _ in 0..Limits::MAX_LIST_CALLS {
            let listing = self.store.events(&scope, &criteria.filter, &page).await?;
            let found = u32::try_from(listing.items.len()).unwrap_or(u32::MAX);
            page.limit = page.limit.saturating_sub(found);
            items.extend(listing.items);
            page.after = listing.next;
            if page.after.is_none() || page.limit == 0 {
                break;
            }
        }
        let now = paging.time(call.now);
        let next = page.after.map(|position| Cursor::behind(ListOf::Events, position, now));
        Ok(Page { items, next })
    }
}
