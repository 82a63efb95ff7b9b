//! Errors, as sent to clients and as written to the log.

use std::time::Duration;

use invitation::{
    sql::sqlx,
    web::{Problem, ProblemKind},
};

/// Logs a failure of the host's own database and returns the problem for the client.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn busy(error: sqlx::Error) -> Problem {
    tracing::error!(error = &error as &dyn std::error::Error, "the database failed");
    Problem::new(ProblemKind::Unavailable).with_retry_after(Duration::from_secs(5))
}
