//! Script calls and their answers.

use invitation_core::{StoreError, StoreErrorKind};
use redis::{RedisError, Value};

use crate::{
    confirm::Confirming,
    connection::RedisConnection,
    error::{Effect, Unconfirmed, odd_answer, store_error},
    keys::Keys,
    script::Script,
};

type Result<T> = std::result::Result<T, StoreError>;

/// A namespace on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    pub(crate) connection: RedisConnection,
    pub(crate) keys: Keys,
    pub(crate) confirm: Option<Confirming>,
}

impl Calls {
    /// Returns whether a script that writes nothing has to write a marker field, so that
    /// WAIT has a write to confirm.
    pub(crate) fn touches(&self) -> bool {
        self.confirm.is_some()
    }

    pub(crate) async fn read(
        &self,
        operation: &'static str,
        script: &Script,
        arguments: &[Vec<u8>],
    ) -> Result<Value> {
        let answered = self.connection.run(script, &self.keys, arguments).await;
        answered.map_err(|error| {
            store_error(operation, Effect::Reads, self.connection.replays(), error)
        })
    }

    pub(crate) async fn write(
        &self,
        operation: &'static str,
        script: &Script,
        arguments: &[Vec<u8>],
    ) -> Result<Value> {
        let answered = self.try_write(script, arguments).await;
        answered.map_err(|failed| failed.of(operation))
    }

    pub(crate) async fn try_write(
        &self,
        script: &Script,
        arguments: &[Vec<u8>],
    ) -> std::result::Result<Value, Failed> {
        let replays = self.connection.replays();
        let failed = |error| Failed::Call { error, replays };
        let Some(confirm) = &self.confirm else {
            let answered = self.connection.run(script, &self.keys, arguments).await;
            return unless_stopped(answered.map_err(failed)?);
        };
        let answered = confirm.run(&self.connection, script, &self.keys, arguments).await;
        let (answer, confirmed) = answered.map_err(failed)?;
        let answer = unless_stopped(answer)?;
        let wanted = confirm.wanted();
        match confirmed {
            Ok(confirmed) if confirmed >= wanted => Ok(answer),
            Ok(confirmed) => Err(Failed::Confirmation(Unconfirmed { wanted, confirmed })),
            Err(error) => Err(Failed::Wait(error)),
        }
    }
}

/// Returns the answer of a script that writes, or an error if the script failed after a
/// write.
fn unless_stopped(answer: Value) -> std::result::Result<Value, Failed> {
    match answer {
        Value::Array(values) => match <[Value; 2]>::try_from(values) {
            Ok([Value::BulkString(word), Value::BulkString(message)]) if word == b"failed" => {
                Err(Failed::Stopped(String::from_utf8_lossy(&message).into_owned()))
            }
            Ok(two) => Ok(Value::Array(two.into())),
            Err(values) => Ok(Value::Array(values)),
        },
        other => Ok(other),
    }
}

/// The reason why a script that writes has no valid answer. Each operation in the script
/// gets this as its error.
#[derive(Clone, Debug)]
pub(crate) enum Failed {
    Call {
        error: RedisError,
        replays: bool,
    },
    /// A command of the script failed after another one had written.
    Stopped(String),
    Confirmation(Unconfirmed),
    /// WAIT failed, so it is unknown whether replicas have the change.
    Wait(RedisError),
    Odd,
}

impl Failed {
    pub(crate) fn of(self, operation: &'static str) -> StoreError {
        match self {
            Self::Call { error, replays } => store_error(operation, Effect::Writes, replays, error),
            Self::Stopped(message) => unknown(operation).because(message),
            Self::Confirmation(why) => unknown(operation).because(why),
            Self::Wait(error) => unknown(operation).because(error),
            Self::Odd => odd_answer(operation, Effect::Writes),
        }
    }
}

fn unknown(operation: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::OutcomeUnknown, operation)
}

/// Returns the answer of a script that reads.
pub(crate) fn array(operation: &'static str, answer: Value) -> Result<Vec<Value>> {
    match answer {
        Value::Array(values) => Ok(values),
        _ => Err(odd_answer(operation, Effect::Reads)),
    }
}

/// The answer of a script that writes: a status, and the values that follow it.
#[derive(Debug)]
pub(crate) struct Answer {
    operation: &'static str,
    word: Vec<u8>,
    rest: std::vec::IntoIter<Value>,
}

impl Answer {
    pub(crate) fn of(operation: &'static str, value: Value) -> Result<Self> {
        let Value::Array(values) = value else {
            return Err(odd_answer(operation, Effect::Writes));
        };
        let mut rest = values.into_iter();
        match rest.next() {
            Some(Value::BulkString(word)) => Ok(Self { operation, word, rest }),
            _ => Err(odd_answer(operation, Effect::Writes)),
        }
    }

    pub(crate) fn word(&self) -> &[u8] {
        &self.word
    }

    pub(crate) fn odd(&self) -> StoreError {
        odd_answer(self.operation, Effect::Writes)
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.as_slice().is_empty()
    }

    /// Skips a `true` in the answer.
    pub(crate) fn is_true(&mut self) -> bool {
        let is_true = self.rest.as_slice().first() == Some(&Value::Int(1));
        if is_true {
            self.rest.next();
        }
        is_true
    }

    pub(crate) fn opt_bytes(&mut self) -> Result<Option<Vec<u8>>> {
        match self.rest.next() {
            Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
            Some(Value::Nil) | None => Ok(None),
            _ => Err(self.odd()),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>> {
        self.opt_bytes()?.ok_or_else(|| self.odd())
    }

    pub(crate) fn id(&mut self) -> Result<[u8; 16]> {
        self.bytes()?.try_into().map_err(|_| self.odd())
    }

    pub(crate) fn number(&mut self) -> Result<usize> {
        match self.rest.next() {
            Some(Value::Int(number)) => usize::try_from(number).map_err(|_| self.odd()),
            _ => Err(self.odd()),
        }
    }
}
