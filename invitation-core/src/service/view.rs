//! Listing, counting, looking at one, and copying its code.

use super::{Criteria, Cursor, Invitations, Paging, evidence::Place};
use crate::{
    actor::{Actor, Scope},
    code::InvitationCode,
    decide::{Call, actions},
    error::Error,
    event::{Action, Detail, Reason},
    id::InvitationId,
    invitation::{Invitation, Status},
    limits::Limits,
    policy::Right,
    query::{Filter, Tally},
    refusal::{Refusal, Verdict},
    search::Query,
    store::Store,
    text::Division,
    time::Timestamp,
    transition::Target,
};

/// An invitation as an actor sees it: a row of the dashboard's table.
#[derive(Debug)]
pub struct InvitationView {
    invitation: Invitation,
    code: InvitationCode,
    status: Status,
    actions: Vec<Right>,
}

impl InvitationView {
    /// The facts.
    #[must_use]
    pub fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &InvitationCode {
        &self.code
    }

    /// What it is at the time of the call.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// What the actor may do with it, as it is.
    #[must_use]
    pub fn actions(&self) -> &[Right] {
        &self.actions
    }
}

/// A page of a list.
#[derive(Debug)]
pub struct InvitationPage {
    items: Vec<InvitationView>,
    next: Option<Cursor>,
}

impl InvitationPage {
    /// The items, newest first. There may be fewer than asked for although more
    /// follow; [`next`](Self::next) tells.
    #[must_use]
    pub fn items(&self) -> &[InvitationView] {
        &self.items
    }

    /// Where the next page begins; none when nothing follows.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.next
    }
}

/// How many invitations there are of each status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts(Tally);

impl Counts {
    /// The number of one status.
    #[must_use]
    pub fn of(&self, status: Status) -> Count {
        let n = self.0.of(status);
        if n > Limits::COUNT_CAP { Count::MoreThan(Limits::COUNT_CAP) } else { Count::Exactly(n) }
    }
}

/// A number, exact up to [`Limits::COUNT_CAP`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Count {
    /// This many.
    Exactly(u32),
    /// More than this.
    MoreThan(u32),
}

impl<S: Store> Invitations<S> {
    /// Lists invitations within the actor's reach, newest first, with their codes.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `DivisionNotAllowed`; [`Error::Invalid`]
    /// for a search or cursor that is not one; [`Error::Store`],
    /// [`Error::Entropy`]; [`Error::Seal`] when a stored code cannot be shown.
    pub async fn list(
        &self,
        actor: &Actor,
        criteria: &Criteria,
        paging: Paging,
    ) -> Result<InvitationPage, Error> {
        let call = self.call_by(actor.into())?;
        let named = criteria.division.as_ref();
        self.permit(actor.into(), &call, Right::View, Action::View, named).await?;
        let now = paging.time(call.now);
        let page = paging.page()?;
        let (filter, query) = self.filter(criteria, now)?;
        let scope = self.reach(actor, &call, named, Action::View).await?;

        let listing = self.store.list(&scope, &filter, &page).await?;
        let mut items = Vec::with_capacity(listing.items.len());
        for invitation in listing.items {
            let view = self.view(actor, invitation, now)?;
            // The store finds candidates by the code's tag; the code decides.
            if query.as_ref().is_none_or(|query| query.finds(&view.invitation, &view.code)) {
                items.push(view);
            }
        }
        let next = listing.next.map(|position| Cursor::behind(position, now));
        Ok(InvitationPage { items, next })
    }

    /// Counts invitations within the actor's reach by status, each exactly up to
    /// [`Limits::COUNT_CAP`].
    ///
    /// A search for the beginning of a code counts by its first four symbols.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn counts(&self, actor: &Actor, criteria: &Criteria) -> Result<Counts, Error> {
        let call = self.call_by(actor.into())?;
        let named = criteria.division.as_ref();
        self.permit(actor.into(), &call, Right::View, Action::View, named).await?;
        let (filter, _) = self.filter(criteria, call.now)?;
        let scope = self.reach(actor, &call, named, Action::View).await?;
        Ok(Counts(self.store.count(&scope, &filter, Limits::COUNT_CAP).await?))
    }

    /// Looks at one invitation.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`; `NotFound`, also for one out of reach;
    /// [`Error::Store`], [`Error::Entropy`], [`Error::Seal`].
    pub async fn get(&self, actor: &Actor, id: InvitationId) -> Result<InvitationView, Error> {
        let call = self.call_by(actor.into())?;
        self.permit_on(actor, &call, id, Right::View, Action::View).await?;
        let invitation = self.load(actor, &call, id, Action::View).await?;
        self.view(actor, invitation, call.now)
    }

    /// Takes the code of an invitation, to share it; the audit trail says so.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get). Without evidence, no code: when the event cannot be
    /// written, that is the error.
    pub async fn copy(&self, actor: &Actor, id: InvitationId) -> Result<InvitationCode, Error> {
        let call = self.call_by(actor.into())?;
        self.permit_on(actor, &call, id, Right::Copy, Action::Copy).await?;
        let invitation = self.load(actor, &call, id, Action::Copy).await?;
        let code = self.open(&invitation)?;
        let event = call.done(Action::Copy, Detail::none()).about(&invitation);
        self.store.record(&[event]).await?;
        Ok(code)
    }

    /// The invitation, if it exists for the actor; a refusal otherwise.
    async fn load(
        &self,
        actor: &Actor,
        call: &Call,
        id: InvitationId,
        action: Action,
    ) -> Result<Invitation, Error> {
        let target = Target::Id(id);
        match self.store.get(&target, actor.scope()).await? {
            Some(invitation) if invitation.deleted_at.is_none() => Ok(invitation),
            Some(tombstone) => {
                let verdict = Verdict::missing(&target, Reason::Deleted);
                let place = Place::Invitation(id, tombstone.division);
                Err(self.refuse(call, action, verdict, place).await)
            }
            None => Err(self.refuse_missing(call, action, &target, None).await),
        }
    }

    /// The scope of a query that may name a division.
    pub(super) async fn reach(
        &self,
        actor: &Actor,
        call: &Call,
        named: Option<&Division>,
        action: Action,
    ) -> Result<Scope, Error> {
        match named {
            None => Ok(actor.scope().clone()),
            Some(division) if actor.scope().contains(division) => {
                Ok(Scope::Division(division.clone()))
            }
            Some(division) => {
                let refusal = Refusal::DivisionNotAllowed { division: division.clone() };
                let verdict = Verdict::new(refusal, Reason::DivisionNotAllowed);
                let place = Place::Division(Some(division.clone()));
                Err(self.refuse(call, action, verdict, place).await)
            }
        }
    }

    fn filter(
        &self,
        criteria: &Criteria,
        now: Timestamp,
    ) -> Result<(Filter, Option<Query>), Error> {
        let query = criteria
            .search
            .as_ref()
            .map(|text| Query::parse(text, &self.settings.format))
            .transpose()?;
        let filter = Filter {
            now,
            status: criteria.status,
            role: criteria.role.clone(),
            inviter: criteria.inviter.clone(),
            created: criteria.created,
            expires: criteria.expires,
            search: query.as_ref().map(|query| query.search().clone()),
        };
        Ok((filter, query))
    }

    fn view(
        &self,
        actor: &Actor,
        invitation: Invitation,
        now: Timestamp,
    ) -> Result<InvitationView, Error> {
        Ok(InvitationView {
            code: self.open(&invitation)?,
            status: invitation.status(now),
            actions: actions(&invitation, now, actor.role(), &self.settings.policy),
            invitation,
        })
    }

    fn open(&self, invitation: &Invitation) -> Result<InvitationCode, Error> {
        let settings = &self.settings;
        Ok(settings.sealing.open(invitation.id, &invitation.sealed, &settings.format)?)
    }
}
