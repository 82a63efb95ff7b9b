//! What the service and the stores report while they work. [`observe`](crate::observe) lists
//! it.

use std::time::Duration;

use crate::{
    event::{Action, EventOutcome},
    outcome::Outcome,
    transition::Transition,
};

/// The source of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConnectionSource {
    /// A connection that the store keeps for the next call.
    Cache,
    /// The host's pool.
    Pool,
}

/// Reports steps that were made.
pub(crate) fn succeeded(action: Action, number: usize) {
    steps(action, EventOutcome::Succeeded.as_str(), number);
}

/// Reports a step that the store had made before.
pub(crate) fn replayed(action: Action) {
    steps(action, "replayed", 1);
}

/// Reports a step that was refused or denied.
pub(crate) fn refused(action: Action, outcome: EventOutcome) {
    steps(action, outcome.as_str(), 1);
}

/// Reports a step that changed something. A refusal is reported with its evidence
/// instead.
pub(crate) fn transition(transition: &Transition, outcome: &Outcome) {
    let action = transition.event().action;
    match outcome {
        Outcome::Applied(_) => succeeded(action, 1),
        Outcome::Replayed(_) => replayed(action),
        Outcome::Refused(_) | Outcome::QuotaFull(_) | Outcome::CodeTaken | Outcome::Missing => {}
    }
}

fn steps(action: Action, outcome: &'static str, number: usize) {
    let action = action.as_str();
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "invitation", action, outcome, number, "step");
    #[cfg(feature = "metrics")]
    metrics::counter!("invitation_steps_total", "action" => action, "outcome" => outcome)
        .increment(number as u64);
    let _ = (action, outcome, number);
}

/// Reports that a store tries `operation` again, because concurrent work was in its way.
pub fn retry(operation: &'static str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "invitation", operation, "retry");
    #[cfg(feature = "metrics")]
    metrics::counter!("invitation_retries_total", "operation" => operation).increment(1);
    let _ = operation;
}

/// Reports that a store sends `size` changes in one batch.
pub fn batch(size: usize) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("invitation_batch_size")
        .record(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
    let _ = size;
}

/// Reports the source of a connection for a redemption.
pub fn connection(source: ConnectionSource) {
    #[cfg(feature = "metrics")]
    metrics::counter!("invitation_connections_total", "source" => match source {
        ConnectionSource::Cache => "cache",
        ConnectionSource::Pool => "pool",
    })
    .increment(1);
    let _ = source;
}

/// Reports the time until the pool handed out a connection.
pub fn pool_wait(waited: Duration) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("invitation_pool_wait_seconds").record(waited.as_secs_f64());
    let _ = waited;
}
