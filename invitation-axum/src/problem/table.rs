//! The one table from what the service says to what the client gets.

use std::{error::Error as _, time::Duration};

use invitation_core::{Error, Invalid, Refusal, StoreErrorKind};

use super::{FieldError, Problem, ProblemKind, pointer_to};
use crate::identify::IdentifyError;

/// How long a client is asked to wait for a store that is down.
const STORE_DOWN: Duration = Duration::from_secs(5);
/// The same for one that was just busy.
const STORE_BUSY: Duration = Duration::from_secs(1);
/// The same for room under a quota: somebody has to use or revoke something.
const QUOTA_FULL: Duration = Duration::from_mins(1);

impl Problem {
    /// What those who manage invitations are told.
    ///
    /// What went wrong in the store is for the host's log: the problem says only that
    /// it may work later, or that something is broken.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Refused(refused) => of_refusal(refused.refusal()),
            other => of_other(other),
        }
    }

    /// What the newcomer is told who presented a code: the same, but 410 for a code
    /// that has been used, is revoked or expired.
    pub fn of_redeeming(error: &Error) -> Self {
        let kind = match error.refusal() {
            Some(Refusal::Used) => ProblemKind::CodeUsed,
            // That the inviter lost the right is not the newcomer's to know.
            Some(Refusal::Revoked | Refusal::GrantWithdrawn) => ProblemKind::CodeRevoked,
            Some(Refusal::Expired { .. }) => ProblemKind::CodeExpired,
            _ => return Self::of(error),
        };
        Self::new(kind)
    }

    /// The one answer for what does not exist, is out of reach, or has no id that could
    /// exist.
    pub(crate) fn no_such_invitation() -> Self {
        of_refusal(&Refusal::NotFound)
    }
}

impl From<Error> for Problem {
    /// As [`of`](Problem::of), and what broke goes to the log.
    fn from(error: Error) -> Self {
        if let Error::Store(_) | Error::Entropy(_) | Error::Seal(_) = &error {
            let cause = error.source().map(ToString::to_string);
            tracing::error!(%error, cause, "a call could not be carried out");
        }
        Self::of(&error)
    }
}

impl From<IdentifyError> for Problem {
    fn from(_: IdentifyError) -> Self {
        Self::new(ProblemKind::Unavailable).with_retry_after(STORE_DOWN)
    }
}

fn of_refusal(refusal: &Refusal) -> Problem {
    let kind = match refusal {
        Refusal::Forbidden { .. }
        | Refusal::RoleNotGrantable { .. }
        | Refusal::DivisionNotAllowed { .. } => ProblemKind::Forbidden,
        Refusal::NotFound => ProblemKind::NotFound,
        Refusal::CodeUnknown => ProblemKind::CodeUnknown,
        Refusal::AddressProofRequired => ProblemKind::AddressProofRequired,
        Refusal::VersionMismatch { .. } => ProblemKind::VersionMismatch,
        Refusal::IdempotencyKeyReused => ProblemKind::IdempotencyKeyReused,
        Refusal::QuotaExceeded { .. } => {
            return Problem::new(ProblemKind::QuotaExceeded)
                .with_detail(refusal.to_string())
                .with_retry_after(QUOTA_FULL);
        }
        // The state of the invitation stands against it.
        _ => ProblemKind::Conflict,
    };
    Problem::new(kind).with_detail(refusal.to_string())
}

fn of_other(error: &Error) -> Problem {
    match error {
        Error::Mistyped(mistyped) => {
            Problem::new(ProblemKind::CodeMistyped).with_detail(mistyped.to_string())
        }
        Error::Invalid(input) => Problem::invalid(input.errors().iter().map(in_body)),
        Error::Store(store) => match store.kind() {
            StoreErrorKind::Unavailable => {
                Problem::new(ProblemKind::Unavailable).with_retry_after(STORE_DOWN)
            }
            StoreErrorKind::Conflict => {
                Problem::new(ProblemKind::Unavailable).with_retry_after(STORE_BUSY)
            }
            StoreErrorKind::OutcomeUnknown => Problem::new(ProblemKind::Unavailable)
                .with_detail("whether it was done is unknown")
                .with_retry_after(STORE_DOWN),
            _ => Problem::new(ProblemKind::Internal),
        },
        Error::Entropy(_) => Problem::new(ProblemKind::Unavailable).with_retry_after(STORE_DOWN),
        _ => Problem::new(ProblemKind::Internal),
    }
}

fn in_body(invalid: &Invalid) -> FieldError {
    let field = match invalid.field() {
        // Of the body as a whole.
        "amendment" | "drafts" => String::new(),
        field => pointer_to(field),
    };
    let pointer = match invalid.line() {
        Some(line) => format!("/{line}{field}"),
        None => field,
    };
    FieldError::in_body(pointer, invalid.message())
}
