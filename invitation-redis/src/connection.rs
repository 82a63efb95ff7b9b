//! Connections to a server or to a cluster.

use std::{fmt, time::Duration};

use redis::{
    Cmd, ErrorKind, IntoConnectionInfo as _, Pipeline, RedisError, RedisResult, ServerErrorKind,
    Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
    cluster::{ClusterClient, ClusterConfig},
    cluster_async::ClusterConnection,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use crate::{keys::Keys, options::RedisOptions, replaceable::Replaceable, script::Script};

/// The maximum number of tries after the first by the cluster client: after a slot has
/// moved or is moving, and after a connection broke.
const RETRIES: u32 = 24;

/// The shortest and the longest pause between two such tries, in milliseconds. All pauses of a call
/// together take about three seconds.
const PAUSES: [u64; 2] = [10, 250];

/// The time without any packet after which the system asks the server's host whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// The longest time that Linux accepts as the TCP user timeout: milliseconds in a signed number.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const LONGEST_USER_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

/// A connection to a server or a cluster, shared by all calls. Clones share it too.
#[derive(Clone)]
pub struct RedisConnection(Kind);

#[derive(Clone)]
enum Kind {
    Single(Replaceable<ConnectionManager>),
    Cluster(Replaceable<ClusterConnection>),
}

impl From<ConnectionManager> for RedisConnection {
    fn from(connection: ConnectionManager) -> Self {
        Self(Kind::Single(Replaceable::of_host(connection)))
    }
}

impl From<ClusterConnection> for RedisConnection {
    fn from(connection: ClusterConnection) -> Self {
        Self(Kind::Cluster(Replaceable::of_host(connection)))
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
            .set_max_delay(Duration::from_millis(PAUSES[1]));
        let address = url.into_connection_info()?.set_tcp_settings(tcp_settings(options));
        let client = redis::Client::open(address)?;
        let first = ConnectionManager::new_with_config(client.clone(), config.clone()).await?;
        let waits = options.confirm().is_some();
        let connect =
            move || ConnectionManager::new_lazy_with_config(client.clone(), config.clone());
        Ok(Self(Kind::Single(Replaceable::opened(first, waits, connect)?)))
    }

    pub(crate) async fn to_cluster(urls: &[&str], options: &RedisOptions) -> RedisResult<Self> {
        let patience = options.patience();
        let client = ClusterClient::builder(urls.iter().copied())
            .retries(RETRIES)
            .min_retry_wait(PAUSES[0])
            .max_retry_wait(PAUSES[1])
            .response_timeout(patience)
            .overall_response_timeout(Some(patience.saturating_mul(2)))
            .connection_timeout(options.connect_timeout())
            .tcp_settings(tcp_settings(options))
            .build()?;
        let first = client.get_async_connection().await?;
        let waits = options.confirm().is_some();
        let connect = move || {
            // It replaces the response timeout of the client.
            let config = ClusterConfig::new().set_response_timeout(patience);
            Ok(client.get_pending_async_connection_with_config(config))
        };
        Ok(Self(Kind::Cluster(Replaceable::opened(first, waits, connect)?)))
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

    /// Sends commands that end with WAIT over one connection. Returns their `count` answers.
    pub(crate) async fn send_confirmed(
        &self,
        commands: &Pipeline,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        match &self.0 {
            Kind::Single(connection) => connection.send_confirmed(commands, count).await,
            Kind::Cluster(connection) => connection.send_confirmed(commands, count).await,
        }
    }

    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let value = match &self.0 {
            Kind::Single(connection) => connection.send(command).await,
            Kind::Cluster(connection) => connection.send(command).await,
        };
        value?.extract_error()
    }

    /// Sends a command to every server that accepts writes. Returns each server's name and
    /// answer.
    pub(crate) async fn ask_primaries(&self, command: &Cmd) -> RedisResult<Vec<(String, Value)>> {
        use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};

        match &self.0 {
            Kind::Single(_) => Ok(vec![("the server".to_owned(), self.send(command).await?)]),
            Kind::Cluster(connection) => {
                let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                let answers = connection.plain().route_command(command.clone(), all).await?;
                let answers = answers.extract_error()?;
                let of_each = answers.into_map_iter().map_err(|_| {
                    RedisError::from((ErrorKind::UnexpectedReturnType, "no answer of each node"))
                })?;
                Ok(of_each.map(|(node, answer)| (name(&node), answer)).collect())
            }
        }
    }
}

/// Returns settings that find out about a host that is gone. Without them, the system keeps a
/// connection for many minutes.
fn tcp_settings(options: &RedisOptions) -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    let settings = TcpSettings::default();
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let (keepalive, settings) = {
        let unacknowledged = options.patience().clamp(Duration::from_secs(1), LONGEST_USER_TIMEOUT);
        (keepalive.with_interval(KEEPALIVE / 3), settings.set_user_timeout(unacknowledged))
    };
    #[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
    let _ = options;
    settings.set_keepalive(keepalive)
}

fn name(node: &Value) -> String {
    match node {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        _ => "a node".to_owned(),
    }
}

pub(crate) fn evaluation(command: &str, what: &str, keys: &Keys, arguments: &[Vec<u8>]) -> Cmd {
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

pub(crate) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
