//! Questions to a store: which invitations and events, and which page of them.

use crate::{
    event::{Action, Event, EventOutcome},
    id::{BatchId, EventId, InvitationId},
    invitation::{Invitation, Redemption, Status},
    lease::OpenLease,
    search::Search,
    text::{Role, UserId},
    time::Timestamp,
};

/// Which invitations are meant. What is `None` does not narrow; tombstones never
/// match.
///
/// [`matches`](Self::matches) is the specification.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a filter")]
pub struct Filter {
    /// The time at which the status is judged.
    pub now: Timestamp,
    /// Those of this status.
    pub status: Option<Status>,
    /// Those that carry this role.
    pub role: Option<Role>,
    /// Those that this user created.
    pub inviter: Option<UserId>,
    /// Those that this call created together.
    pub batch: Option<BatchId>,
    /// Those created within.
    pub created: Span,
    /// Those that expire within.
    pub expires: Span,
    /// Those that the search finds.
    pub search: Option<Search>,
}

impl Filter {
    /// Everything, judged at `now`.
    #[must_use]
    pub fn all(now: Timestamp) -> Self {
        Self {
            now,
            status: None,
            role: None,
            inviter: None,
            batch: None,
            created: Span::default(),
            expires: Span::default(),
            search: None,
        }
    }

    /// Whether the invitation is meant.
    #[must_use]
    pub fn matches(&self, invitation: &Invitation) -> bool {
        use crate::invitation::Inviter;

        let by = |user: &UserId| match &invitation.inviter {
            Inviter::User { user: inviter, .. } => inviter == user,
            Inviter::System => false,
        };
        invitation.deleted_at.is_none()
            && self.status.is_none_or(|status| invitation.status(self.now) == status)
            && self.role.as_ref().is_none_or(|role| invitation.role == *role)
            && self.inviter.as_ref().is_none_or(by)
            && self.batch.is_none_or(|batch| invitation.batch == Some(batch))
            && self.created.contains(invitation.created_at)
            && self.expires.contains(invitation.expires_at)
            && self.search.as_ref().is_none_or(|search| search.matches(invitation))
    }
}

/// A stretch of time: `from <= t < until`, open where an end is missing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a stretch has two ends")]
pub struct Span {
    /// The first instant within.
    pub from: Option<Timestamp>,
    /// The first instant after.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Whether `t` lies within.
    #[must_use]
    pub fn contains(&self, t: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= t) && self.until.is_none_or(|until| t < until)
    }
}

/// A place in an order by time and id, newest first: what follows is strictly
/// older, or as old and of a smaller id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the order has two parts")]
pub struct Position<I> {
    /// `created_at` of an invitation, `at` of a redemption or event, `since` of a
    /// lease.
    pub at: Timestamp,
    /// Its id.
    pub id: I,
}

/// Which page, newest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a bound")]
pub struct Page<I> {
    /// Where the page before ended; none for the first.
    pub after: Option<Position<I>>,
    /// How many items at most; at least 1.
    pub limit: u32,
}

/// A page of invitations.
pub type Listing = Slice<Invitation, InvitationId>;

/// A page of redemptions.
pub type RedemptionListing = Slice<Redemption, EventId>;

/// A page of leases.
pub type LeaseListing = Slice<OpenLease, EventId>;

/// A page of events.
pub type EventListing = Slice<Event, EventId>;

/// A page as a store gives it back.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Slice<T, I> {
    /// The items, newest first, at most as many as asked for.
    pub items: Vec<T>,
    /// Behind what the next page begins: the last item, or the last that was looked
    /// at; none when nothing follows. A store that
    /// bounds its work may return fewer items than asked for, even none, as
    /// long as this is set.
    pub next: Option<Position<I>>,
}

impl<T, I: Copy> Slice<T, I> {
    /// Makes a page of up to `limit + 1` items, found in order: the one too many
    /// says that there is more.
    #[must_use]
    pub fn from_one_more(
        mut items: Vec<T>,
        limit: u32,
        position: impl FnOnce(&T) -> Position<I>,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(position) } else { None };
        Self { items, next }
    }
}

/// How many invitations of each status match: exact up to the cap, and one more
/// than the cap for any number beyond.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a status")]
pub struct Tally {
    /// Of [`Status::Active`].
    pub active: u32,
    /// Of [`Status::Used`].
    pub used: u32,
    /// Of [`Status::Expired`].
    pub expired: u32,
    /// Of [`Status::Revoked`].
    pub revoked: u32,
}

impl Tally {
    /// The number of one status.
    #[must_use]
    pub fn of(&self, status: Status) -> u32 {
        match status {
            Status::Active => self.active,
            Status::Used => self.used,
            Status::Expired => self.expired,
            Status::Revoked => self.revoked,
        }
    }

    /// The number of one status, to be set.
    pub fn of_mut(&mut self, status: Status) -> &mut u32 {
        match status {
            Status::Active => &mut self.active,
            Status::Used => &mut self.used,
            Status::Expired => &mut self.expired,
            Status::Revoked => &mut self.revoked,
        }
    }
}

/// Which events are meant. What is `None` does not narrow.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a filter")]
pub struct EventFilter {
    /// Those about this invitation.
    pub invitation: Option<InvitationId>,
    /// Those of this user, as actor or as redeemer.
    pub user: Option<UserId>,
    /// Those of this action.
    pub action: Option<Action>,
    /// Those with this outcome.
    pub outcome: Option<EventOutcome>,
    /// Those that happened within.
    pub at: Span,
}

impl EventFilter {
    /// Whether the event is meant.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        self.invitation.is_none_or(|id| event.invitation == Some(id))
            && self.user.as_ref().is_none_or(|user| event.performer.user() == Some(user))
            && self.action.is_none_or(|action| event.action == action)
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
            && self.at.contains(event.at)
    }
}
