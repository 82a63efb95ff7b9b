//! What a call answers, in a form that model and service share.

use crate::{
    code::Mistyped,
    error::Error,
    event::Event,
    id::InvitationId,
    invitation::{Invitation, Redemption, Status},
    metadata::Metadata,
    policy::Right,
    refusal::Refusal,
    service::InvitationView,
    text::Division,
};

/// The answer to one step.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Answer {
    /// Nothing to say.
    Done,
    /// New invitations, or one with a new code, each with its code.
    Issued(Vec<(Invitation, String)>),
    /// An invitation after a change.
    Changed(Box<Invitation>),
    /// Somebody is in.
    Redeemed(Box<Grant>),
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
