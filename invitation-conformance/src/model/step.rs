//! One step of a sequence: plain data that is valid in every state.

use invitation_core::{Action, EventOutcome, Status};

use super::{
    bounds::Bounds,
    cast::{Creator, Mailbox, Newcomer, Part, Place, Site, Who},
    policy::Rules,
};

/// One call, clock move, or change of settings.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    /// Creates an invitation, optionally under an idempotency key.
    Create {
        by: Creator,
        draft: Wish,
        key: Option<u8>,
    },
    CreateMany {
        by: Creator,
        drafts: Vec<Wish>,
        key: Option<u8>,
    },
    Redeem {
        code: Pick,
        typing: Typing,
        newcomer: Newcomer,
    },
    Reserve {
        code: Pick,
        typing: Typing,
        newcomer: Newcomer,
    },
    Commit {
        of: Reserving,
        newcomer: Newcomer,
    },
    Release {
        of: Reserving,
        newcomer: Newcomer,
    },
    RedeemWith {
        code: Pick,
        newcomer: Newcomer,
        making: Making,
    },
    Mistype {
        code: Pick,
        mistake: Mistake,
        newcomer: Newcomer,
    },
    Copy {
        by: Who,
        of: Pick,
    },
    Get {
        by: Who,
        of: Pick,
    },
    Amend {
        by: Who,
        of: Pick,
        terms: Terms,
        version: Version,
    },
    Rotate {
        by: Who,
        of: Pick,
        version: Version,
    },
    Revoke {
        by: Who,
        of: Pick,
        because: Because,
        version: Version,
    },
    Reinstate {
        by: Who,
        of: Pick,
        version: Version,
    },
    Delete {
        by: Who,
        of: Pick,
        version: Version,
    },
    RevokeAll {
        by: Who,
        wanted: Wanted,
        because: Because,
        limit: u32,
    },
    /// Purges at most `max` invitations that have been over for `age` microseconds.
    Purge {
        by: Creator,
        age: i64,
        max: u32,
    },
    /// Reads a list. `pause` is the time between two pages, in microseconds.
    List {
        by: Who,
        wanted: Wanted,
        limit: u32,
        pause: i64,
    },
    Counts {
        by: Who,
        wanted: Wanted,
    },
    Events {
        by: Who,
        wanted: WantedEvents,
        limit: u32,
    },
    Redemptions {
        by: Who,
        of: Pick,
        limit: u32,
    },
    Reservations {
        by: Who,
        place: Option<Place>,
        limit: u32,
    },
    Clock(Tick),
    Reopen,
    Policy(Rules),
    Bounds(Bounds),
}

/// An invitation or a code: one of the known ones, with the number wrapping around, or
/// one that never existed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pick {
    Known(u8),
    /// Counted from the newest.
    FromEnd(u8),
    Stranger,
}

impl Pick {
    /// Returns the index among `count` items.
    pub(super) fn of(self, count: usize) -> Option<usize> {
        match self {
            Self::Known(n) if count > 0 => Some(usize::from(n) % count),
            Self::FromEnd(n) if count > 0 => Some(count - 1 - usize::from(n) % count),
            _ => None,
        }
    }
}

/// A reservation, and whether it is presented by its redeemer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reserving {
    /// The reservation among all that were ever made.
    pub(super) pick: Pick,
    pub(super) own: bool,
}

/// How the host's creation of an account proceeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Making {
    /// It succeeds after this time in microseconds.
    Works(i64),
    Fails(i64),
}

/// The content of a draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wish {
    pub(super) bound: Bound,
    pub(super) role: Option<Part>,
    pub(super) place: Option<Place>,
    pub(super) until: Until,
    pub(super) uses: u32,
    /// The number in the metadata.
    pub(super) note: Option<u8>,
}

/// The binding, which limits the possible redeemers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bound {
    Anyone,
    Address(Mailbox, bool),
    Domain(Site),
}

/// The expiry that a draft requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    Default,
    Days(u32),
    /// Microseconds from the time of the call.
    After(i64),
}

/// The content of an amendment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Terms {
    pub(super) bound: Option<Bound>,
    pub(super) role: Option<Part>,
    pub(super) until: Option<Until>,
}

/// The version that a change is meant for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    Any,
    Current,
    Former,
    Later,
}

/// The reason of a revocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Because {
    Unsaid,
    Left,
    /// The maximum length, in bytes.
    Longest,
    TooLong,
    Control,
}

impl Because {
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Unsaid => None,
            Self::Left => Some("left before the first day – é".to_owned()),
            Self::Longest => Some("é".repeat(250)),
            Self::TooLong => Some(format!("{}x", "é".repeat(250))),
            Self::Control => Some("left\u{7}".to_owned()),
        }
    }

    pub(super) fn is_valid(self) -> bool {
        !matches!(self, Self::TooLong | Self::Control)
    }
}

/// A spelling in which a valid code is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Typing {
    AsShown,
    Lower,
    Spaced,
    LookAlikes,
}

/// A mistake made when typing a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mistake {
    Empty,
    TooLong,
    /// Only this number of symbols.
    Cut(u8),
    /// One more symbol.
    Longer,
    /// At this position, a symbol that occurs in no code.
    Alien(u8),
    /// At this position, a different symbol.
    Wrong(u8),
    /// This symbol swapped with the next different one.
    Swapped(u8),
}

/// The criteria of a list.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Wanted {
    pub(super) status: Option<Status>,
    pub(super) role: Option<Part>,
    pub(super) place: Option<Place>,
    pub(super) inviter: Option<Who>,
    /// Only invitations created in the same batch as that invitation.
    pub(super) batch: Option<Pick>,
    /// Created from (true) or until (false) the creation of that invitation.
    pub(super) created: Option<(Pick, bool)>,
    /// Expiring from (true) or until (false) the expiry of that invitation.
    pub(super) expires: Option<(Pick, bool)>,
    pub(super) sought: Option<Sought>,
}

/// The text of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sought {
    Text(&'static str),
    TooLong,
    /// The first characters of a code as it is typed.
    Code(Pick, Typing, u8),
    /// The first symbols of a code, the last of them mistyped.
    NearlyCode(Pick, u8),
}

/// The criteria of a read of the trail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct WantedEvents {
    pub(super) about: Option<Pick>,
    pub(super) by: Option<Somebody>,
    pub(super) action: Option<Action>,
    pub(super) outcome: Option<EventOutcome>,
    pub(super) place: Option<Place>,
    /// From (true) or until (false) now.
    pub(super) now: Option<bool>,
}

/// The performer whose events are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Somebody {
    Actor(Who),
    Person(u8),
}

/// How the clock moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tick {
    /// By microseconds, forwards or backwards.
    By(i64),
    /// To this number of microseconds after an invitation's expiry.
    Expiry(Pick, i64),
    /// To this number of microseconds after the end of one of the open leases.
    Lease(u8, i64),
    /// To a day and this number of microseconds after an invitation was over.
    Over(Pick, i64),
}
