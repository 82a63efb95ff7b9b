//! What a list is asked for.

use std::fmt;

use super::cursor::{Cursor, CursorId, ListOf};
use crate::{
    event::{Action, EventOutcome},
    id::{BatchId, InvitationId},
    invalid::Invalid,
    invitation::Status,
    limits::Limits,
    query::{EventFilter, Page, Span},
    text::{Division, Role, UserId},
    time::Timestamp,
};

/// Which invitations to list or count. What is not said does not narrow.
///
/// ```
/// use invitation_core::{Criteria, Status};
///
/// let active_for_anna = Criteria::new().with_status(Status::Active).matching("anna");
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct Criteria {
    pub(super) status: Option<Status>,
    pub(super) role: Option<Role>,
    pub(super) division: Option<Division>,
    pub(super) inviter: Option<UserId>,
    pub(super) batch: Option<BatchId>,
    pub(super) created: Span,
    pub(super) expires: Span,
    pub(super) search: Option<SearchText>,
}

impl Criteria {
    /// All within the actor's reach.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those that are of this status at the time of the first page.
    pub fn with_status(self, status: Status) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Those that carry this role.
    pub fn with_role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    /// Those of this division; it must be within the actor's reach.
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Those that this user created.
    pub fn by_inviter(self, inviter: UserId) -> Self {
        Self { inviter: Some(inviter), ..self }
    }

    /// Those that this call created together.
    pub fn in_batch(self, batch: BatchId) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// Those created within.
    pub fn created_within(self, created: Span) -> Self {
        Self { created, ..self }
    }

    /// Those that expire within.
    pub fn expiring_within(self, expires: Span) -> Self {
        Self { expires, ..self }
    }

    /// Those that a search finds: what the list shows, as it is shown.
    ///
    /// - An e-mail address finds that address, in any spelling of the same mailbox, in the
    ///   e-mail and in *Used By*.
    /// - Other text is split into terms at everything that is neither letter nor digit. Each
    ///   has to begin a term of the e-mail, or each a term of *Used By*. A term of one
    ///   character has to be a whole term there. Case, compatibility form and normal form do
    ///   not count.
    /// - What reads as the beginning of a code, from the complete first four symbols on, is
    ///   also looked up as one, for those whose role may copy codes.
    ///
    /// A search of more than [`Limits::MAX_SEARCH`] bytes, or without a letter or digit, is
    /// refused.
    pub fn matching(self, search: impl Into<String>) -> Self {
        Self { search: Some(SearchText(search.into())), ..self }
    }
}

/// What a person typed to search for: it may be a code.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SearchText(pub(super) String);

impl fmt::Debug for SearchText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchText(…)")
    }
}

/// Which events to list. What is not said does not narrow.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[must_use]
pub struct EventCriteria {
    pub(super) filter: EventFilter,
    pub(super) division: Option<Division>,
}

impl EventCriteria {
    /// All within the actor's reach.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those about this invitation.
    pub fn about(mut self, invitation: InvitationId) -> Self {
        self.filter.invitation = Some(invitation);
        self
    }

    /// Those of this user, as actor or as redeemer.
    pub fn by_user(mut self, user: UserId) -> Self {
        self.filter.user = Some(user);
        self
    }

    /// Those of this action.
    pub fn of_action(mut self, action: Action) -> Self {
        self.filter.action = Some(action);
        self
    }

    /// Those with this outcome.
    pub fn with_outcome(mut self, outcome: EventOutcome) -> Self {
        self.filter.outcome = Some(outcome);
        self
    }

    /// Those that happened within.
    pub fn within(mut self, at: Span) -> Self {
        self.filter.at = at;
        self
    }

    /// Those of this division; it must be within the actor's reach.
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }
}

/// Which page, and how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Paging {
    limit: u32,
    cursor: Option<Cursor>,
}

impl Paging {
    /// The first page, of at most `limit` items.
    ///
    /// # Errors
    ///
    /// [`Invalid`] outside 1 to [`Limits::MAX_PAGE`].
    pub fn first(limit: u32) -> Result<Self, Invalid> {
        if (1..=Limits::MAX_PAGE).contains(&limit) {
            Ok(Self { limit, cursor: None })
        } else {
            Err(Invalid::new("limit", format!("must be 1 to {}", Limits::MAX_PAGE)))
        }
    }

    /// The page behind `cursor`.
    pub fn after(self, cursor: Cursor) -> Self {
        Self { cursor: Some(cursor), ..self }
    }

    /// The time at which the first page was made, if this is another one.
    pub(super) fn time(&self, now: Timestamp) -> Timestamp {
        // A cursor cannot look into the future.
        self.cursor.map_or(now, |cursor| cursor.began().min(now))
    }

    pub(super) fn page<I: CursorId>(&self, of: ListOf) -> Result<Page<I>, Invalid> {
        let after = self.cursor.map(|cursor| cursor.position(of)).transpose()?;
        Ok(Page { after, limit: self.limit })
    }
}

impl Default for Paging {
    /// The first page, of at most 50 items.
    fn default() -> Self {
        Self { limit: 50, cursor: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded() {
        assert!(Paging::first(0).is_err());
        assert!(Paging::first(Limits::MAX_PAGE).is_ok());
        assert!(Paging::first(Limits::MAX_PAGE + 1).is_err());
    }
}
