//! From the client's errors to the port's.

use invitation_core::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Too few replicas have a change, so that it may be lost when the primary fails. It was
/// made nevertheless: the source of an error of the kind
/// [`OutcomeUnknown`](StoreErrorKind::OutcomeUnknown).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unconfirmed: {confirmed} of {wanted} replicas have it")]
#[non_exhaustive]
pub struct Unconfirmed {
    /// How many were to have it.
    pub wanted: u32,
    /// How many said that they do.
    pub confirmed: u32,
}

/// What a script does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    Reads,
    Writes,
}

/// What `error` means for a call. `replays` says whether the client may have sent it
/// more than once: then the last error does not tell what became of the first try.
pub(crate) fn store_error(
    operation: &'static str,
    effect: Effect,
    replays: bool,
    error: RedisError,
) -> StoreError {
    let kind = match (kind(&error), effect) {
        (Meaning::NotDone, Effect::Writes) if replays => StoreErrorKind::OutcomeUnknown,
        (Meaning::Lost, Effect::Writes) if replays || !error.is_connection_refusal() => {
            StoreErrorKind::OutcomeUnknown
        }
        (Meaning::NotDone | Meaning::Lost, _) => StoreErrorKind::Unavailable,
        (Meaning::NotUnderstood, Effect::Writes) => StoreErrorKind::OutcomeUnknown,
        (Meaning::NotUnderstood, Effect::Reads) => StoreErrorKind::Corrupt,
        (Meaning::Other, _) => StoreErrorKind::Other,
    };
    StoreError::new(kind, operation).because(error)
}

enum Meaning {
    /// The server said that it did nothing, and that it may later.
    NotDone,
    /// There was no answer.
    Lost,
    /// There was one, but which?
    NotUnderstood,
    /// The server said that it did nothing, and will not.
    Other,
}

fn kind(error: &RedisError) -> Meaning {
    match error.kind() {
        ErrorKind::Io => Meaning::Lost,
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Meaning::NotUnderstood,
        ErrorKind::ClusterConnectionNotFound
        | ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::NoScript
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        ) => Meaning::NotDone,
        // A server out of memory or disk, without its replicas, or in somebody's script
        // refuses a script before its first write.
        ErrorKind::Extension => match error.code() {
            Some("OOM" | "MISCONF" | "NOREPLICAS" | "BUSY") => Meaning::NotDone,
            _ => Meaning::Other,
        },
        _ => Meaning::Other,
    }
}

/// The error of an answer that no script of this library gives.
pub(crate) fn odd_answer(operation: &'static str, effect: Effect) -> StoreError {
    let kind = match effect {
        Effect::Reads => StoreErrorKind::Corrupt,
        Effect::Writes => StoreErrorKind::OutcomeUnknown,
    };
    StoreError::new(kind, operation).because("the answer of a script cannot be understood")
}
