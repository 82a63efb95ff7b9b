//! Listing the redemptions and the open reservations of invitations.

use super::{Invitations, Paging};
use crate::{
    actor::Caller,
    cursor::{Cursor, ListOf},
    error::Error,
    event::Action,
    id::InvitationId,
    lease::{OpenLease, ReservationId},
    page::Page,
    policy::Right,
    redemption::Redemption,
    scope::Scope,
    store::Store,
    text::Division,
    time::Timestamp,
};

/// An open reservation: a use held for a redeemer whose account is being created, or was
/// created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenReservation {
    open: OpenLease,
    expired: bool,
}

impl OpenReservation {
    /// The id of the reservation.
    #[must_use]
    pub fn id(&self) -> ReservationId {
        ReservationId::new(self.open.invitation, self.open.lease.id)
    }

    /// The lease: its invitation, its redeemer, its start and its end.
    #[must_use]
    pub fn open(&self) -> &OpenLease {
        &self.open
    }

    /// Whether the reservation has expired. The next redeemer who needs the use then
    /// takes it over, as long as the invitation is valid; until then the reservation can
    /// still be committed.
    #[must_use]
    pub fn has_expired(&self) -> bool {
        self.expired
    }
}

impl<S: Store> Invitations<S> {
    /// Lists the redemptions of an invitation, newest first; a single-use invitation has
    /// at most one.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`Error::Invalid`] for an invalid cursor.
    pub async fn redemptions(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
        paging: Paging,
    ) -> Result<Page<Redemption>, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit_on(caller, &call, id, Right::View, Action::View).await?;
        let page = paging.page(ListOf::Redemptions)?;
        self.load(caller, &call, id, Action::View).await?;
        let listing = self.store.redemptions(&caller.scope(), id, &page).await?;
        let next = listing
            .next
            .map(|position| Cursor::behind(ListOf::Redemptions, position, paging.time(call.now)));
        Ok(Page { items: listing.items, next })
    }

    /// Lists the open reservations within the actor's reach, or in one division of it,
    /// newest first. Expired ones are included until another redeemer takes over their
    /// use.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `DivisionNotAllowed`; [`Error::Invalid`] for
    /// an invalid cursor; [`Error::Store`], [`Error::Entropy`].
    pub async fn reservations(
        &self,
        caller: impl Into<Caller<'_>>,
        division: Option<&Division>,
        paging: Paging,
    ) -> Result<Page<OpenReservation>, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit(caller, &call, Right::Reservations, Action::View, division).await?;
        let page = paging.page(ListOf::Reservations)?;
        let scope: Scope = self.reach(caller, &call, division, Action::View).await?;
        let listing = self.store.leases(&scope, &page).await?;
        let now: Timestamp = call.now;
        let items = listing.items.into_iter().map(|open| {
            let expired = open.lease.has_expired(now);
            OpenReservation { open, expired }
        });
        let next = listing
            .next
            .map(|position| Cursor::behind(ListOf::Reservations, position, paging.time(now)));
        Ok(Page { items: items.collect(), next })
    }
}
