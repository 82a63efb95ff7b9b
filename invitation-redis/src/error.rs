//! Converts errors of the Redis client into errors of the store port.

use invitation_core::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Too few replicas have confirmed a change, which was made nevertheless. A failure of the
/// primary may lose it. This is the source of an error of the kind
/// [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unconfirmed: {confirmed} of {wanted} replicas have it")]
#[non_exhaustive]
pub struct Unconfirmed {
    /// The number of replicas that should have the change.
    pub wanted: u32,
    /// The number of replicas that confirmed the change.
    pub confirmed: u32,
}

/// Whether a script reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    Reads,
    Writes,
}

/// Converts a client error into the error of a call. `replays` says whether the client may
/// have sent the command more than once. In that case the last error does not reveal the
/// result of the first try.
///
/// An error reply of the server means that nothing was done. A script that fails after its
/// first write does not end in an error: `guarded` in `lua/shared.lua` turns it into an
/// answer. A server also refuses to end a script that has written (`SCRIPT KILL`).
pub(crate) fn store_error(
    operation: &'static str,
    effect: Effect,
    replays: bool,
    error: RedisError,
) -> StoreError {
    let kind = match (diagnose(&error), effect) {
        (_, Effect::Writes) if replays => StoreErrorKind::OutcomeUnknown,
        (Diagnosis::Lost, Effect::Writes) if !error.is_connection_refusal() => {
            StoreErrorKind::OutcomeUnknown
        }
        (Diagnosis::NotDone | Diagnosis::Lost, _) => StoreErrorKind::Unavailable,
        (Diagnosis::NotUnderstood, Effect::Writes) => StoreErrorKind::OutcomeUnknown,
        (Diagnosis::NotUnderstood, Effect::Reads) => StoreErrorKind::Corrupt,
        (Diagnosis::Other, _) => StoreErrorKind::Other,
    };
    StoreError::new(kind, operation).because(error)
}

enum Diagnosis {
    /// The server reports that it did nothing; a later try may succeed.
    NotDone,
    /// No answer arrived.
    Lost,
    /// An answer arrived that this library cannot interpret.
    NotUnderstood,
    /// The server reports that it did nothing; a later try will fail too.
    Other,
}

fn diagnose(error: &RedisError) -> Diagnosis {
    match error.kind() {
        ErrorKind::Io => Diagnosis::Lost,
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Diagnosis::NotUnderstood,
        // The password was right when the store was opened. An operator is changing it.
        ErrorKind::AuthenticationFailed
        | ErrorKind::ClusterConnectionNotFound
        | ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::NoScript
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        ) => Diagnosis::NotDone,
        // A server out of memory or disk, or without its replicas, refuses the first write
        // of a script, and no later one. A server that is busy with another client's script
        // refuses the call.
        ErrorKind::Extension => match error.code() {
            Some("OOM" | "MISCONF" | "NOREPLICAS" | "BUSY") => Diagnosis::NotDone,
            _ => Diagnosis::Other,
        },
        ErrorKind::Server(ServerErrorKind::ResponseError) if is_killed(error) => Diagnosis::NotDone,
        _ => Diagnosis::Other,
    }
}

/// Returns whether an operator has ended the script. The text has been the same since Redis
/// 2.6.
fn is_killed(error: &RedisError) -> bool {
    error.detail().is_some_and(|text| text.contains("Script killed by user with SCRIPT KILL"))
}

/// Returns the error for an answer that no script of this library gives.
pub(crate) fn odd_answer(operation: &'static str, effect: Effect) -> StoreError {
    let kind = match effect {
        Effect::Reads => StoreErrorKind::Corrupt,
        Effect::Writes => StoreErrorKind::OutcomeUnknown,
    };
    StoreError::new(kind, operation).because("the answer of a script cannot be understood")
}
