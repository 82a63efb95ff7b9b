//! Who used an invitation, and for whom a use is held.

use super::{Cursor, Invitations, Paging, cursor::ListOf};
use crate::{
    actor::{Actor, Scope},
    error::Error,
    event::Action,
    id::InvitationId,
    invitation::Redemption,
    lease::{OpenLease, ReservationId},
    policy::Right,
    store::Store,
    text::Division,
    time::Timestamp,
};

/// A page of redemptions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedemptionPage {
    items: Vec<Redemption>,
    next: Option<Cursor>,
}

impl RedemptionPage {
    /// The redemptions, newest first.
    #[must_use]
    pub fn items(&self) -> &[Redemption] {
        &self.items
    }

    /// Where the next page begins; none when nothing follows.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

/// A use that is held for somebody whose account is being created, or was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenReservation {
    open: OpenLease,
    run_out: bool,
}

impl OpenReservation {
    /// Its key.
    #[must_use]
    pub fn id(&self) -> ReservationId {
        ReservationId::new(self.open.invitation, self.open.lease.id)
    }

    /// On which invitation, for whom, since when and until when.
    #[must_use]
    pub fn open(&self) -> &OpenLease {
        &self.open
    }

    /// Whether it has run out: then the use goes to whoever needs it next, as long as
    /// the invitation is valid, and the reservation stands only until then.
    #[must_use]
    pub fn has_run_out(&self) -> bool {
        self.run_out
    }
}

/// A page of open reservations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReservationPage {
    items: Vec<OpenReservation>,
    next: Option<Cursor>,
}

impl ReservationPage {
    /// The reservations, newest first.
    #[must_use]
    pub fn items(&self) -> &[OpenReservation] {
        &self.items
    }

    /// Where the next page begins; none when nothing follows.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

impl<S: Store> Invitations<S> {
    /// Lists who redeemed an invitation, newest first: of one for several uses,
    /// everybody; of another, the only one.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`Error::Invalid`] for a cursor that is not one.
    pub async fn redemptions(
        &self,
        actor: &Actor,
        id: InvitationId,
        paging: Paging,
    ) -> Result<RedemptionPage, Error> {
        let call = self.call_by(actor.into())?;
        self.permit_on(actor, &call, id, Right::View, Action::View).await?;
        let page = paging.page(ListOf::Redemptions)?;
        self.load(actor, &call, id, Action::View).await?;
        let listing = self.store.redemptions(actor.scope(), id, &page).await?;
        let next = listing
            .next
            .map(|position| Cursor::behind(ListOf::Redemptions, position, paging.time(call.now)));
        Ok(RedemptionPage { items: listing.items, next })
    }

    /// Lists the open reservations within the actor's reach, or of one division of
    /// it, newest first; those that have run out too, as long as nobody has needed
    /// their use.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `DivisionNotAllowed`; [`Error::Invalid`] for
    /// a cursor that is not one; [`Error::Store`], [`Error::Entropy`].
    pub async fn reservations(
        &self,
        actor: &Actor,
        division: Option<&Division>,
        paging: Paging,
    ) -> Result<ReservationPage, Error> {
        let call = self.call_by(actor.into())?;
        self.permit(actor.into(), &call, Right::Reservations, Action::View, division).await?;
        let page = paging.page(ListOf::Reservations)?;
        let scope: Scope = self.reach(actor, &call, division, Action::View).await?;
        let listing = self.store.leases(&scope, &page).await?;
        let now: Timestamp = call.now;
        let items = listing.items.into_iter().map(|open| {
            let run_out = open.lease.has_run_out(now);
            OpenReservation { open, run_out }
        });
        let next = listing
            .next
            .map(|position| Cursor::behind(ListOf::Reservations, position, paging.time(now)));
        Ok(ReservationPage { items: items.collect(), next })
    }
}
