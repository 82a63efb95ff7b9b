//! What the library reports while it works: events for `tracing`, numbers for `metrics`.
//!
//! Both are features and off by default. Without them, the functions here do nothing. With
//! them, the host installs a subscriber and a recorder as for its other libraries. Reports
//! contain neither codes nor addresses nor names.
//!
//! | Metric | Kind | Labels | Meaning |
//! |---|---|---|---|
//! | `invitation_steps_total` | counter | `action`, `outcome` | steps that a service decided, with action and outcome as in the audit trail; `replayed` if the store had made the step before |
//! | `invitation_store_calls_total` | counter | `operation`, `outcome` | calls to an [`Observed`] store: `ok`, or the kind of the error |
//! | `invitation_store_call_seconds` | histogram | `operation` | time from the call to its answer |
//! | `invitation_retries_total` | counter | `operation` | operations that a store tries again after a conflict |
//! | `invitation_batch_size` | histogram | | changes that a store sends in one batch |
//! | `invitation_connections_total` | counter | `source` | connections for redemptions: from the `cache`, or from the `pool` |
//! | `invitation_pool_wait_seconds` | histogram | | time until the pool hands out a connection |
//!
//! With `tracing`, each step is an event of the level DEBUG and the target `invitation`,
//! with the fields `action` and `outcome`. A retry is one with the field `operation`.
//!
//! A service reports its steps by itself, and the stores of this library report retries,
//! batches and connections. Calls to a store are reported if the host wraps it in
//! [`Observed`]. Authors of stores call the functions of this module.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::{
    event::{Action, EventOutcome},
    store::{Intercept, Interceptor, Operation, StoreCall},
    store_error::{StoreError, StoreErrorKind},
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

/// A store whose calls are reported.
///
/// ```
/// use invitation_core::{
///     Invitations, MemoryStore,
///     observe::{Observed, Observer},
/// };
///
/// let store: Observed<MemoryStore> = Observed::new(MemoryStore::new(), Observer::default());
/// let invitations = Invitations::new(store);
/// assert_eq!(invitations.code_format().symbols(), 24);
/// ```
pub type Observed<S> = Intercept<S, Observer>;

/// Reports each call to a store, and changes nothing. With `tracing`, each call runs in a
/// span `store` with the field `operation`.
#[derive(Clone, Copy, Default, Debug)]
#[non_exhaustive]
pub struct Observer;

#[async_trait]
impl Interceptor for Observer {
    async fn intercept(&self, operation: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        #[expect(clippy::disallowed_methods, reason = "it measures a call and decides nothing")]
        let begun = Instant::now();
        #[cfg(feature = "tracing")]
        let call = tracing::Instrument::instrument(
            call,
            tracing::debug_span!(target: "invitation", "store", operation = operation.as_str()),
        );
        let answered = call.await;
        call_ended(operation.as_str(), answered.err(), begun.elapsed());
        Ok(())
    }
}

fn call_ended(operation: &'static str, error: Option<StoreErrorKind>, took: Duration) {
    let outcome = match error {
        None => "ok",
        Some(StoreErrorKind::Unavailable) => "unavailable",
        Some(StoreErrorKind::Conflict) => "conflict",
        Some(StoreErrorKind::OutcomeUnknown) => "outcome_unknown",
        Some(StoreErrorKind::Corrupt) => "corrupt",
        Some(StoreErrorKind::Other) => "other",
    };
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "invitation", operation, outcome, ?took, "store call");
    #[cfg(feature = "metrics")]
    {
        metrics::counter!(
            "invitation_store_calls_total", "operation" => operation, "outcome" => outcome
        )
        .increment(1);
        metrics::histogram!("invitation_store_call_seconds", "operation" => operation)
            .record(took.as_secs_f64());
    }
    let _ = (operation, outcome, took);
}
