//! Changes that replicas have to confirm. Concurrent changes share a WAIT.

use std::{io, num::NonZeroUsize, sync::Arc, time::Duration};

use invitation_core::{Batcher, Execute};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, Value};

use crate::{
    connection::{RedisConnection, evaluation, is_unknown_script},
    keys::Keys,
    options::Confirm,
    script::Script,
};

/// The maximum number of scripts that share a WAIT. The server may take the response timeout for
/// all of them.
const MAX_SHARED: NonZeroUsize = NonZeroUsize::new(16).expect("it is not 0");

/// The answer of a script, and the number of replicas that confirmed it or the error of WAIT.
type Confirmed = (RedisResult<Value>, RedisResult<u32>);

/// Sends the changes of a store, and waits for replicas.
///
/// WAIT blocks its connection until the replicas have confirmed or its time is over. So only one
/// is in flight, and the changes that arrive meanwhile share the next. Otherwise, without a
/// replica, each change would wait for all earlier ones, and time out in the client.
#[derive(Clone, Debug)]
pub(crate) struct Confirming {
    confirm: Confirm,
    batcher: Batcher<Arc<Cmd>, RedisResult<Confirmed>>,
}

impl Confirming {
    pub(crate) fn new(confirm: Confirm) -> Self {
        // A slot that is given up would let a second WAIT queue behind a slow one.
        let batcher = Batcher::new(NonZeroUsize::MIN, MAX_SHARED).with_slot_timeout(Duration::MAX);
        Self { confirm, batcher }
    }

    /// Returns the number of replicas that have to confirm a change.
    pub(crate) fn wanted(&self) -> u32 {
        self.confirm.replicas.get()
    }

    /// Runs a script and WAIT over the same connection, because WAIT covers only writes of its
    /// own connection. If the server does not know the script, sends its source as well.
    pub(crate) async fn run(
        &self,
        connection: &RedisConnection,
        script: &Script,
        keys: &Keys,
        arguments: &[Vec<u8>],
    ) -> RedisResult<(Value, RedisResult<u32>)> {
        let submit = async |command, what| {
            let command = Arc::new(evaluation(command, what, keys, arguments));
            let (confirming, connection) = (self.clone(), connection.clone());
            // The call goes on if its caller gives it up. It may carry the scripts of others, which
            // would otherwise be sent again, and its WAIT blocks the connection in any case.
            let call = tokio::spawn(async move {
                let pipelines = Pipelines { connection: &connection, confirm: confirming.confirm };
                confirming.batcher.submit(&command, &pipelines).await
            });
            call.await.unwrap_or_else(|_| Err(interrupted()))
        };
        let (answer, confirmed) = match submit("EVALSHA", script.hash()).await? {
            (Err(error), _) if is_unknown_script(&error) => submit("EVAL", script.source()).await?,
            answered => answered,
        };
        Ok((answer?, confirmed))
    }
}

/// Sends the scripts of a batch, and one WAIT.
struct Pipelines<'a> {
    connection: &'a RedisConnection,
    confirm: Confirm,
}

impl Execute<Arc<Cmd>, RedisResult<Confirmed>> for Pipelines<'_> {
    type Resource = ();

    async fn acquire(&self) -> Result<(), RedisResult<Confirmed>> {
        Ok(())
    }

    async fn execute(&self, (): (), batch: &[&Arc<Cmd>]) -> Vec<Option<RedisResult<Confirmed>>> {
        match self.send(batch).await {
            Ok((answers, confirmed)) => answers
                .into_iter()
                .map(|answer| Some(Ok((answer.extract_error(), confirmed.clone()))))
                .collect(),
            Err(error) => batch.iter().map(|_| Some(Err(error.clone()))).collect(),
        }
    }

    async fn execute_alone(&self, evaluation: &Arc<Cmd>) -> RedisResult<Confirmed> {
        let (mut answers, confirmed) = self.send(&[evaluation]).await?;
        let answer = answers.pop().ok_or_else(missing_answer)?;
        Ok((answer.extract_error(), confirmed))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Pipelines<'_> {
    /// Returns the answer of each script, and the result of WAIT.
    async fn send(&self, batch: &[&Arc<Cmd>]) -> RedisResult<(Vec<Value>, RedisResult<u32>)> {
        let millis = u64::try_from(self.confirm.timeout.as_millis()).unwrap_or(u64::MAX);
        // The client follows a moving slot with ASKING, which the node applies to one command.
        let between = usize::from(self.connection.is_cluster());
        let count = batch.len() + (batch.len() - 1) * between + 1;
        let mut pipeline = Pipeline::with_capacity(count);
        for (n, evaluation) in batch.iter().enumerate() {
            if n > 0 && between > 0 {
                pipeline.cmd("ASKING");
            }
            pipeline.add_command(Cmd::clone(evaluation));
        }
        pipeline.cmd("WAIT").arg(self.confirm.replicas.get()).arg(millis);
        let mut answers = self.connection.send_confirmed(&pipeline, count).await?;
        if answers.len() != count {
            return Err(missing_answer());
        }
        let confirmed = answers.pop().ok_or_else(missing_answer)?;
        let answers = answers.into_iter().step_by(1 + between).collect();
        Ok((answers, confirmations(confirmed)))
    }
}

/// Returns the error of a call whose runtime has ended.
fn interrupted() -> RedisError {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the runtime has ended").into()
}

fn missing_answer() -> RedisError {
    (ErrorKind::UnexpectedReturnType, "a pipeline, but not the answer of each command").into()
}

/// Reads the answer of WAIT. An error of WAIT says nothing about the change, which is
/// already made.
fn confirmations(answer: Value) -> RedisResult<u32> {
    redis::from_redis_value(answer.extract_error()?).map_err(RedisError::from)
}
