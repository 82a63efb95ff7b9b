//! Connections to a server or to a cluster.

use std::{fmt, time::Duration};

use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike as _, ConnectionManager, ConnectionManagerConfig},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
};

use crate::{
    keys::Keys,
    options::{Confirm, RedisOptions},
    script::Script,
    server_connection::ServerConnection,
};

/// The maximum number of tries after the first by the cluster client: after a slot has
/// moved or is moving, and after a connection broke.
const RETRIES: u32 = 8;

/// The longest pause between two such tries, in milliseconds.
const LONGEST_PAUSE: u64 = 250;

/// A connection to a server or a cluster, shared by all calls. Clones share it too.
#[derive(Clone)]
pub struct RedisConnection(Kind);

#[derive(Clone)]
enum Kind {
    Single(ServerConnection),
    Cluster(ClusterConnection),
}

impl From<ConnectionManager> for RedisConnection {
    fn from(connection: ConnectionManager) -> Self {
        Self(Kind::Single(ServerConnection::new(connection)))
    }
}

impl From<ClusterConnection> for RedisConnection {
    fn from(connection: ClusterConnection) -> Self {
        Self(Kind::Cluster(connection))
    }
}

impl fmt::Debug for RedisConnection {
    /// Prints only the kind of connection, because addresses may contain passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Single(_) => "RedisConnection(server)",
            Kind::Cluster(_) => "RedisConnection(cluster)",
        })
    }
}

impl RedisConnection {
    pub(crate) async fn to_server(url: &str, options: &RedisOptions) -> RedisResult<Self> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(options.patience()))
            .set_connection_timeout(Some(options.connect_timeout()))
            .set_number_of_retries(2)
            .set_max_delay(Duration::from_millis(LONGEST_PAUSE));
        let client = redis::Client::open(url)?;
        Ok(ConnectionManager::new_with_config(client, config).await?.into())
    }

    pub(crate) async fn to_cluster(urls: &[&str], options: &RedisOptions) -> RedisResult<Self> {
        let overall = options.patience().saturating_mul(2);
        let client = ClusterClient::builder(urls.iter().copied())
            .retries(RETRIES)
            .max_retry_wait(LONGEST_PAUSE)
            .response_timeout(options.patience())
            .overall_response_timeout(Some(overall))
            .connection_timeout(options.connect_timeout())
            .build()?;
        Ok(client.get_async_connection().await?.into())
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.0, Kind::Cluster(_))
    }

    /// Returns whether the client may send a command more than once.
    pub(crate) fn replays(&self) -> bool {
        self.is_cluster()
    }

    /// Runs a script. If the server does not know it, sends its source as well.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &Keys,
        arguments: &[Vec<u8>],
    ) -> RedisResult<Value> {
        match self.send(&evaluation("EVALSHA", script.hash(), keys, arguments)).await {
            Err(error) if is_unknown_script(&error) => {
                self.send(&evaluation("EVAL", script.source(), keys, arguments)).await
            }
            answered => answered,
        }
    }

    /// Runs a script and WAIT over the same connection, because WAIT covers only writes of
    /// its own connection. Returns the answer of the script, and the number of replicas
    /// that confirmed it or the error of WAIT.
    pub(crate) async fn run_confirmed(
        &self,
        script: &Script,
        keys: &Keys,
        arguments: &[Vec<u8>],
        confirm: Confirm,
    ) -> RedisResult<(Value, RedisResult<u32>)> {
        let mut by_hash = true;
        for _ in 0..RETRIES {
            let (command, what) =
                if by_hash { ("EVALSHA", script.hash()) } else { ("EVAL", script.source()) };
            let evaluation = evaluation(command, what, keys, arguments);
            match self.send_with_wait(&evaluation, confirm).await {
                Err(error) if is_unknown_script(&error) => by_hash = false,
                // The cluster client does not redirect a pipeline of several commands. It
                // redirects a single command, and learns the new node of the slot from it.
                Err(error) if self.is_cluster() && is_elsewhere(&error) => {
                    self.send(redis::cmd("EXISTS").arg(&keys.all()[0])).await?;
                }
                answered => return answered,
            }
        }
        let gave_up = (ErrorKind::Server(ServerErrorKind::TryAgain), "the slot is on its way");
        Err(RedisError::from(gave_up))
    }

    async fn send_with_wait(
        &self,
        evaluation: &Cmd,
        confirm: Confirm,
    ) -> RedisResult<(Value, RedisResult<u32>)> {
        let millis = u64::try_from(confirm.timeout.as_millis()).unwrap_or(u64::MAX);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.add_command(evaluation.clone());
        pipeline.cmd("WAIT").arg(confirm.replicas.get()).arg(millis);
        let values = match self.0.clone() {
            Kind::Single(connection) => connection.send_all(&pipeline, 2).await,
            Kind::Cluster(mut connection) => connection.req_packed_commands(&pipeline, 0, 2).await,
        };
        let [answer, confirmed] = <[Value; 2]>::try_from(values?)
            .map_err(|_| (ErrorKind::UnexpectedReturnType, "two commands, but not two answers"))?;
        let answer = answer.extract_error()?;
        Ok((answer, confirmations(confirmed)))
    }

    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let value = match self.0.clone() {
            Kind::Single(connection) => connection.send(command).await,
            Kind::Cluster(mut connection) => connection.req_packed_command(command).await,
        };
        value?.extract_error()
    }

    /// Sends a command to every server that accepts writes. Returns each server's name and
    /// answer.
    pub(crate) async fn ask_primaries(&self, command: &Cmd) -> RedisResult<Vec<(String, Value)>> {
        use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};

        match self.0.clone() {
            Kind::Single(_) => Ok(vec![("the server".to_owned(), self.send(command).await?)]),
            Kind::Cluster(mut connection) => {
                let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                let answers = connection.route_command(command.clone(), all).await?;
                let answers = answers.extract_error()?;
                let of_each = answers.into_map_iter().map_err(|_| {
                    RedisError::from((ErrorKind::UnexpectedReturnType, "no answer of each node"))
                })?;
                Ok(of_each.map(|(node, answer)| (name(&node), answer)).collect())
            }
        }
    }
}

/// Reads the answer of WAIT. An error of WAIT says nothing about the change, which is
/// already made.
fn confirmations(answer: Value) -> RedisResult<u32> {
    redis::from_redis_value(answer.extract_error()?).map_err(RedisError::from)
}

fn name(node: &Value) -> String {
    match node {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        _ => "a node".to_owned(),
    }
}

fn evaluation(command: &str, what: &str, keys: &Keys, arguments: &[Vec<u8>]) -> Cmd {
    let mut evaluation = redis::cmd(command);
    evaluation.arg(what).arg(keys.all().len());
    for key in keys.all() {
        evaluation.arg(key);
    }
    for argument in arguments {
        evaluation.arg(argument.as_slice());
    }
    evaluation
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

fn is_elsewhere(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, Moved, ReadOnly, TryAgain};

    matches!(error.kind(), ErrorKind::Server(Moved | Ask | TryAgain | ReadOnly))
}
