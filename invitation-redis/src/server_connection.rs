//! A connection to one server, which is replaced after a failover.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    Cmd, Pipeline, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike as _, ConnectionManager},
};

/// The shortest time between two replacements. The address may lead to a replica for a while.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection to one server. Clones share it.
///
/// The client connects anew only when the connection breaks. After a failover, the former primary
/// may keep it open as a replica, while the address leads to the new primary. So this replaces the
/// connection when the server answers as a replica does.
#[derive(Clone)]
pub(crate) struct ServerConnection {
    manager: ConnectionManager,
    replaced_at: Arc<Mutex<Option<Instant>>>,
}

impl ServerConnection {
    pub(crate) fn new(manager: ConnectionManager) -> Self {
        Self { manager, replaced_at: Arc::default() }
    }

    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let answer = self.manager.clone().req_packed_command(command).await?;
        self.leave_replica(&answer).await;
        Ok(answer)
    }

    /// Sends commands over the same connection. Returns their `count` answers.
    pub(crate) async fn send_all(
        &self,
        commands: &Pipeline,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let answers = self.manager.clone().req_packed_commands(commands, 0, count).await?;
        if let Some(first) = answers.first() {
            self.leave_replica(first).await;
        }
        Ok(answers)
    }

    /// Replaces the connection if this is the answer of a replica.
    async fn leave_replica(&self, answer: &Value) {
        if !is_of_replica(answer) || !self.may_replace() {
            return;
        }
        let mut manager = self.manager.clone();
        // The server closes the connection. Calls that share it and are sent after this get no
        // answer.
        manager.req_packed_command(&redis::cmd("QUIT")).await.ok();
        // The client finds out with the next command, and begins to connect. So the next call
        // already waits for the new connection.
        manager.req_packed_command(&redis::cmd("TIME")).await.ok();
    }

    /// Returns whether no caller has replaced the connection just before.
    fn may_replace(&self) -> bool {
        let mut replaced_at = self.replaced_at.lock().unwrap_or_else(PoisonError::into_inner);
        if replaced_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return false;
        }
        *replaced_at = Some(Instant::now());
        true
    }
}

/// Returns whether only a replica gives this answer: it refuses writes, or, without a connection
/// to its primary, all commands.
fn is_of_replica(answer: &Value) -> bool {
    use ServerErrorKind::{MasterDown, ReadOnly};

    matches!(answer, Value::ServerError(error) if matches!(error.kind(), Some(ReadOnly | MasterDown)))
}
