//! The table that maps errors of the service to problems.

use std::{error::Error as _, time::Duration};

use invitation_core::{
    Error, FieldError, Refusal, StoreErrorKind, ValidationErrors, code::ParseCodeError,
};

use super::{InputError, OUTCOME_UNKNOWN, Problem, ProblemKind, pointer_to};
use crate::identify::IdentifyError;

/// The `Retry-After` for a store that is down.
const STORE_DOWN: Duration = Duration::from_secs(5);
/// The `Retry-After` for a store that was just busy.
const STORE_BUSY: Duration = Duration::from_secs(1);
/// The `Retry-After` for a code whose uses are all reserved. The accounts of the other new users
/// usually take a moment; the lease's end is only the latest time at which a use is free.
const USE_RESERVED: Duration = Duration::from_secs(2);
/// The `Retry-After` for a full quota: a user must first redeem or revoke an invitation.
const QUOTA_FULL: Duration = Duration::from_mins(1);

impl Problem {
    /// Translates an error for users who manage invitations.
    ///
    /// Failures of the store are for the host's log. The problem says only that the
    /// request may work later, or that there is an internal error. `of` logs nothing:
    /// `Problem::from` translates in the same way, and logs the cause of such a failure.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Refused(refused) => of_refusal(refused.refusal()),
            other => of_other(other),
        }
    }

    /// Translates an error for the new user who presented a code. It is like
    /// [`of`](Self::of), but gives 410 for a code that is used, revoked or expired. It logs
    /// the cause of a failure of the store, the entropy source or the sealing, so the host
    /// does not log it again.
    ///
    /// While [reservations](invitation_core::Invitations::reserve) of others hold every use that is
    /// left, the response is 409 `conflict` with `Retry-After`: a later attempt gets a use, or 410.
    pub fn of_redeeming(error: &Error) -> Self {
        let kind = match error.refusal() {
            Some(Refusal::Used) => ProblemKind::CodeUsed,
            // The new user must not learn that the inviter has lost the right.
            Some(Refusal::Revoked | Refusal::GrantWithdrawn) => ProblemKind::CodeRevoked,
            Some(Refusal::Expired { .. }) => ProblemKind::CodeExpired,
            _ => {
                log_failure(error);
                return Self::of(error);
            }
        };
        Self::new(kind)
    }

    /// Returns the one response for an invitation that does not exist or is out of reach,
    /// and for an id that cannot exist.
    pub(crate) fn no_such_invitation() -> Self {
        of_refusal(&Refusal::NotFound)
    }
}

impl From<Error> for Problem {
    /// Translates like [`of`](Problem::of), and logs failures of the store, the entropy
    /// source or the sealing.
    fn from(error: Error) -> Self {
        log_failure(&error);
        Self::of(&error)
    }
}

impl From<ParseCodeError> for Problem {
    /// Translates a typing mistake in a code, so that `?` answers
    /// [`parse_code`](invitation_core::Invitations::parse_code) in a host's handler.
    fn from(error: ParseCodeError) -> Self {
        Self::of(&error.into())
    }
}

impl From<ValidationErrors> for Problem {
    /// Lists the values that were not accepted, as the routers of this crate do. The JSON
    /// pointer of each is `/` and the name of the field.
    fn from(errors: ValidationErrors) -> Self {
        Self::of(&errors.into())
    }
}

impl From<FieldError> for Problem {
    /// Lists the value that was not accepted, so that `?` answers it in a host's handler.
    ///
    /// ```
    /// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
    /// use invitation::{Username, web::Problem};
    ///
    /// fn name_of(form: &str) -> Result<Username, Problem> {
    ///     Ok(Username::new(form)?)
    /// }
    ///
    /// let problem = name_of("").unwrap_err();
    /// assert_eq!(problem.kind().status(), 422);
    /// assert_eq!(problem.errors()[0].pointer, "/username");
    /// ```
    fn from(error: FieldError) -> Self {
        Self::of(&error.into())
    }
}

impl From<IdentifyError> for Problem {
    fn from(_: IdentifyError) -> Self {
        Self::new(ProblemKind::Unavailable).with_retry_after(STORE_DOWN)
    }
}

/// Logs a failure that is not due to the request. Its cause names no code: the stores leave
/// codes out of their errors.
fn log_failure(error: &Error) {
    if let Error::Store(_) | Error::Entropy(_) | Error::Seal(_) = error {
        let cause = error.source().map(ToString::to_string);
        tracing::error!(%error, cause, "a call could not be carried out");
    }
}

fn of_refusal(refusal: &Refusal) -> Problem {
    let kind = match refusal {
        Refusal::Forbidden { .. }
        | Refusal::UnknownRole { .. }
        | Refusal::RoleNotGrantable { .. }
        | Refusal::DivisionNotAllowed { .. } => ProblemKind::Forbidden,
        Refusal::Vetoed { .. } => ProblemKind::Vetoed,
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
        Refusal::Reserved { .. } => {
            return Problem::new(ProblemKind::Conflict)
                .with_detail(refusal.to_string())
                .with_retry_after(USE_RESERVED);
        }
        // Concurrent calls changed the invitation at every attempt.
        Refusal::Conflict => {
            return Problem::new(ProblemKind::Conflict)
                .with_detail(refusal.to_string())
                .with_retry_after(STORE_BUSY);
        }
        Refusal::TooManyRequests { retry_after } | Refusal::MailLimit { retry_after } => {
            return Problem::new(ProblemKind::TooManyRequests)
                .with_detail(refusal.to_string())
                .with_retry_after(retry_after.unsigned_abs());
        }
        // All other refusals are due to the state of the invitation.
        _ => ProblemKind::Conflict,
    };
    Problem::new(kind).with_detail(refusal.to_string())
}

fn of_other(error: &Error) -> Problem {
    match error {
        Error::ParseCode(mistyped) => {
            Problem::new(ProblemKind::CodeMistyped).with_detail(mistyped.to_string())
        }
        Error::Invalid(input) => Problem::invalid(input.errors().iter().map(in_body)),
        Error::Store(store) => match store.kind() {
            // A later attempt succeeds once the host has migrated. The log tells what to do.
            StoreErrorKind::Unavailable | StoreErrorKind::NotMigrated => {
                Problem::new(ProblemKind::Unavailable).with_retry_after(STORE_DOWN)
            }
            StoreErrorKind::Conflict => {
                Problem::new(ProblemKind::Unavailable).with_retry_after(STORE_BUSY)
            }
            StoreErrorKind::OutcomeUnknown => Problem::new(ProblemKind::Unavailable)
                .with_detail(OUTCOME_UNKNOWN)
                .with_retry_after(STORE_DOWN),
            _ => Problem::new(ProblemKind::Internal),
        },
        Error::Entropy(_) => Problem::new(ProblemKind::Unavailable).with_retry_after(STORE_DOWN),
        _ => Problem::new(ProblemKind::Internal),
    }
}

fn in_body(invalid: &FieldError) -> InputError {
    let field = match invalid.field() {
        // These are about the body as a whole.
        "amendment" | "drafts" => String::new(),
        field => pointer_to(field),
    };
    let pointer = match invalid.line() {
        Some(line) => format!("/{line}{field}"),
        None => field,
    };
    InputError::in_body(pointer, invalid.message())
}

#[cfg(test)]
mod tests {
    use std::io;

    use invitation_core::{
        Division, Draft, Invitations, MemoryStore, OsEntropy, Redeemer, Role, StoreError, UserId,
        Username,
        throttle::{Attempt, Decision, Throttle},
    };
    use invitation_testkit::Log;

    use super::*;

    fn logged(translate: impl FnOnce() -> Problem) -> (Problem, String) {
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_writer(log.writer()).with_ansi(false).finish();
        let problem = tracing::subscriber::with_default(subscriber, translate);
        (problem, log.text())
    }

    fn store_failure() -> Error {
        let cause = io::Error::other("no route to the database");
        StoreError::new(StoreErrorKind::Unavailable, "redeem").because(cause).into()
    }

    #[test]
    fn problem_of_a_store_failure_logs_its_cause_once() {
        let of_redeeming = logged(|| Problem::of_redeeming(&store_failure()));
        for (problem, log) in [of_redeeming, logged(|| store_failure().into())] {
            assert_eq!(problem.kind(), ProblemKind::Unavailable);
            assert_eq!(problem.detail(), None, "the cause is not for the client");
            assert_eq!(log.matches("no route to the database").count(), 1, "{log}");
            assert!(log.contains("the store is unavailable (redeem)"), "{log}");
        }
    }

    #[test]
    fn code_with_a_typing_mistake_is_422_and_is_not_logged() {
        let parse = || Invitations::new(MemoryStore::new()).parse_code("KANARI").unwrap_err();
        let of_redeeming = logged(|| Problem::of_redeeming(&parse().into()));
        for (problem, log) in [of_redeeming, logged(|| parse().into())] {
            assert_eq!(problem.kind(), ProblemKind::CodeMistyped);
            assert_eq!(log, "");
        }
    }

    /// A throttle that lets nothing through.
    #[derive(Debug)]
    struct ShutThrottle;

    #[async_trait::async_trait]
    impl Throttle for ShutThrottle {
        async fn take(&self, _: &Attempt<'_>) -> Result<Decision, StoreError> {
            Ok(Decision::Refused { retry_after: time::Duration::milliseconds(41_500) })
        }
    }

    #[tokio::test]
    async fn throttled_code_is_429_with_the_time_to_wait() {
        let invitations = Invitations::new(MemoryStore::new()).with_throttle(ShutThrottle);
        let code = invitations.code_format().generate(&OsEntropy).unwrap().reveal();
        let eve = Redeemer::new(UserId::new("u-1").unwrap(), Username::new("eve").unwrap());
        let error = invitations.redeem(&code, &eve).await.unwrap_err();
        for problem in [Problem::of_redeeming(&error), Problem::of(&error)] {
            assert_eq!(problem.kind(), ProblemKind::TooManyRequests);
            assert_eq!(problem.kind().status(), 429);
            let response = axum::response::IntoResponse::into_response(problem);
            assert_eq!(response.headers()["retry-after"], "42");
        }
    }

    #[tokio::test]
    async fn code_whose_uses_are_reserved_is_409_with_the_time_to_wait() {
        let invitations = Invitations::new(MemoryStore::new());
        let system = invitation_core::SystemActor::for_bootstrap();
        let draft = Draft::new()
            .with_role(Role::new("staff").unwrap())
            .in_division(Division::new("sales").unwrap());
        let code = invitations.create(&system, draft).await.unwrap().code().reveal();
        let newcomer =
            |id: &str| Redeemer::new(UserId::new(id).unwrap(), Username::new(id).unwrap());
        let _held = invitations.reserve(&code, &newcomer("anna")).await.unwrap();
        let error = invitations.redeem(&code, &newcomer("ben")).await.unwrap_err();
        let problem = Problem::of_redeeming(&error);
        assert_eq!(problem.kind(), ProblemKind::Conflict);
        assert_eq!(problem.kind().status(), 409);
        assert_eq!(problem.retry_after(), Some(USE_RESERVED));
        assert_eq!(of_refusal(&Refusal::Conflict).retry_after(), Some(STORE_BUSY));
        assert_eq!(of_refusal(&Refusal::ReservationLost).retry_after(), None);
    }
}
