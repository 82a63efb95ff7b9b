//! A store whose calls are reported.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::{
    store::{Intercept, Interceptor, Operation, StoreCall},
    store_error::{StoreError, StoreErrorKind},
};

/// A store whose calls are reported.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{
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
        Some(StoreErrorKind::NotMigrated) => "not_migrated",
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
