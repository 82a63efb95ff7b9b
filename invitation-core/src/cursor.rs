//! Cursors: how one page leads to the next.

use std::{fmt, str::FromStr};

use crate::{
    field_error::FieldError,
    id::{BatchId, DeliveryId, EventId, InvitationId},
    query::{ListOrder, Position},
    time::Timestamp,
};

/// The position after the last item of a page: opaque text for the next request.
///
/// It contains a position in the order and the time of the first page. All pages judge
/// the status at that time (or at the present, if the clock was set back). It contains
/// nothing about the rights of its bearer, because reach and filters come with each call.
/// Tampering with it therefore gains nothing.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::Cursor;
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

/// The kind of list that a cursor belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ListOf {
    Invitations,
    InvitationsByExpiry,
    Events,
    Redemptions,
    Reservations,
    #[cfg(feature = "files")]
    Imports,
    Deliveries,
    ErasedInvitations,
    ErasedEvents,
}

impl ListOf {
    /// Returns the kind of a list of invitations. Each order has its own, because a position
    /// of one order means nothing in another.
    pub(crate) fn invitations(order: ListOrder) -> Self {
        match order {
            ListOrder::NewestFirst => Self::Invitations,
            ListOrder::SoonestExpiryFirst => Self::InvitationsByExpiry,
        }
    }

    /// The byte that identifies the kind in a cursor; it never changes.
    fn kind(self) -> u8 {
        match self {
            Self::Invitations => 1,
            Self::Events => 2,
            Self::Redemptions => 3,
            Self::Reservations => 4,
            Self::InvitationsByExpiry => 5,
            #[cfg(feature = "files")]
            Self::Imports => 6,
            Self::Deliveries => 16,
            Self::ErasedInvitations => 32,
            Self::ErasedEvents => 33,
        }
    }
}

/// An id of a listed item, as a cursor contains it.
pub(crate) trait CursorId: Copy {
    fn from_bytes(bytes: [u8; 16]) -> Self;
    fn to_bytes(self) -> [u8; 16];
}

macro_rules! cursor_id {
    ($id:ty) => {
        impl CursorId for $id {
            fn from_bytes(bytes: [u8; 16]) -> Self {
                Self::from_bytes(bytes)
            }

            fn to_bytes(self) -> [u8; 16] {
                *self.as_bytes()
            }
        }
    };
}

cursor_id!(InvitationId);
cursor_id!(EventId);
cursor_id!(BatchId);
cursor_id!(DeliveryId);

impl Cursor {
    const BYTES: usize = 1 + 8 + 8 + 16;

    pub(crate) fn behind<I: CursorId>(of: ListOf, position: Position<I>, now: Timestamp) -> Self {
        Self { kind: of.kind(), now, at: position.at, id: position.id.to_bytes() }
    }

    /// The time at which the first page was made.
    pub(crate) fn began(&self) -> Timestamp {
        self.now
    }

    /// Returns the position, if the cursor belongs to that kind of list.
    pub(crate) fn position<I: CursorId>(&self, of: ListOf) -> Result<Position<I>, FieldError> {
        if self.kind == of.kind() {
            Ok(Position { at: self.at, id: I::from_bytes(self.id) })
        } else {
            Err(FieldError::new("cursor", "belongs to another list"))
        }
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
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let invalid = || FieldError::new("cursor", "must be one that a list gave");
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
    use crate::{page::PageRequest, service::Paging};

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    #[test]
    fn a_cursor_is_read_back_and_knows_its_list() {
        let position = Position { at: at(-5), id: InvitationId::from_bytes([7; 16]) };
        let cursor = Cursor::behind(ListOf::Invitations, position, at(9));
        let cursor: Cursor = cursor.to_string().parse().unwrap();
        let paging = Paging::first(3).unwrap().after(cursor);
        assert_eq!(
            paging.page::<InvitationId>(ListOf::Invitations).unwrap(),
            PageRequest { after: Some(position), limit: 3 }
        );
        for other in [ListOf::Events, ListOf::Redemptions, ListOf::Reservations] {
            assert_eq!(paging.page::<EventId>(other).unwrap_err().field(), "cursor");
        }
        let by_expiry = ListOf::InvitationsByExpiry;
        assert_eq!(paging.page::<InvitationId>(by_expiry).unwrap_err().field(), "cursor");
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
}
