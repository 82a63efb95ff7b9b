//! Listing, counting and getting invitations, and copying their codes.

use super::{Criteria, Invitations, Paging, evidence::Place};
use crate::{
    actor::Caller,
    code::InvitationCode,
    cursor::{Cursor, ListOf},
    decide::{Call, actions},
    detail::Detail,
    error::Error,
    event::{Action, Reason},
    id::InvitationId,
    invitation::Invitation,
    limits::Limits,
    page::{Page, PageRequest},
    policy::Right,
    query::{Filter, Position, TimeRange},
    record::Record,
    refusal::Verdict,
    report,
    scope::Scope,
    search::Query,
    status::Status,
    status_counts::StatusCounts,
    store::Store,
    target::Target,
    text::Division,
    time::Timestamp,
};

/// An invitation as an actor sees it: a row of the dashboard's table.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Criteria, Paging, Right, Status};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// let created = invitations.create(&manager, Draft::new()).await?;
/// let page = invitations.list(&manager, &Criteria::new(), Paging::default()).await?;
/// let [row] = page.items() else { panic!("one invitation") };
///
/// assert_eq!((row.invitation().id(), row.status()), (created.invitation().id(), Status::Active));
/// assert!(row.code().is_some(), "a manager may copy codes");
/// assert_eq!(row.actions(), [Right::Copy]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct InvitationView {
    invitation: Invitation,
    code: Option<InvitationCode>,
    status: Status,
    actions: Vec<Right>,
}

impl InvitationView {
    /// Returns the invitation of the row.
    #[must_use]
    pub fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// The code; `None` when the actor's role may not copy codes, when the store keeps no
    /// code, or when the stored code cannot be opened ([`Invitations::copy`] then returns an
    /// error).
    #[must_use]
    pub fn code(&self) -> Option<&InvitationCode> {
        self.code.as_ref()
    }

    /// The status at the time of the call; in a list, at that of its first page.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The actions that the actor may take on it in its current state.
    #[must_use]
    pub fn actions(&self) -> &[Right] {
        &self.actions
    }
}

impl<S: Store> Invitations<S> {
    /// Lists invitations within the actor's reach, with their codes: newest first, or by
    /// [soonest expiry](Criteria::soonest_expiry_first).
    ///
    /// One round trip. If the store returns a short page with a position, up to
    /// [`Limits::MAX_LIST_CALLS`] round trips: the page is filled from there. So a short or
    /// empty page with a cursor means that the matches are rare.
    ///
    /// A search that reads as the beginning of a code may take more: one round trip for each
    /// invitation with several redeemers whose code begins with the same four symbols, and goes
    /// on otherwise.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `DivisionNotAllowed`; [`Error::Invalid`]
    /// for an invalid search or cursor, or an order that does not go with the status;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn list(
        &self,
        caller: impl Into<Caller<'_>>,
        criteria: &Criteria,
        paging: Paging,
    ) -> Result<Page<InvitationView>, Error> {
        let caller = caller.into();
        self.list_by(Right::View, caller, criteria, paging).await
    }

    /// Lists invitations as [`list`](Self::list) does, without the codes, so that they
    /// can be stored elsewhere. Needs the right to [export](Right::Export).
    ///
    /// As many round trips as [`list`](Self::list).
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn export(
        &self,
        caller: impl Into<Caller<'_>>,
        criteria: &Criteria,
        paging: Paging,
    ) -> Result<Page<InvitationView>, Error> {
        let caller = caller.into();
        let mut page = self.list_by(Right::Export, caller, criteria, paging).await?;
        for view in &mut page.items {
            view.code = None;
        }
        Ok(page)
    }

    async fn list_by(
        &self,
        right: Right,
        caller: Caller<'_>,
        criteria: &Criteria,
        paging: Paging,
    ) -> Result<Page<InvitationView>, Error> {
        let call = self.call_by(caller)?;
        let named = criteria.division.as_ref();
        self.permit(caller, &call, right, Action::View, named).await?;
        let now = paging.time(call.now);
        let list_of = ListOf::invitations(criteria.order);
        let mut page = paging.page(list_of)?;
        let (filter, query) = self.filter(caller, criteria, now)?;
        let scope = self.reach(caller, &call, named, Action::View).await?;

        let mut items = Vec::new();
        // A store bounds the work of one call, so its page may be short or empty although
        // matches follow.
        for _ in 0..Limits::MAX_LIST_CALLS {
            let listing = self.store.list(&scope, &filter, &page).await?;
            for invitation in listing.items {
                // The store finds candidates by the code's tag; the code decides. A damaged
                // code matches no search by code: one row must not make the whole list fail,
                // and `copy` reports the damage.
                let code = self.open(&invitation).ok();
                if self.is_meant(query.as_ref(), &invitation, code.as_ref()).await? {
                    items.push(self.view(caller, invitation.into(), code, now));
                    page.limit = page.limit.saturating_sub(1);
                }
            }
            page.after = listing.next;
            if page.after.is_none() || page.limit == 0 {
                break;
            }
        }
        let next = page.after.map(|position| Cursor::behind(list_of, position, now));
        Ok(Page { items, next })
    }

    /// Counts invitations within the actor's reach by status, each exactly up to
    /// [`Limits::COUNT_CAP`]. For a search, the numbers may be lower bounds if there are more
    /// than [`Limits::COUNT_CANDIDATES`] invitations.
    ///
    /// One round trip; for a search that reads as the beginning of a code beyond its
    /// first four symbols, one more for each 200 codes with the same four symbols, up to
    /// the same number of codes. Of these codes, each that goes on otherwise and has several
    /// redeemers takes one more.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn counts(
        &self,
        caller: impl Into<Caller<'_>>,
        criteria: &Criteria,
    ) -> Result<StatusCounts, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        let named = criteria.division.as_ref();
        self.permit(caller, &call, Right::View, Action::View, named).await?;
        let (filter, query) = self.filter(caller, criteria, call.now)?;
        let scope = self.reach(caller, &call, named, Action::View).await?;
        let split = query.as_ref().and_then(|query| Some((query, query.split()?)));
        let Some((query, (by_terms, by_tag))) = split else {
            return Ok(self.store.count(&scope, &filter, Limits::COUNT_CAP).await?);
        };
        let mut counts = StatusCounts::up_to(Limits::COUNT_CAP);
        if let Some(terms) = by_terms {
            let filter = Filter { search: Some(terms), ..filter.clone() };
            counts = self.store.count(&scope, &filter, Limits::COUNT_CAP).await?;
        }
        let filter = Filter { search: Some(by_tag), ..filter };
        self.count_codes(&scope, &filter, query, &mut counts).await?;
        Ok(counts)
    }

    /// Adds the invitations that only their code matches, among those with the same tag.
    async fn count_codes(
        &self,
        scope: &Scope,
        filter: &Filter,
        query: &Query,
        counts: &mut StatusCounts,
    ) -> Result<(), Error> {
        let mut page = PageRequest { after: None, limit: Limits::MAX_PAGE };
        for _ in 0..Limits::COUNT_CANDIDATES.div_ceil(Limits::MAX_PAGE) {
            let listing = self.store.list(scope, filter, &page).await?;
            for invitation in &listing.items {
                // As the list does: a damaged code is not counted.
                let code = self.open(invitation).ok();
                let by_code_alone = match query.finds_by_code_alone(invitation, code.as_ref()) {
                    Some(known) => known,
                    None => !self.is_found_by_terms(query, invitation).await?,
                };
                if by_code_alone {
                    counts.add(invitation.status(filter.now), 1);
                }
            }
            if listing.next.is_none() {
                return Ok(());
            }
            page.after = listing.next;
        }
        counts.mark_lower_bounds(filter);
        Ok(())
    }

    /// Returns whether a search means an invitation that the store has found.
    pub(super) async fn is_meant(
        &self,
        query: Option<&Query>,
        invitation: &Record,
        code: Option<&InvitationCode>,
    ) -> Result<bool, Error> {
        let Some(query) = query else { return Ok(true) };
        match query.finds(invitation, code) {
            Some(known) => Ok(known),
            None => self.is_found_by_terms(query, invitation).await,
        }
    }

    /// Returns whether the store finds an invitation by the terms of a search. It costs a round
    /// trip, but few invitations need it: those with several redeemers whose codes begin with
    /// the same four symbols as the search, and go on otherwise.
    async fn is_found_by_terms(&self, query: &Query, invitation: &Record) -> Result<bool, Error> {
        let Record { id, created_at: at, division, .. } = invitation;
        // The list begins with the invitation itself.
        let next = u128::from_be_bytes(*id.as_bytes()).checked_add(1);
        let after =
            next.map(|next| Position { at: *at, id: InvitationId::from_bytes(next.to_be_bytes()) });
        let until = Timestamp::from_micros(at.as_micros().saturating_add(1));
        let filter = Filter {
            search: Some(query.by_terms()),
            created: TimeRange { from: Some(*at), until },
            ..Filter::all(*at)
        };
        let scope = Scope::Division(division.clone());
        let found = self.store.list(&scope, &filter, &PageRequest { after, limit: 1 }).await?;
        Ok(found.items.iter().any(|one| one.id == *id))
    }

    /// Returns one invitation.
    ///
    /// One round trip.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`; `NotFound`, also if it is out of reach;
    /// [`Error::Store`], [`Error::Entropy`].
    pub async fn get(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
    ) -> Result<InvitationView, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit_on(caller, &call, id, Right::View, Action::View).await?;
        let invitation = self.load(caller, &call, id, Action::View).await?;
        // The facts can be seen although the code is damaged; `copy` reports the damage.
        let code = self.open(&invitation).ok();
        Ok(self.view(caller, invitation.into(), code, call.now))
    }

    /// Returns the code of an invitation, to share it, and records that in the audit
    /// trail.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); [`Error::Refused`]: `CodeNotKept` when only a digest of the
    /// code is stored; [`Error::Seal`] when the stored code was damaged, or its key is
    /// missing. If the event cannot be written, the call returns that error and no code. Inside a
    /// host's transaction the event commits with it; share the code only after that.
    pub async fn copy(
        &self,
        caller: impl Into<Caller<'_>>,
        id: InvitationId,
    ) -> Result<InvitationCode, Error> {
        let caller = caller.into();
        let call = self.call_by(caller)?;
        self.permit_on(caller, &call, id, Right::Copy, Action::Copy).await?;
        let invitation = self.load(caller, &call, id, Action::Copy).await?;
        if !self.settings.sealing.shows(&invitation.sealed) {
            let place = Place::Invitation(id, invitation.division);
            return Err(self.refuse(&call, Action::Copy, Verdict::code_not_kept(), place).await);
        }
        let code = self.open(&invitation)?;
        let event = call.done(Action::Copy, Detail::none()).about(&invitation);
        self.store.record(&[event]).await?;
        report::succeeded(Action::Copy, 1);
        Ok(code)
    }

    /// Returns an invitation as an actor sees it at this moment, for example after a
    /// change.
    ///
    /// No round trip. It checks no rights and records nothing: use it for facts that a
    /// call of this actor returned.
    #[must_use]
    pub fn view_of<'a>(
        &self,
        caller: impl Into<Caller<'a>>,
        invitation: Invitation,
    ) -> InvitationView {
        let caller = caller.into();
        let now = self.now();
        let code = self.open(invitation.record()).ok();
        self.view(caller, invitation, code, now)
    }

    /// Returns the invitation if it is within the actor's reach, and refuses otherwise.
    pub(super) async fn load(
        &self,
        caller: Caller<'_>,
        call: &Call,
        id: InvitationId,
        action: Action,
    ) -> Result<Record, Error> {
        let target = Target::Id(id);
        match self.store.get(&target, &caller.scope()).await? {
            Some(invitation) if invitation.deleted_at.is_none() => Ok(invitation),
            Some(tombstone) => {
                let verdict = Verdict::missing(&target, Reason::Deleted);
                let place = Place::Invitation(id, tombstone.division);
                Err(self.refuse(call, action, verdict, place).await)
            }
            None => Err(self.refuse_missing(call, action, &target, None).await),
        }
    }

    /// Returns the scope of a query that may name a division.
    pub(super) async fn reach(
        &self,
        caller: Caller<'_>,
        call: &Call,
        named: Option<&Division>,
        action: Action,
    ) -> Result<Scope, Error> {
        match named {
            None => Ok(caller.scope()),
            Some(division) if caller.scope().contains(division) => {
                Ok(Scope::Division(division.clone()))
            }
            Some(division) => {
                let verdict = Verdict::division_not_allowed(division.clone());
                let place = Place::Division(Some(division.clone()));
                Err(self.refuse(call, action, verdict, place).await)
            }
        }
    }

    pub(super) fn filter(
        &self,
        caller: Caller<'_>,
        criteria: &Criteria,
        now: Timestamp,
    ) -> Result<(Filter, Option<Query>), Error> {
        let query = criteria
            .search
            .as_ref()
            .map(|text| Query::parse(&text.0, &self.settings.format, &self.settings.sealing))
            .transpose()?;
        let sees_codes = caller.may(&self.settings.policy, Right::Copy);
        let query = if sees_codes { query } else { query.map(Query::without_codes) };
        let filter = Filter {
            now,
            status: criteria.required_status()?,
            role: criteria.role.clone(),
            inviter: criteria.inviter.clone(),
            batch: criteria.batch,
            created: criteria.created,
            expires: criteria.expiry_range(now),
            search: query.as_ref().map(|query| query.search().clone()),
            order: criteria.order,
        };
        Ok((filter, query))
    }

    fn view(
        &self,
        caller: Caller<'_>,
        invitation: Invitation,
        code: Option<InvitationCode>,
        listed_at: Timestamp,
    ) -> InvitationView {
        let policy = &self.settings.policy;
        let shows = self.settings.sealing.shows(&invitation.record().sealed);
        let mut actions = actions(invitation.record(), &caller.performer(), policy);
        actions.retain(|action| *action != Right::Copy || shows);
        InvitationView {
            code: code.filter(|_| shows && caller.may(policy, Right::Copy)),
            status: invitation.status(listed_at),
            actions,
            invitation,
        }
    }

    pub(super) fn open(&self, invitation: &Record) -> Result<InvitationCode, Error> {
        let settings = &self.settings;
        Ok(settings.sealing.open(invitation.id, &invitation.sealed, &settings.format)?)
    }
}
