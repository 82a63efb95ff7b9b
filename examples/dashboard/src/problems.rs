//! What went wrong, as clients are told, and as the log is.

use std::time::Duration;

use invitation::{
    Error, sqlx,
    web::{Problem, ProblemKind},
};

/// What the newcomer is told. What the store has to say is for the log.
pub(crate) fn told(error: &Error) -> Problem {
    if let Error::Store(store) = error {
        tracing::error!(error = store as &dyn std::error::Error, "the store failed");
    }
    Problem::of_redeeming(error)
}

/// The host's own database failed.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn busy(error: sqlx::Error) -> Problem {
    tracing::error!(error = &error as &dyn std::error::Error, "the database failed");
    Problem::new(ProblemKind::Unavailable).with_retry_after(Duration::from_secs(5))
}
