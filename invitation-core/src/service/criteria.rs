//! The criteria and page requests of the lists.

use std::fmt;

use time::Duration;

use crate::{
    cursor::{Cursor, CursorId, ListOf},
    event::Action,
    field_error::FieldError,
    id::{BatchId, InvitationId},
    limits::Limits,
    page::PageRequest,
    query::{EventFilter, ListOrder, OutcomeFilter, TimeRange},
    status::Status,
    text::{CorrelationId, Division, Role, UserId},
    time::Timestamp,
};

/// The criteria for listing or counting invitations. Without a criterion, all match.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Criteria, Email, Paging, Status};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// for address in ["anna@example.com", "ben@example.com"] {
///     invitations.create(&manager, Draft::new().for_email(Email::parse(address)?)).await?;
/// }
/// let active_for_anna = Criteria::new().with_status(Status::Active).matching("anna");
/// let page = invitations.list(&manager, &active_for_anna, Paging::default()).await?;
/// assert_eq!(page.items().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct Criteria {
    pub(super) status: Option<Status>,
    pub(super) role: Option<Role>,
    pub(super) division: Option<Division>,
    pub(super) inviter: Option<UserId>,
    pub(super) batch: Option<BatchId>,
    pub(super) created: TimeRange,
    pub(super) expires: TimeRange,
    pub(super) expires_in: Option<Duration>,
    pub(super) search: Option<SearchText>,
    pub(super) order: ListOrder,
}

impl Criteria {
    /// Creates criteria that match all invitations within the actor's reach.
    pub fn new() -> Self {
        Self::default()
    }

    /// Matches invitations with this status at the time of the first page.
    pub fn with_status(self, status: Status) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Matches invitations that grant this role.
    pub fn with_role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Matches invitations of this division; it must be within the actor's reach.
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Matches invitations that this user created.
    pub fn by_inviter(self, inviter: UserId) -> Self {
        Self { inviter: Some(inviter), ..self }
    }

    /// Matches invitations that one call created together.
    pub fn in_batch(self, batch: BatchId) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// Matches invitations created within this time range.
    pub fn created_within(self, created: TimeRange) -> Self {
        Self { created, ..self }
    }

    /// Matches invitations that expire within this time range.
    pub fn expiring_within(self, expires: TimeRange) -> Self {
        Self { expires, ..self }
    }

    /// Matches invitations that expire within this number of periods of 24 hours, counted from
    /// the time of the first page. All pages of a list share that time, and so does each call
    /// without pages.
    ///
    /// A criterion of [`expiring_within`](Self::expiring_within) holds besides. A revoked or used
    /// invitation keeps its expiry and matches too, unless the status excludes it.
    ///
    /// ```
    /// # use invitation_core as invitation;
    /// use invitation::{
    ///     Actor, Criteria, Division, Draft, Expiry, Invitations, MemoryStore, Paging, Role,
    ///     UserId,
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let invitations = Invitations::new(MemoryStore::new());
    /// let (user, role) = (UserId::new("mia")?, Role::new("manager")?);
    /// let mia = Actor::in_division(user, role, Division::new("sales")?);
    /// for days in [2, 9] {
    ///     invitations.create(&mia, Draft::new().expiring(Expiry::InDays(days))).await?;
    /// }
    /// let soon = Criteria::new().soonest_expiry_first().expiring_in(7);
    /// let page = invitations.list(&mia, &soon, Paging::default()).await?;
    /// assert_eq!(page.items().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn expiring_in(self, days: u32) -> Self {
        Self { expires_in: Some(Duration::days(days.into())), ..self }
    }

    /// Returns the time range of the expiry. `now` is the time at which the first page was made.
    pub(super) fn expiry_range(&self, now: Timestamp) -> TimeRange {
        let Some(time) = self.expires_in else { return self.expires };
        let end = now.checked_add(time).unwrap_or(Timestamp::MAX);
        let until = self.expires.until.map_or(end, |until| until.min(end));
        TimeRange { from: self.expires.from.max(Some(now)), until: Some(until) }
    }

    /// Lists the active invitations, the soonest to expire first.
    ///
    /// It goes with the status active only, which is then the default: a list, a count or a
    /// revocation with another status is refused. If the expiry of an invitation changes
    /// between two pages, the invitation may appear twice or not at all.
    ///
    /// [`expiring_in`](Self::expiring_in) has an example.
    pub fn soonest_expiry_first(self) -> Self {
        Self { order: ListOrder::SoonestExpiryFirst, ..self }
    }

    /// Returns the status that an invitation must have.
    ///
    /// # Errors
    ///
    /// [`FieldError`] for the field `sort` if the order does not go with the status.
    pub(super) fn required_status(&self) -> Result<Option<Status>, FieldError> {
        match (self.order, self.status) {
            (ListOrder::NewestFirst, status) => Ok(status),
            (ListOrder::SoonestExpiryFirst, None | Some(Status::Active)) => {
                Ok(Some(Status::Active))
            }
            (ListOrder::SoonestExpiryFirst, Some(_)) => {
                Err(FieldError::new("sort", "by expiry goes with the status active only"))
            }
        }
    }

    /// Matches invitations that a text search finds, over the text that the list shows.
    ///
    /// - An e-mail address finds that address, in any spelling of the same mailbox, in the
    ///   e-mail and in the names of the redeemers.
    /// - Other text is split into terms at every character that is neither letter nor
    ///   digit. All terms must match the e-mail, or all must match the name of one redeemer;
    ///   a term matches if a term there begins with it. A term of one character must equal a
    ///   whole term there. Case, compatibility form and normal form do not count.
    /// - Text that reads as the beginning of a code is also looked up as one, if the
    ///   actor's role may copy codes. It needs at least the first group of the code, and four
    ///   symbols.
    /// - A complete code is looked up as a code only. Separate words of letters alone may be a
    ///   name that reads as a code by chance, so they are looked up as both.
    ///
    /// The search finds single addresses. An invitation for a domain has none, so its domain does
    /// not find it. The division, the role and the metadata are not searched either.
    ///
    /// A search of more than [`Limits::MAX_SEARCH`] bytes, or without a letter or digit, is
    /// refused.
    pub fn matching(self, search: impl Into<String>) -> Self {
        Self { search: Some(SearchText(search.into())), ..self }
    }
}

/// The text of a search, which may contain a code.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SearchText(pub(super) String);

impl fmt::Debug for SearchText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchText(…)")
    }
}

/// The criteria for listing events. Without a criterion, all match.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct EventCriteria {
    pub(super) filter: EventFilter,
    pub(super) division: Option<Division>,
}

impl EventCriteria {
    /// Creates criteria that match all events within the actor's reach.
    pub fn new() -> Self {
        Self::default()
    }

    /// Matches events about this invitation.
    pub fn about(mut self, invitation: InvitationId) -> Self {
        self.filter.invitation = Some(invitation);
        self
    }

    /// Matches events with this user as actor or as redeemer.
    pub fn by_user(mut self, user: UserId) -> Self {
        self.filter.user = Some(user);
        self
    }

    /// Matches events with this action.
    pub fn of_action(mut self, action: Action) -> Self {
        self.filter.action = Some(action);
        self
    }

    /// Matches events with this outcome, or with those of an [`OutcomeFilter`].
    pub fn with_outcome(mut self, outcome: impl Into<OutcomeFilter>) -> Self {
        self.filter.outcome = Some(outcome.into());
        self
    }

    /// Matches events of calls with this correlation id, such as the id of one request of the
    /// host. The stores find them by an index, so that the size of the trail does not matter.
    /// The [module](crate::audit) of the trail has an example.
    pub fn with_correlation(mut self, correlation: CorrelationId) -> Self {
        self.filter.correlation = Some(correlation);
        self
    }

    /// Matches events of attempts that did not succeed: refused, denied or failed.
    pub fn not_succeeded(self) -> Self {
        self.with_outcome(OutcomeFilter::NotSucceeded)
    }

    /// Matches events that happened within this time range.
    pub fn within(mut self, at: TimeRange) -> Self {
        self.filter.at = at;
        self
    }

    /// Matches events of this division; it must be within the actor's reach.
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }
}

/// A request for one page: where it begins, and its maximum length.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Criteria, Paging};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let invitations = Invitations::new(MemoryStore::new());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// for _ in 0..3 {
///     invitations.create(&manager, Draft::new()).await?;
/// }
/// let all = Criteria::new();
/// let first = invitations.list(&manager, &all, Paging::first(2)?).await?;
/// let next = first.next().expect("there are three");
/// let second = invitations.list(&manager, &all, Paging::first(2)?.after(next)).await?;
/// assert_eq!((first.items().len(), second.items().len(), second.next()), (2, 1, None));
///
/// assert_eq!(Paging::first(1_000).unwrap_err().to_string(), "limit: must be 1 to 200");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Paging {
    limit: u32,
    cursor: Option<Cursor>,
}

impl Paging {
    /// Requests the first page, of at most `limit` items.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if `limit` is outside 1 to [`Limits::MAX_PAGE`].
    pub fn first(limit: u32) -> Result<Self, FieldError> {
        if (1..=Limits::MAX_PAGE).contains(&limit) {
            Ok(Self { limit, cursor: None })
        } else {
            Err(FieldError::new("limit", format!("must be 1 to {}", Limits::MAX_PAGE)))
        }
    }

    /// Requests the page after `cursor`.
    pub fn after(self, cursor: Cursor) -> Self {
        Self { cursor: Some(cursor), ..self }
    }

    /// Returns the time at which the first page was made, or `now` if this is the first
    /// page.
    pub(crate) fn time(&self, now: Timestamp) -> Timestamp {
        // A cursor from a later time, as after the clock was set back, must not select by
        // a future time.
        self.cursor.map_or(now, |cursor| cursor.began().min(now))
    }

    pub(crate) fn page<I: CursorId>(&self, of: ListOf) -> Result<PageRequest<I>, FieldError> {
        let after = self.cursor.map(|cursor| cursor.position(of)).transpose()?;
        Ok(PageRequest { after, limit: self.limit })
    }
}

impl Default for Paging {
    /// Requests the first page, of at most 50 items.
    fn default() -> Self {
        Self { limit: 50, cursor: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_in_days_begins_now_and_narrows_the_given_range() {
        let at = |days| Timestamp::MIN.checked_add(Duration::days(days)).unwrap();
        let range = |from, until| TimeRange { from, until };
        let week = Criteria::new().expiring_in(7);
        assert_eq!(week.expiry_range(at(1)), range(Some(at(1)), Some(at(8))));
        for (given, expected) in [
            (range(Some(at(0)), Some(at(9))), range(Some(at(1)), Some(at(8)))),
            (range(Some(at(2)), Some(at(3))), range(Some(at(2)), Some(at(3)))),
            (range(None, Some(at(0))), range(Some(at(1)), Some(at(0)))),
        ] {
            assert_eq!(week.clone().expiring_within(given).expiry_range(at(1)), expected);
        }
        let longest = Criteria::new().expiring_in(u32::MAX).expiry_range(at(1));
        assert_eq!(longest, range(Some(at(1)), Some(Timestamp::MAX)));
        assert_eq!(Criteria::new().expiry_range(at(1)), TimeRange::default());
    }

    #[test]
    fn pages_are_bounded() {
        assert!(Paging::first(0).is_err());
        assert!(Paging::first(Limits::MAX_PAGE).is_ok());
        assert!(Paging::first(Limits::MAX_PAGE + 1).is_err());
    }
}
