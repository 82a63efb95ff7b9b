//! Erasing a person.

use std::collections::{HashMap, hash_map::Entry};

use super::{Invitations, Paging, evidence::Place};
use crate::{
    actor::{Actor, Caller},
    cursor::{Cursor, ListOf},
    decide::Call,
    detail::Detail,
    erasure::{Erasures, EventErasure, Person, PersonErasure},
    error::Error,
    event::{Action, Event, Reason},
    id::{EventId, InvitationId},
    page::PageRequest,
    policy::Right,
    query::{EventFilter, Position},
    record::Record,
    refusal::Verdict,
    report,
    scope::Scope,
    store::Store,
    target::Target,
    time::Timestamp,
};

/// The progress of one page of an erasure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErasurePage {
    stage: ErasureStage,
    examined: usize,
    erased: usize,
    open: usize,
    next: Option<Cursor>,
}

/// The rows that a page of an erasure looks at. Invitations come first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErasureStage {
    /// Invitations with their redemptions and reservations.
    Invitations,
    /// Events.
    Events,
}

impl ErasurePage {
    /// The rows that the page looked at.
    #[must_use]
    pub fn stage(&self) -> ErasureStage {
        self.stage
    }

    /// The number of invitations or events on the page.
    #[must_use]
    pub fn examined(&self) -> usize {
        self.examined
    }

    /// The number of these that this call changed.
    #[must_use]
    pub fn erased(&self) -> usize {
        self.erased
    }

    /// The number of open invitations on the page that are for one of the person's addresses.
    /// They stay as they are. Revoke them, and run the job again.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open
    }

    /// The cursor to continue with; `None` after the last page.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

impl<S: Store + Erasures> Invitations<S> {
    /// Erases the names, addresses and sources of a person, one page at a time: first from the
    /// invitations, then from the events, beginning with the newest. Continue with
    /// [`ErasurePage::next`] until it is `None`. Needs [`Right::PurgeEvents`] and all divisions.
    ///
    /// [The module](crate::erasure) says what is erased, what stays, and in which order an audit
    /// log is erased.
    ///
    /// The job may be interrupted at any point: continue from the last cursor, or begin again,
    /// which changes nothing that is done. It may run beside all other calls, the erasure of
    /// another person included. What the person does after the first page may stay, so block the
    /// account first. An invitation must have ended before the first page for its address to be
    /// erased.
    ///
    /// A page that changes something leaves one event, in the same atomic step. It has the user
    /// id, and the ids of erased events. It has no name and no address, not even those of the
    /// performer if that is the erased person.
    ///
    /// The job reads every invitation and every event once, whatever it finds. It needs no index of
    /// its own, and each page is a short transaction. A page of invitations is one call to the
    /// store. A page of events is one, one more if something is erased, and one for each
    /// invitation whose masked address is like one of the person's.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for an invalid cursor; [`Error::Refused`]: `Forbidden`, also for an
    /// actor who does not reach all divisions; [`Error::Store`], [`Error::Entropy`].
    pub async fn erase_person(
        &self,
        caller: impl Into<Caller<'_>>,
        person: &Person,
        paging: Paging,
    ) -> Result<ErasurePage, Error> {
        let caller = caller.into();
        let (right, action) = (Right::PurgeEvents, Action::Erase);
        let call = self.call_by(caller)?;
        self.permit(caller, &call, right, action, None).await?;
        if caller.scope() != Scope::All {
            let place = Place::Division(caller.user().and_then(Actor::home).cloned());
            let verdict = Verdict::forbidden(right, Reason::DivisionNotAllowed);
            return Err(self.refuse(&call, action, verdict, place).await);
        }
        let now = paging.time(call.now);
        let page = if let Ok(page) = paging.page(ListOf::ErasedInvitations) {
            self.erase_invitations(person, &call, &page, now).await?
        } else {
            let page = paging.page(ListOf::ErasedEvents)?;
            self.erase_events(person, &call, &page, now).await?
        };
        if page.erased > 0 {
            report::succeeded(action, 1);
        }
        Ok(page)
    }

    async fn erase_invitations(
        &self,
        person: &Person,
        call: &Call,
        page: &PageRequest<InvitationId>,
        now: Timestamp,
    ) -> Result<ErasurePage, Error> {
        let erasure = PersonErasure {
            user: person.user().clone(),
            addresses: person.addresses().iter().map(|email| email.key().clone()).collect(),
            now,
            event: evidence(person, call),
        };
        let made = self.store.erase_invitations(&erasure, page).await?;
        let next = if let Some(position) = made.next {
            Cursor::behind(ListOf::ErasedInvitations, position, now)
        } else {
            let newest = Position { at: Timestamp::MAX, id: EventId::from_bytes([0xff; 16]) };
            Cursor::behind(ListOf::ErasedEvents, newest, now)
        };
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(ErasurePage {
            stage: ErasureStage::Invitations,
            examined: number(made.examined),
            erased: number(made.erased),
            open: number(made.open),
            next: Some(next),
        })
    }

    async fn erase_events(
        &self,
        person: &Person,
        call: &Call,
        page: &PageRequest<EventId>,
        now: Timestamp,
    ) -> Result<ErasurePage, Error> {
        let listing = self.store.events(&Scope::All, &EventFilter::default(), page).await?;
        let examined = listing.items.len();
        let mut invitations = HashMap::new();
        let mut erased = Vec::new();
        for event in listing.items {
            let mut parts = person.erased_performer(&event);
            if person.may_be_named_in(&event.detail) {
                let invitation = self.invitation_of(&event, &mut invitations).await?;
                parts.masks = person.erased_masks(&event.detail, invitation, now);
            }
            if parts.any() {
                erased.push(parts);
            }
        }
        let number = erased.len();
        if number > 0 {
            let erasure = EventErasure::new(erased, evidence(person, call));
            self.store.erase_events(&erasure).await?;
        }
        let next = listing.next.map(|at| Cursor::behind(ListOf::ErasedEvents, at, now));
        let stage = ErasureStage::Events;
        Ok(ErasurePage { stage, examined, erased: number, open: 0, next })
    }

    /// Returns the invitation that an event is about. It is read once for each page.
    async fn invitation_of<'r>(
        &self,
        event: &Event,
        read: &'r mut HashMap<InvitationId, Option<Record>>,
    ) -> Result<Option<&'r Record>, Error> {
        let Some(id) = event.invitation else { return Ok(None) };
        let invitation = match read.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert(self.store.get(&Target::Id(id), &Scope::All).await?)
            }
        };
        Ok(invitation.as_ref())
    }
}

/// Returns the event of a page, without what the store adds.
fn evidence(person: &Person, call: &Call) -> Event {
    let detail = Detail::none().with(PersonErasure::USER, person.user().as_str());
    person.unnamed(call.done(Action::Erase, detail))
}
