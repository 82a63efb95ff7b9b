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
///
/// An error that the server answers with means that nothing was done. A script that fails
/// after its first write does not end in an error: `guarded` in `lua/shared.lua` turns it
/// into an answer. And a server refuses to end a script that has written (`SCRIPT KILL`).
pub(crate) fn store_error(
    operation: &'static str,
    effect: Effect,
    replays: bool,
    error: RedisError,
) -> StoreError {
    let kind = match (meaning(&error), effect) {
        (_, Effect::Writes) if replays => StoreErrorKind::OutcomeUnknown,
        (Meaning::Lost, Effect::Writes) if !error.is_connection_refusal() => {
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

fn meaning(error: &RedisError) -> Meaning {
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
        // A server out of memory or disk, or without its replicas, refuses the first write of
        // a script, and no later one. One that runs somebody else's script refuses the call.
        ErrorKind::Extension => match error.code() {
            Some("OOM" | "MISCONF" | "NOREPLICAS" | "BUSY") => Meaning::NotDone,
            _ => Meaning::Other,
        },
        ErrorKind::Server(ServerErrorKind::ResponseError) if is_killed(error) => Meaning::NotDone,
        _ => Meaning::Other,
    }
}

/// Whether an operator has ended the script. The text has been the same since Redis 2.6.
fn is_killed(error: &RedisError) -> bool {
    error.detail().is_some_and(|text| text.contains("Script killed by user with SCRIPT KILL"))
}

/// The error of an answer that no script of this library gives.
pub(crate) fn odd_answer(operation: &'static str, effect: Effect) -> StoreError {
    let kind = match effect {
        Effect::Reads => StoreErrorKind::Corrupt,
        Effect::Writes => StoreErrorKind::OutcomeUnknown,
    };
    StoreError::new(kind, operation).because("the answer of a script cannot be understood")
}
