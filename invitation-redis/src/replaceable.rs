//! Connections that are replaced when they lead to a server that no longer serves them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike, ConnectionManager},
    cluster_async::ClusterConnection,
};
use tokio::runtime::Handle;

/// The shortest time between two replacements. The address may lead to a replica for a while.
const PAUSE: Duration = Duration::from_secs(1);

/// The number of calls in a row without an answer in time after which a connection is replaced.
const MAX_TIMEOUTS: u32 = 2;

/// The time after which an unfinished call that its caller gives up counts as one without an answer
/// in time. Otherwise a host whose own time limit is shorter would never leave a server.
const GIVEN_UP: Duration = Duration::from_secs(1);

/// A client of the Redis crate, which itself connects anew after a connection broke.
pub(crate) trait Reconnecting: ConnectionLike + Clone + Send {
    /// Returns whether the client cannot connect, and will not try again.
    fn has_given_up(error: &RedisError) -> bool;
}

impl Reconnecting for ConnectionManager {
    /// The client tries again only after an I/O error. An error of a command is not an error of
    /// the call, but its answer.
    fn has_given_up(error: &RedisError) -> bool {
        error.kind() != ErrorKind::Io
    }
}

impl Reconnecting for ClusterConnection {
    fn has_given_up(error: &RedisError) -> bool {
        error.kind() == ErrorKind::AuthenticationFailed
    }
}

/// The calls that share a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    /// Calls without WAIT.
    Plain,
    /// Pipelines that end in WAIT, which blocks everything behind it on its connection.
    Confirmed,
}

type Connect<C> = Arc<dyn Fn() -> RedisResult<C> + Send + Sync>;

/// The connections of a store to one server or one cluster. Clones share them.
///
/// The client connects anew only when a connection breaks. Three losses do not break it:
///
/// - The address leads to the new primary, and the former one keeps the connection open as a
///   replica.
/// - The server hangs, or its host or the network is gone: no packet closes the connection.
/// - The server refused the password when the client connected again.
///
/// After each of them, all connections are replaced. A connection of the host cannot be replaced,
/// because only the host knows the address. A server that answers as a replica is then asked to
/// close it.
#[derive(Clone)]
pub(crate) struct Replaceable<C> {
    current: Arc<Mutex<Current<C>>>,
    connect: Option<Connect<C>>,
}

struct Current<C> {
    plain: Observed<C>,
    /// Absent if the store does not wait for replicas, or uses a connection of the host.
    confirmed: Option<Observed<C>>,
    replacements: u64,
    replaced_at: Option<Instant>,
}

struct Observed<C> {
    connection: C,
    timeouts: u32,
}

/// A call over one of the connections.
struct Call<'a, C: Reconnecting> {
    of: &'a Replaceable<C>,
    connection: C,
    purpose: Use,
    /// The number of replacements before the call.
    replacements: u64,
    begun: Instant,
    is_finished: bool,
}

/// What the result of a call says about its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sign {
    /// It works, or the client connects anew on its own.
    Fine,
    Timeout,
    Replica,
    /// The client has given up connecting.
    Unconnected,
}

/// How a connection is replaced after a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Replacement {
    None,
    Done,
    /// The client of the host connects anew when the server closes the connection.
    ByHost,
}

impl<C: Reconnecting> Replaceable<C> {
    /// Keeps a connection of the host.
    pub(crate) fn of_host(connection: C) -> Self {
        let current = Current::new(connection, None);
        Self { current: Arc::new(Mutex::new(current)), connect: None }
    }

    /// Keeps a connection, and creates others by `connect`, which must not wait for the server. If
    /// `waits_for_replicas`, one of them is created at once.
    pub(crate) fn opened(
        first: C,
        waits_for_replicas: bool,
        connect: impl Fn() -> RedisResult<C> + Send + Sync + 'static,
    ) -> RedisResult<Self> {
        let confirmed = waits_for_replicas.then(&connect).transpose()?;
        let current = Current::new(first, confirmed);
        Ok(Self { current: Arc::new(Mutex::new(current)), connect: Some(Arc::new(connect)) })
    }

    /// Returns the connection for calls without WAIT.
    pub(crate) fn plain(&self) -> C {
        self.lock().plain.connection.clone()
    }

    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let mut call = self.begin(Use::Plain);
        let answer = call.connection.req_packed_command(command).await;
        call.finish(Sign::of::<C>(answer.as_ref().map(Some))).await;
        answer
    }

    /// Sends commands that end with WAIT. Returns their `count` answers.
    pub(crate) async fn send_confirmed(
        &self,
        commands: &Pipeline,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut call = self.begin(Use::Confirmed);
        let answers = call.connection.req_packed_commands(commands, 0, count).await;
        call.finish(Sign::of::<C>(answers.as_ref().map(|answers| answers.first()))).await;
        answers
    }

    fn lock(&self) -> MutexGuard<'_, Current<C>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, purpose: Use) -> Call<'_, C> {
        let mut current = self.lock();
        let replacements = current.replacements;
        let connection = current.observed(purpose).connection.clone();
        let begun = Instant::now();
        Call { of: self, connection, purpose, replacements, begun, is_finished: false }
    }

    /// Counts timeouts, and replaces all connections if this one leads to no primary.
    fn observe(&self, purpose: Use, replacements: u64, sign: Sign) -> Replacement {
        let mut current = self.lock();
        if current.replacements != replacements {
            return Replacement::None;
        }
        let observed = current.observed(purpose);
        observed.timeouts =
            if sign == Sign::Timeout { observed.timeouts.saturating_add(1) } else { 0 };
        let is_lost = match sign {
            Sign::Fine => false,
            Sign::Timeout => observed.timeouts >= MAX_TIMEOUTS,
            Sign::Replica | Sign::Unconnected => true,
        };
        if !is_lost || current.replaced_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return Replacement::None;
        }
        let replaced_at = Some(Instant::now());
        let Some(connect) = &self.connect else {
            if sign != Sign::Replica {
                return Replacement::None;
            }
            current.replaced_at = replaced_at;
            return Replacement::ByHost;
        };
        let has_confirmed = current.confirmed.is_some();
        // Calls in flight keep their connection until they end.
        if let (Ok(plain), Ok(confirmed)) =
            (connect(), has_confirmed.then(|| connect()).transpose())
        {
            let replacements = replacements.wrapping_add(1);
            *current = Current { replacements, replaced_at, ..Current::new(plain, confirmed) };
        }
        Replacement::Done
    }
}

impl<C: Reconnecting> Call<'_, C> {
    async fn finish(mut self, sign: Sign) {
        self.is_finished = true;
        if self.of.observe(self.purpose, self.replacements, sign) == Replacement::ByHost {
            quit(self.connection.clone()).await;
        }
    }
}

impl<C: Reconnecting> Drop for Call<'_, C> {
    fn drop(&mut self) {
        // A new connection needs the runtime, which may have ended by now.
        let has_runtime = Handle::try_current().is_ok();
        if !self.is_finished && has_runtime && self.begun.elapsed() >= GIVEN_UP {
            self.of.observe(self.purpose, self.replacements, Sign::Timeout);
        }
    }
}

impl Sign {
    /// Reads the result of a call, or of its first command.
    fn of<C: Reconnecting>(result: Result<Option<&Value>, &RedisError>) -> Self {
        match result {
            Ok(Some(answer)) if is_of_replica(answer) => Self::Replica,
            Err(error) if error.is_timeout() => Self::Timeout,
            Err(error) if C::has_given_up(error) => Self::Unconnected,
            _ => Self::Fine,
        }
    }
}

impl<C> Current<C> {
    fn new(plain: C, confirmed: Option<C>) -> Self {
        let observed = |connection| Observed { connection, timeouts: 0 };
        let (plain, confirmed) = (observed(plain), confirmed.map(observed));
        Self { plain, confirmed, replacements: 0, replaced_at: None }
    }

    fn observed(&mut self, purpose: Use) -> &mut Observed<C> {
        match (purpose, &mut self.confirmed) {
            (Use::Confirmed, Some(confirmed)) => confirmed,
            _ => &mut self.plain,
        }
    }
}

/// Asks the server to close a connection, so that the client connects anew.
async fn quit(mut connection: impl ConnectionLike) {
    // Calls that share the connection and are sent after this get no answer.
    connection.req_packed_command(&redis::cmd("QUIT")).await.ok();
    // The client finds out with the next command, and begins to connect. So the next call already
    // waits for the new connection.
    connection.req_packed_command(&redis::cmd("TIME")).await.ok();
}

/// Returns whether only a replica gives this answer: it refuses writes, or, without a connection
/// to its primary, all commands.
fn is_of_replica(answer: &Value) -> bool {
    use ServerErrorKind::{MasterDown, ReadOnly};

    matches!(answer, Value::ServerError(error) if matches!(error.kind(), Some(ReadOnly | MasterDown)))
}
