//! Calls of scripts, and what their answers mean.

use invitation_core::{StoreError, StoreErrorKind};
use redis::Value;

use crate::{
    connection::RedisConnection,
    error::{Effect, Unconfirmed, odd_answer, store_error},
    keys::Keys,
    options::Confirm,
    script::Script,
};

type Result<T> = std::result::Result<T, StoreError>;

/// A namespace on a connection.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    pub(crate) connection: RedisConnection,
    pub(crate) keys: Keys,
    pub(crate) confirm: Option<Confirm>,
}

impl Calls {
    /// Whether a script that writes nothing is to touch something, so that there is
    /// something to wait for.
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
        let failed =
            |error| store_error(operation, Effect::Writes, self.connection.replays(), error);
        let Some(confirm) = self.confirm else {
            let answered = self.connection.run(script, &self.keys, arguments).await;
            return answered.map_err(failed);
        };
        let answered = self.connection.run_confirmed(script, &self.keys, arguments, confirm).await;
        let (answer, confirmed) = answered.map_err(failed)?;
        let wanted = confirm.replicas.get();
        if confirmed < wanted {
            let why = Unconfirmed { wanted, confirmed };
            return Err(StoreError::new(StoreErrorKind::OutcomeUnknown, operation).because(why));
        }
        Ok(answer)
    }
}

/// The answer of a script that reads.
pub(crate) fn array(operation: &'static str, answer: Value) -> Result<Vec<Value>> {
    match answer {
        Value::Array(values) => Ok(values),
        _ => Err(odd_answer(operation, Effect::Reads)),
    }
}

/// The answer of a script that writes: a word, and what comes with it.
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
