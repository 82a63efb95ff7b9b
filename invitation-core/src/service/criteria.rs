//! What a list is asked for, and how one page leads to the next.

use std::{fmt, str::FromStr};

use crate::{
    event::{Action, EventOutcome},
    id::{EventId, InvitationId},
    invalid::Invalid,
    invitation::Status,
    limits::Limits,
    query::{EventFilter, Page, Position, Span},
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

    /// Those created within.
    pub fn created_within(self, created: Span) -> Self {
        Self { created, ..self }
    }

    /// Those that expire within.
    pub fn expiring_within(self, expires: Span) -> Self {
        Self { expires, ..self }
    }

    /// Those that a search finds: by the beginnings of words of the e-mail
    /// address and of *Used By*, or by the beginning of the code.
    ///
    /// At most 5 words of 2 characters or more, each of which must begin a word
    /// (a run of letters and digits, in any case). What reads as the beginning
    /// of a code, from the complete first four symbols on, is also looked up as
    /// one.
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
        self.cursor.map_or(now, |cursor| cursor.now.min(now))
    }

    pub(super) fn page<I: CursorId>(&self) -> Result<Page<I>, Invalid> {
        let after = match self.cursor {
            None => None,
            Some(Cursor { kind, at, id, .. }) if kind == I::KIND => {
                Some(Position { at, id: I::from_bytes(id) })
            }
            Some(_) => return Err(Invalid::new("cursor", "belongs to another list")),
        };
        Ok(Page { after, limit: self.limit })
    }
}

impl Default for Paging {
    /// The first page, of at most 50 items.
    fn default() -> Self {
        Self { limit: 50, cursor: None }
    }
}

/// Where a page ended: opaque text for the next request.
///
/// It holds a place in the order and the time of the first page, at which all
/// pages judge the status (or at the present, should the clock have gone back); nothing about what its bearer may see. So it can be
/// tampered with, and gains nothing: reach and filters come with each call.
///
/// ```
/// use invitation_core::Cursor;
///
/// assert_eq!("nonsense".parse::<Cursor>().unwrap_err().field(), "cursor");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    kind: u8,
    now: Timestamp,
    at: Timestamp,
    id: [u8; 16],
}

/// Ids of what is listed page by page.
pub(super) trait CursorId: Copy {
    const KIND: u8;
    fn from_bytes(bytes: [u8; 16]) -> Self;
    fn to_bytes(self) -> [u8; 16];
}

macro_rules! cursor_id {
    ($id:ty, $kind:literal) => {
        impl CursorId for $id {
            const KIND: u8 = $kind;

            fn from_bytes(bytes: [u8; 16]) -> Self {
                Self::from_bytes(bytes)
            }

            fn to_bytes(self) -> [u8; 16] {
                *self.as_bytes()
            }
        }
    };
}

cursor_id!(InvitationId, 1);
cursor_id!(EventId, 2);

impl Cursor {
    const BYTES: usize = 1 + 8 + 8 + 16;

    pub(super) fn behind<I: CursorId>(position: Position<I>, now: Timestamp) -> Self {
        Self { kind: I::KIND, now, at: position.at, id: position.id.to_bytes() }
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (now, rest) = rest.split_first_chunk()?;
        let (at, id) = rest.split_first_chunk()?;
        Some(Self {
            kind: *kind,
            now: Timestamp::from_micros(i64::from_be_bytes(*now))?,
            at: Timestamp::from_micros(i64::from_be_bytes(*at))?,
            id: id.try_into().ok()?,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.now.as_micros().to_be_bytes();
        let at = self.at.as_micros().to_be_bytes();
        [self.kind]
            .iter()
            .chain(&now)
            .chain(&at)
            .chain(&self.id)
            .try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("cursor", "must be one that a list gave");
        if text.len() != 2 * Self::BYTES || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let mut bytes = [0; Self::BYTES];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| invalid())?;
        }
        Self::from_bytes(bytes).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    #[test]
    fn a_cursor_is_read_back_and_knows_its_list() {
        let position = Position { at: at(-5), id: InvitationId::from_bytes([7; 16]) };
        let cursor: Cursor = Cursor::behind(position, at(9)).to_string().parse().unwrap();
        let paging = Paging::first(3).unwrap().after(cursor);
        assert_eq!(
            paging.page::<InvitationId>().unwrap(),
            Page { after: Some(position), limit: 3 }
        );
        assert_eq!(paging.page::<EventId>().unwrap_err().field(), "cursor");
        assert_eq!(paging.time(at(100)), at(9));
        assert_eq!(paging.time(at(8)), at(8), "never later than now");
    }

    #[test]
    fn nonsense_is_no_cursor() {
        let far = format!("01{}", "7f".repeat(Cursor::BYTES - 1));
        for text in ["", "00", &"é".repeat(33), &"0g".repeat(33), &"+1".repeat(33), &far] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn pages_are_bounded() {
        assert!(Paging::first(0).is_err());
        assert!(Paging::first(Limits::MAX_PAGE).is_ok());
        assert!(Paging::first(Limits::MAX_PAGE + 1).is_err());
    }
}
