//! One step of a sequence: plain data that is valid in every state.

use invitation_core::{Action, OutcomeFilter, Status};

use super::{
    identities::{ActingUser, Creator, DivisionName, MailDomain, Mailbox, Newcomer, RoleName},
    keys::KeyChoice,
    limits::LimitsSpec,
    policy::PolicyChoice,
};

/// One call, clock move, or change of settings.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    /// Creates an invitation, optionally under an idempotency key.
    Create {
        by: Creator,
        draft: DraftSpec,
        key: Option<u8>,
    },
    CreateMany {
        by: Creator,
        drafts: Vec<DraftSpec>,
        key: Option<u8>,
    },
    Redeem {
        code: Pick,
        spelling: Spelling,
        newcomer: Newcomer,
    },
    Reserve {
        code: Pick,
        spelling: Spelling,
        newcomer: Newcomer,
    },
    Commit {
        of: ReservationPick,
        newcomer: Newcomer,
    },
    Release {
        of: ReservationPick,
        newcomer: Newcomer,
    },
    RedeemWith {
        code: Pick,
        newcomer: Newcomer,
        creation: AccountCreation,
    },
    Mistype {
        code: Pick,
        mistake: TypingMistake,
        newcomer: Newcomer,
    },
    Copy {
        by: ActingUser,
        of: Pick,
    },
    Get {
        by: ActingUser,
        of: Pick,
    },
    Amend {
        by: ActingUser,
        of: Pick,
        terms: AmendmentSpec,
        version: Version,
    },
    Rotate {
        by: ActingUser,
        of: Pick,
        version: Version,
    },
    Revoke {
        by: ActingUser,
        of: Pick,
        reason: RevocationReason,
        version: Version,
    },
    Reinstate {
        by: ActingUser,
        of: Pick,
        version: Version,
    },
    Delete {
        by: ActingUser,
        of: Pick,
        version: Version,
    },
    RevokeAll {
        by: ActingUser,
        wanted: ListCriteria,
        reason: RevocationReason,
        limit: u32,
    },
    /// Purges at most `max` invitations that have been over for `age` microseconds.
    Purge {
        by: Creator,
        age: i64,
        max: u32,
    },
    /// Begins to seal under this key, and re-seals all rows.
    Reseal {
        by: Creator,
        key: KeyChoice,
        limit: u32,
    },
    /// Reads a list. `pause` is the time between two pages, in microseconds.
    List {
        by: ActingUser,
        wanted: ListCriteria,
        limit: u32,
        pause: i64,
    },
    StatusCounts {
        by: ActingUser,
        wanted: ListCriteria,
    },
    Events {
        by: ActingUser,
        wanted: EventCriteriaSpec,
        limit: u32,
    },
    Redemptions {
        by: ActingUser,
        of: Pick,
        limit: u32,
    },
    Reservations {
        by: ActingUser,
        division: Option<DivisionName>,
        limit: u32,
    },
    Clock(ClockMove),
    Reopen,
    Policy(PolicyChoice),
    Limits(LimitsSpec),
    /// Lets a host judge the grantors, which from now on vouches for all but this user.
    Standing(Option<ActingUser>),
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
pub(super) struct ReservationPick {
    /// The reservation among all that were ever made.
    pub(super) pick: Pick,
    pub(super) own: bool,
}

/// How the host's creation of an account proceeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AccountCreation {
    /// It succeeds after this time in microseconds.
    Works(i64),
    Fails(i64),
}

/// The content of a draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DraftSpec {
    pub(super) binding: BindingSpec,
    pub(super) role: Option<RoleName>,
    pub(super) division: Option<DivisionName>,
    pub(super) until: ExpirySpec,
    pub(super) uses: u32,
    /// The number in the metadata.
    pub(super) note: Option<u8>,
}

/// The binding, which limits the possible redeemers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BindingSpec {
    Anyone,
    Address(Mailbox, bool),
    Domain(MailDomain),
}

/// The expiry that a draft requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ExpirySpec {
    Default,
    Days(u32),
    /// Microseconds from the time of the call.
    After(i64),
}

/// The content of an amendment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct AmendmentSpec {
    pub(super) binding: Option<BindingSpec>,
    pub(super) role: Option<RoleName>,
    pub(super) until: Option<ExpirySpec>,
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
pub(super) enum RevocationReason {
    Unsaid,
    Left,
    /// The maximum length, in bytes.
    Longest,
    TooLong,
    Control,
}

impl RevocationReason {
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
pub(super) enum Spelling {
    AsShown,
    Lower,
    Spaced,
    LookAlikes,
}

/// A mistake made when typing a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TypingMistake {
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
pub(super) struct ListCriteria {
    pub(super) status: Option<Status>,
    pub(super) role: Option<RoleName>,
    pub(super) division: Option<DivisionName>,
    pub(super) inviter: Option<ActingUser>,
    /// Only invitations created in the same batch as that invitation.
    pub(super) batch: Option<Pick>,
    /// Created from (true) or until (false) the creation of that invitation.
    pub(super) created: Option<(Pick, bool)>,
    /// Expiring from (true) or until (false) the expiry of that invitation.
    pub(super) expires: Option<(Pick, bool)>,
    pub(super) search: Option<SearchText>,
    /// Soonest expiry first, instead of newest first.
    pub(super) by_expiry: bool,
}

/// The text of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SearchText {
    Text(&'static str),
    TooLong,
    /// The first characters of a code as it is typed.
    Code(Pick, Spelling, u8),
    /// The first symbols of a code, the last of them mistyped.
    NearlyCode(Pick, u8),
}

/// The criteria of a read of the trail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct EventCriteriaSpec {
    pub(super) about: Option<Pick>,
    pub(super) by: Option<EventPerformer>,
    pub(super) action: Option<Action>,
    pub(super) outcome: Option<OutcomeFilter>,
    /// The step of the sequence whose events are read.
    pub(super) step: Option<u8>,
    pub(super) division: Option<DivisionName>,
    /// From (true) or until (false) now.
    pub(super) now: Option<bool>,
}

/// The performer whose events are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EventPerformer {
    Actor(ActingUser),
    Person(u8),
}

/// How the clock moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ClockMove {
    /// By microseconds, forwards or backwards.
    By(i64),
    /// To this number of microseconds after an invitation's expiry.
    Expiry(Pick, i64),
    /// To this number of microseconds after the end of one of the open leases.
    Lease(u8, i64),
    /// To a day and this number of microseconds after an invitation was over.
    Over(Pick, i64),
}
