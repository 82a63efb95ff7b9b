//! MariaDB Galera: several servers that form one database.

use std::{
    io,
    path::Path,
    process::Command,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use crate::{
    database_name,
    mariadb::{self, MariaDbProgram, query, url},
    network::free_ports,
    programs::missing,
    server::{Disk, Program, Server, Setup, try_thrice},
};

const PACKAGE: &str = "galera-4";
const LIBRARY: &str = "/usr/lib/galera/libgalera_smm.so";

/// A private cluster of three nodes. Each node accepts writes; reads see earlier commits of
/// every node (`wsrep_sync_wait = 7`).
#[derive(Debug)]
pub struct Galera {
    nodes: [Node; 3],
}

#[derive(Debug)]
struct Node {
    server: Server<NodeProgram>,
    cluster: u16,
}

impl Galera {
    /// Starts a cluster that does not wait for the disk.
    ///
    /// # Errors
    ///
    /// When programs are missing, or a node has not joined within 60 seconds. The error
    /// contains the end of its log.
    pub fn start() -> io::Result<Self> {
        try_thrice(|| {
            let first = Node::start(None)?;
            let second = Node::start(Some(first.cluster))?;
            let third = Node::start(Some(first.cluster))?;
            Ok(Self { nodes: [first, second, third] })
        })
    }

    /// Returns the cluster that all tests of this program share.
    ///
    /// # Panics
    ///
    /// When the cluster cannot be started.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Galera> =
            LazyLock::new(|| Galera::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    /// Returns the URLs of a database, one for each node.
    #[must_use]
    pub fn urls(&self, database: &str) -> [String; 3] {
        self.nodes.each_ref().map(|node| url(node.server.port(), database))
    }

    /// Creates a database for one test, and returns its URLs. Every node has the database
    /// by then.
    ///
    /// # Panics
    ///
    /// When the database cannot be created.
    #[must_use]
    pub fn create_database(&self) -> [String; 3] {
        let name = database_name();
        let [first, others @ ..] = &self.nodes;
        let made = query(first.server.port(), &format!("CREATE DATABASE {name}"));
        let seen = others.iter().try_for_each(|node| {
            // This query waits for earlier commits of the other nodes.
            query(
                node.server.port(),
                &format!("SELECT 1 FROM information_schema.tables LIMIT 1; USE {name}"),
            )
            .map(|_| ())
        });
        made.map(|_| ()).and(seen).unwrap_or_else(|error| panic!("{error}"));
        self.urls(&name)
    }
}

impl Node {
    fn start(join: Option<u16>) -> io::Result<Self> {
        let [port, cluster, incremental, transfer] = free_ports()?;
        let options = NodeOptions { join, cluster, incremental, transfer };
        Server::start_on(port, Disk::Unsynced, &options).map(|server| Self { server, cluster })
    }
}

/// A MariaDB server as a node of a cluster.
#[derive(Debug)]
enum NodeProgram {}

/// The peer that a node joins, and its ports beside that for clients.
#[derive(Default)]
struct NodeOptions {
    join: Option<u16>,
    cluster: u16,
    incremental: u16,
    transfer: u16,
}

impl Program for NodeProgram {
    type Options = NodeOptions;

    const USER: &'static str = MariaDbProgram::USER;
    const PATIENCE: Duration = Duration::from_mins(1);

    fn prepare(setup: &Setup<'_>, options: &NodeOptions) -> io::Result<Command> {
        if !Path::new(LIBRARY).is_file() {
            return Err(missing("libgalera_smm.so", PACKAGE));
        }
        let NodeOptions { join, cluster, incremental, transfer } = options;
        let mut command = mariadb::prepare(setup)?;
        let peers = join.map(|peer| format!("127.0.0.1:{peer}")).unwrap_or_default();
        command.args(["--wsrep-on=ON", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2"]);
        command.arg(format!("--wsrep-provider={LIBRARY}"));
        command.arg(format!("--wsrep-cluster-address=gcomm://{peers}"));
        command.arg(format!(
            "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{cluster};\
             ist.recv_addr=127.0.0.1:{incremental};gcache.size=32M"
        ));
        command.args(["--wsrep-sst-method=rsync", "--wsrep-node-address=127.0.0.1"]);
        command.arg(format!("--wsrep-sst-receive-address=127.0.0.1:{transfer}"));
        command.arg("--wsrep-sync-wait=7");
        Ok(command)
    }

    fn is_ready(port: u16) -> bool {
        query(port, "SHOW STATUS LIKE 'wsrep_ready'").is_ok_and(|answer| answer.ends_with("ON"))
    }

    fn shared() -> &'static OnceLock<Server<Self>> {
        static SHARED: OnceLock<Server<NodeProgram>> = OnceLock::new();
        &SHARED
    }
}
