//! Queries to a store: filters of invitations and events, and pages of results.

use std::str::FromStr;

use crate::{
    event::{Action, Event, EventOutcome},
    field_error::FieldError,
    id::{BatchId, InvitationId},
    record::Record,
    search::Search,
    status::Status,
    text::{CorrelationId, Role, UserId, Username},
    time::Timestamp,
};

/// A filter of invitations. A field that is `None` does not restrict the result.
/// Tombstones never match.
///
/// [`matches`](Self::matches) is the specification.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a filter")]
pub struct Filter {
    /// The time at which the status is computed.
    pub now: Timestamp,
    /// The status that an invitation must have.
    pub status: Option<Status>,
    /// The role that an invitation must carry.
    pub role: Option<Role>,
    /// The user who must have created an invitation.
    pub inviter: Option<UserId>,
    /// The id of the call that must have created an invitation as part of a batch.
    pub batch: Option<BatchId>,
    /// The time range in which an invitation must have been created.
    pub created: TimeRange,
    /// The time range in which an invitation must expire.
    pub expires: TimeRange,
    /// The search that must find an invitation.
    pub search: Option<Search>,
    /// The order of the list. It restricts nothing, and a count ignores it.
    pub order: ListOrder,
}

impl Filter {
    /// Returns a filter that matches all invitations except tombstones, with statuses
    /// computed at `now`.
    #[must_use]
    pub fn all(now: Timestamp) -> Self {
        Self {
            now,
            status: None,
            role: None,
            inviter: None,
            batch: None,
            created: TimeRange::default(),
            expires: TimeRange::default(),
            search: None,
            order: ListOrder::default(),
        }
    }

    /// Returns the statuses that an invitation may have to match.
    #[must_use]
    pub fn statuses(&self) -> &[Status] {
        self.status.as_ref().map_or(Status::ALL, std::slice::from_ref)
    }

    /// Returns whether the invitation matches. `earlier` are the names of its redeemers before the
    /// latest, whom only a search needs.
    #[must_use]
    pub fn matches<'n>(
        &self,
        invitation: &Record,
        earlier: impl IntoIterator<Item = &'n Username>,
    ) -> bool {
        use crate::inviter::Inviter;

        // The order decides only where in the list an invitation stands.
        let Self { now, status, role, inviter, batch, created, expires, search, order: _ } = self;
        let by = |user: &UserId| match &invitation.inviter {
            Inviter::User { user: inviter, .. } => inviter == user,
            Inviter::System => false,
        };
        invitation.deleted_at.is_none()
            && status.is_none_or(|status| invitation.status(*now) == status)
            && role.as_ref().is_none_or(|role| invitation.role == *role)
            && inviter.as_ref().is_none_or(by)
            && batch.is_none_or(|batch| invitation.batch == Some(batch))
            && created.contains(invitation.created_at)
            && expires.contains(invitation.expires_at)
            && search.as_ref().is_none_or(|search| search.matches(invitation, earlier))
    }
}

/// The order of a list of invitations.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring an order")]
pub enum ListOrder {
    /// By `created_at`, then by id, both descending.
    #[default]
    NewestFirst,
    /// By `expires_at`, then by id, both ascending. It comes with the status active only, and
    /// a store need not serve it with another status.
    SoonestExpiryFirst,
}

impl ListOrder {
    /// Returns the position of an invitation in a list of this order.
    #[must_use]
    pub fn position(self, invitation: &Record) -> Position<InvitationId> {
        let at = match self {
            Self::NewestFirst => invitation.created_at,
            Self::SoonestExpiryFirst => invitation.expires_at,
        };
        Position { at, id: invitation.id }
    }

    /// Returns whether `position` comes strictly after `other` in a list of this order. Lists
    /// of other items than invitations have the newest first.
    #[must_use]
    pub fn is_after<I: PartialOrd>(self, position: &Position<I>, other: &Position<I>) -> bool {
        match self {
            Self::NewestFirst => position < other,
            Self::SoonestExpiryFirst => position > other,
        }
    }
}

/// A range of time: `from <= t < until`. A missing end does not limit the range.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Criteria, Paging, TimeRange};
/// # use invitation::{Actor, Division, Draft, Invitations, MemoryStore, Role, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use invitation::{Timestamp, clock::ManualClock};
/// # let clock = ManualClock::new(Timestamp::from_micros(0).unwrap());
/// # let invitations = Invitations::new(MemoryStore::new()).with_clock(clock.clone());
/// # let (user, role) = (UserId::new("u-1")?, Role::new("manager")?);
/// # let manager = Actor::in_division(user, role, Division::new("sales")?);
/// invitations.create(&manager, Draft::new()).await?;
/// clock.advance(time::Duration::HOUR);
/// let now = invitations.now();
/// let before = TimeRange { until: Some(now), ..TimeRange::default() };
/// let after = TimeRange { from: Some(now), ..TimeRange::default() };
/// assert!(after.contains(now) && !before.contains(now));
///
/// for (range, found) in [(before, 1), (after, 0)] {
///     let created = Criteria::new().created_within(range);
///     let page = invitations.list(&manager, &created, Paging::default()).await?;
///     assert_eq!(page.items().len(), found);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a stretch has two ends")]
pub struct TimeRange {
    /// The first instant within the range.
    pub from: Option<Timestamp>,
    /// The first instant after the range.
    pub until: Option<Timestamp>,
}

impl TimeRange {
    /// Returns whether `t` lies within the range.
    #[must_use]
    pub fn contains(&self, t: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= t) && self.until.is_none_or(|until| t < until)
    }
}

/// A position in a list ordered by time and id. In a list with the newest items first, items
/// after it are strictly older, or equally old with a smaller id. In a list of
/// [`ListOrder::SoonestExpiryFirst`], items after it are strictly later, or equally late with
/// a greater id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the order has two parts")]
pub struct Position<I> {
    /// The time by which the item is sorted: `created_at` or `expires_at` of an invitation,
    /// `at` of a redemption or event, `since` of a lease.
    pub at: Timestamp,
    /// The id of the item.
    pub id: I,
}

/// A filter of events. A field that is `None` does not restrict the result.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a filter")]
pub struct EventFilter {
    /// The invitation that an event must be about.
    pub invitation: Option<InvitationId>,
    /// The user who must have acted, as actor or as redeemer.
    pub user: Option<UserId>,
    /// The action that an event must have.
    pub action: Option<Action>,
    /// The outcomes that an event may have.
    pub outcome: Option<OutcomeFilter>,
    /// The correlation id that an event must carry.
    pub correlation: Option<CorrelationId>,
    /// The time range in which an event must have happened.
    pub at: TimeRange,
}

impl EventFilter {
    /// Returns whether the event matches.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let Self { invitation, user, action, outcome, correlation, at } = self;
        invitation.is_none_or(|id| event.invitation == Some(id))
            && user.as_ref().is_none_or(|user| event.performer.user() == Some(user))
            && action.is_none_or(|action| event.action == action)
            && outcome.is_none_or(|outcome| outcome.outcomes().contains(&event.outcome))
            && correlation.as_ref().is_none_or(|id| event.context.correlation.as_ref() == Some(id))
            && at.contains(event.at)
    }
}

/// The outcomes of events that an [`EventFilter`] matches.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::audit::{EventOutcome, OutcomeFilter};
///
/// let not_done = [EventOutcome::Refused, EventOutcome::Denied, EventOutcome::Failed];
/// assert_eq!(OutcomeFilter::NotSucceeded.outcomes(), not_done);
/// assert_eq!("denied".parse(), Ok(OutcomeFilter::Only(EventOutcome::Denied)));
/// assert_eq!("not_succeeded".parse(), Ok(OutcomeFilter::NotSucceeded));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a filter")]
pub enum OutcomeFilter {
    /// Matches one outcome.
    Only(EventOutcome),
    /// Every outcome but success: refused, denied and failed.
    NotSucceeded,
}

impl OutcomeFilter {
    /// Returns the outcomes that match, at least one.
    #[must_use]
    pub const fn outcomes(self) -> &'static [EventOutcome] {
        match self {
            Self::Only(EventOutcome::Succeeded) => &[EventOutcome::Succeeded],
            Self::Only(EventOutcome::Refused) => &[EventOutcome::Refused],
            Self::Only(EventOutcome::Denied) => &[EventOutcome::Denied],
            Self::Only(EventOutcome::Failed) => &[EventOutcome::Failed],
            Self::NotSucceeded => {
                &[EventOutcome::Refused, EventOutcome::Denied, EventOutcome::Failed]
            }
        }
    }

    /// Returns the text that parses into this filter: the outcome, or `not_succeeded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Only(outcome) => outcome.as_str(),
            Self::NotSucceeded => "not_succeeded",
        }
    }

    /// Returns all filters: each outcome, and then those that did not succeed.
    pub fn all() -> impl Iterator<Item = Self> {
        EventOutcome::ALL.iter().copied().map(Self::Only).chain([Self::NotSucceeded])
    }
}

impl From<EventOutcome> for OutcomeFilter {
    fn from(outcome: EventOutcome) -> Self {
        Self::Only(outcome)
    }
}

impl FromStr for OutcomeFilter {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::all().find(|filter| filter.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::all().map(Self::as_str).collect();
            FieldError::new("outcome", format!("must be one of {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_filter_matches_its_own_outcome_or_all_but_success() {
        for &outcome in EventOutcome::ALL {
            assert_eq!(OutcomeFilter::from(outcome).outcomes(), [outcome]);
            let is_matched = OutcomeFilter::NotSucceeded.outcomes().contains(&outcome);
            assert_eq!(is_matched, outcome != EventOutcome::Succeeded, "{outcome}");
        }
        for filter in OutcomeFilter::all() {
            assert_eq!(filter.as_str().parse(), Ok(filter));
        }
        assert!("Denied".parse::<OutcomeFilter>().is_err());
    }
}
