//! The results of calls, in a form that the model and the service share.

use invitation_core::{
    Created, Division, Error, Event, EventId, Invitation, InvitationId, InvitationView, Metadata,
    ParseCodeError, Redemption, Refusal, Reservation, ReservationId, Right, Role, Status,
    Timestamp,
};

use super::reservation::Open;

/// The answer to one step.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Answer {
    /// Success without data.
    Done,
    /// New invitations, or one whose code was rotated, each with its code.
    Issued(Vec<Issue>),
    /// An invitation after a change.
    Changed(Box<Invitation>),
    /// A use is redeemed.
    Redeemed(Box<Grant>),
    /// A use is reserved.
    Reserved(Box<Hold>),
    /// `redeem_with` succeeded: the redemption, and the reservation if one was made for
    /// it.
    Made(Box<Grant>, Option<Box<Hold>>),
    /// `redeem_with` could not reserve a use.
    NotReserved(Box<Self>),
    /// The host's own step of `redeem_with` failed. The second field says why the use
    /// could not be released.
    NotCreated(Box<Hold>, Option<Box<Self>>),
    /// The host's own step of `redeem_with` succeeded, but the commit did not.
    NotCommitted(Box<Hold>, Box<Self>),
    /// All pages of an invitation's redemptions.
    Used(Vec<Redemption>),
    /// All pages of the open reservations.
    Open(Vec<Open>),
    /// The invitations revoked by `revoke_all`, from all pages.
    Withdrawn(Vec<InvitationId>),
    /// The invitations that a purge removed, and whether more may be left.
    Removed(Vec<InvitationId>, bool),
    /// The number of invitations that each page of a re-sealing job rewrote.
    Resealed(Vec<usize>),
    /// The code of an invitation.
    Code(String),
    /// One invitation, as `view` returns it.
    Seen(Box<View>),
    /// All pages of a list.
    Listed(Vec<View>),
    /// The counts of active, used, expired and revoked invitations, in this order.
    Counted([u32; 4]),
    /// All pages of the audit trail.
    Trail(Vec<Event>),
    /// The domain refused the call.
    Refused(Refusal),
    /// The invalid fields with their line numbers, sorted.
    Invalid(Vec<(Option<usize>, String)>),
    /// The text cannot be a code.
    ParseCode(ParseCodeError),
    /// An error that must never occur.
    Broken(String),
}

/// A new invitation, or an existing one that a repeated request returned.
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

/// A reservation as the newcomer's host receives it.
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

/// A redemption as the newcomer's host receives it.
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
    /// Empty for an actor without the right to see the code.
    pub(super) code: String,
    pub(super) status: Status,
    /// The permitted actions, in the order of the rights.
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
    /// Returns the id of the lease in this answer, which the model cannot predict.
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

    /// Returns the id of the redemption in this answer, which the model cannot predict.
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
            Error::ParseCode(mistyped) => Self::ParseCode(mistyped),
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

/// Converts a result into an answer: `answer` for success, or the error.
pub(super) fn answered<T>(result: Result<T, Error>, answer: impl FnOnce(T) -> Answer) -> Answer {
    result.map_or_else(Answer::from, answer)
}
