//! What a call answers, in a form that model and service share.

use super::holding::Open;
use crate::{
    code::Mistyped,
    error::Error,
    event::Event,
    id::{EventId, InvitationId},
    invitation::{Invitation, Redemption, Status},
    lease::ReservationId,
    metadata::Metadata,
    policy::Right,
    refusal::Refusal,
    service::{Created, InvitationView, Reservation},
    text::{Division, Role},
    time::Timestamp,
};

/// The answer to one step.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Answer {
    /// Nothing to say.
    Done,
    /// New invitations, or one with a new code, each with its code.
    Issued(Vec<Issue>),
    /// An invitation after a change.
    Changed(Box<Invitation>),
    /// Somebody is in.
    Redeemed(Box<Grant>),
    /// A use is held.
    Reserved(Box<Hold>),
    /// Reserved and committed as one: the redemption, and what was made for it.
    Made(Box<Grant>, Option<Box<Hold>>),
    /// Reserving as a part of that was refused.
    NotReserved(Box<Self>),
    /// The host's own step failed; why the use could not be given back.
    NotCreated(Box<Hold>, Option<Box<Self>>),
    /// The host's own step succeeded, and committing did not.
    NotCommitted(Box<Hold>, Box<Self>),
    /// All pages of who redeemed an invitation.
    Used(Vec<Redemption>),
    /// All pages of the open reservations.
    Open(Vec<Open>),
    /// What was withdrawn, on all pages.
    Withdrawn(Vec<InvitationId>),
    /// What was removed, and whether there may be more.
    Removed(Vec<InvitationId>, bool),
    /// A code.
    Code(String),
    /// One invitation, looked at.
    Seen(Box<View>),
    /// All pages of a list.
    Listed(Vec<View>),
    /// Active, used, expired, revoked.
    Counted([u32; 4]),
    /// All pages of the audit trail.
    Trail(Vec<Event>),
    /// The domain said no.
    Refused(Refusal),
    /// The fields that were not accepted, with their lines, sorted.
    Invalid(Vec<(Option<usize>, String)>),
    /// The code cannot be one.
    Mistyped(Mistyped),
    /// What never may happen.
    Broken(String),
}

/// A new invitation, or an old one that was asked for again.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Issue {
    pub(super) invitation: Invitation,
    pub(super) code: String,
    pub(super) replayed: bool,
}

impl Issue {
    pub(super) fn of(created: &Created) -> Self {
        Self {
            invitation: created.invitation().clone(),
            code: created.code().reveal().to_string(),
            replayed: created.is_replayed(),
        }
    }
}

/// A reservation as the newcomer's host gets it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Hold {
    pub(super) id: ReservationId,
    pub(super) until: Timestamp,
    pub(super) role: Role,
    pub(super) division: Division,
    pub(super) metadata: Option<Metadata>,
    pub(super) replayed: bool,
}

impl Hold {
    pub(super) fn of(reservation: &Reservation) -> Self {
        Self {
            id: reservation.id(),
            until: reservation.until(),
            role: reservation.role().clone(),
            division: reservation.division().clone(),
            metadata: reservation.metadata().cloned(),
            replayed: reservation.is_replayed(),
        }
    }
}

/// A redemption as the newcomer's host gets it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Grant {
    pub(super) redemption: Redemption,
    pub(super) invitation: InvitationId,
    pub(super) division: Division,
    pub(super) metadata: Option<Metadata>,
    pub(super) replayed: bool,
}

/// A row of the dashboard.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct View {
    pub(super) invitation: Invitation,
    /// Empty for those who may not see it.
    pub(super) code: String,
    pub(super) status: Status,
    /// In the order of the rights.
    pub(super) actions: Vec<Right>,
}

impl View {
    pub(super) fn of(view: &InvitationView) -> Self {
        let mut actions = view.actions().to_vec();
        actions.sort_unstable();
        Self {
            invitation: view.invitation().clone(),
            code: view.code().map_or_else(String::new, |code| code.reveal().to_string()),
            status: view.status(),
            actions,
        }
    }
}

impl Answer {
    /// The id of the lease that it is about, which nobody can foretell.
    pub(super) fn lease(&self) -> EventId {
        let hold = match self {
            Self::Reserved(hold)
            | Self::Made(_, Some(hold))
            | Self::NotCreated(hold, _)
            | Self::NotCommitted(hold, _) => Some(hold),
            _ => None,
        };
        hold.map_or(EventId::from_bytes([0; 16]), |hold| hold.id.lease())
    }

    /// The id of the redemption that it is about, which nobody can foretell.
    pub(super) fn redemption(&self) -> EventId {
        match self {
            Self::Redeemed(grant) | Self::Made(grant, _) => grant.redemption.id,
            _ => EventId::from_bytes([0; 16]),
        }
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        match error {
            Error::Mistyped(mistyped) => Self::Mistyped(mistyped),
            Error::Invalid(input) => {
                let mut fields: Vec<_> =
                    input.errors().iter().map(|e| (e.line(), e.field().to_owned())).collect();
                fields.sort();
                Self::Invalid(fields)
            }
            Error::Refused(refused) if refused.unrecorded().is_empty() => {
                Self::Refused(refused.refusal().clone())
            }
            other => Self::Broken(format!("{other:?}")),
        }
    }
}

/// `answer`, or why there is none.
pub(super) fn answered<T>(result: Result<T, Error>, answer: impl FnOnce(T) -> Answer) -> Answer {
    result.map_or_else(Answer::from, answer)
}
