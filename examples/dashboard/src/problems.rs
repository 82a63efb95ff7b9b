//! Errors, as sent to clients and as written to the log.

use std::time::Duration;

use invitation::{
    Error,
    sql::sqlx,
    web::{Problem, ProblemKind},
};

/// Converts an error into the newcomer's problem. Details of a store failure are only
/// logged.
pub(crate) fn told(error: &Error) -> Problem {
    if let Error::Store(store) = error {
        tracing::error!(error = store as &dyn std::error::Error, "the store failed");
    }
    Problem::of_redeeming(error)
}

/// Logs a failure of the host's own database and returns the problem for the client.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn busy(error: sqlx::Error) -> Problem {
    tracing::error!(error = &error as &dyn std::error::Error, "the database failed");
    Problem::new(ProblemKind::Unavailable).with_retry_after(Duration::from_secs(5))
}
