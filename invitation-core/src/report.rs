//! What the service and the stores report while they work. [`observe`](crate::observe) lists
//! it.

use std::time::Duration;

use crate::{
    documents::DocumentKey,
    event::{Action, EventOutcome},
    hooks::Lapse,
    outcome::Outcome,
    standing::NoAnswer,
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

/// Reports the step of an event, whatever its outcome.
#[cfg(feature = "files")]
pub(crate) fn event(event: &crate::event::Event) {
    steps(event.action, event.outcome.as_str(), 1);
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

/// A budget of failed guesses.
#[cfg(feature = "throttle")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum GuessBudget {
    /// Of all sources together.
    Overall,
    /// Of one source.
    Source,
    /// Of one source with one code.
    SourceAndCode,
}

#[cfg(feature = "throttle")]
impl GuessBudget {
    /// All budgets, in the order in which an attempt takes their tokens.
    pub(crate) const ALL: [Self; 3] = [Self::Overall, Self::Source, Self::SourceAndCode];

    #[cfg(any(feature = "metrics", feature = "tracing"))]
    fn as_str(self) -> &'static str {
        match self {
            Self::Overall => "overall",
            Self::Source => "source",
            Self::SourceAndCode => "source_and_code",
        }
    }
}

/// Reports that an attempt was refused, because this budget of failed guesses had no token.
#[cfg(feature = "throttle")]
pub(crate) fn throttled(budget: GuessBudget) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "invitation", budget = budget.as_str(), "attempt throttled");
    #[cfg(feature = "metrics")]
    metrics::counter!("invitation_throttled_total", "budget" => budget.as_str()).increment(1);
    let _ = budget;
}

/// Reports that the failed guesses of all sources exceed their budget.
#[cfg(feature = "throttle")]
pub(crate) fn guess_alarm() {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "invitation", "the failed guesses of all sources exceed their budget");
    #[cfg(feature = "metrics")]
    metrics::counter!("invitation_guess_alarms_total").increment(1);
}

/// Reports that a host's hook did not say whether a grantor may still grant an invitation.
pub(crate) fn standing_unknown(cause: &NoAnswer) {
    let error = match cause {
        NoAnswer::Failed(error) => Some(&**error as &(dyn std::error::Error + 'static)),
        NoAnswer::TooLate => None,
    };
    #[cfg(feature = "tracing")]
    if let Some(error) = error {
        tracing::warn!(target: "invitation", error, "the standing of a grantor is unknown");
    } else {
        let limit = crate::standing::TIME_LIMIT.as_secs();
        tracing::warn!(target: "invitation", limit, "the standing of a grantor is unknown");
    }
    let _ = error;
}

/// Reports that a host's hook did not say whether a command is allowed.
pub(crate) fn hook_failed(lapse: &Lapse) {
    lapsed(lapse, crate::hooks::TIME_LIMIT, "a hook did not answer: the command is refused");
}

/// Reports that a host's hook did not take a notification.
pub(crate) fn notice_failed(lapse: &Lapse) {
    lapsed(lapse, crate::hooks::NOTICE_LIMIT, "a hook did not take the notification");
}

fn lapsed(lapse: &Lapse, limit: Duration, message: &'static str) {
    let error = match lapse {
        Lapse::Failed(error) => Some(&**error as &(dyn std::error::Error + 'static)),
        Lapse::TooLate | Lapse::Panicked => None,
    };
    #[cfg(feature = "tracing")]
    match lapse {
        Lapse::Failed(_) => {
            tracing::warn!(target: "invitation", error, "{message}");
        }
        Lapse::TooLate => {
            tracing::warn!(target: "invitation", limit = limit.as_secs(), "{message}");
        }
        Lapse::Panicked => {
            tracing::warn!(target: "invitation", panicked = true, "{message}");
        }
    }
    let _ = (error, limit, message);
}

/// Reports what became of a mail.
pub(crate) fn delivered(outcome: EventOutcome) {
    steps(Action::Deliver, outcome.as_str(), 1);
}

/// Reports a document that this version of the library cannot read, and leaves out.
pub(crate) fn unreadable(key: &DocumentKey) {
    let kind = key.kind.as_str();
    #[cfg(feature = "tracing")]
    {
        let name = key.name.as_str();
        tracing::warn!(target: "invitation", kind, name, "a document cannot be read");
    }
    #[cfg(feature = "metrics")]
    metrics::counter!("invitation_unreadable_documents_total", "kind" => kind.to_owned())
        .increment(1);
    let _ = kind;
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
