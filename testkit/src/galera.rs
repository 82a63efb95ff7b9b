//! MariaDB Galera: several servers that form one database.

use std::{io, path::Path, sync::LazyLock, time::Duration};

use crate::{
    Disk, database_name,
    mariadb::{command, initialise, query, url},
    network::free_ports,
    programs::{RunAs, missing},
    server::{Folder, Server, try_thrice},
};

const PACKAGE: &str = "galera-4";
const LIBRARY: &str = "/usr/lib/galera/libgalera_smm.so";
const PATIENCE: Duration = Duration::from_mins(1);

/// A private cluster of three nodes. Each node accepts writes; reads see earlier commits of
/// every node (`wsrep_sync_wait = 7`).
#[derive(Debug)]
pub struct Galera {
    nodes: [Node; 3],
}

#[derive(Debug)]
struct Node {
    // Dropping it ends the node.
    _server: Server,
    port: u16,
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
        self.nodes.each_ref().map(|node| url(node.port, database))
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
        let made = query(first.port, &format!("CREATE DATABASE {name}"));
        let seen = others.iter().try_for_each(|node| {
            // This query waits for earlier commits of the other nodes.
            query(
                node.port,
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
        let user = RunAs::instead_of_root("mysql")?;
        if !Path::new(LIBRARY).is_file() {
            return Err(missing("libgalera_smm.so", PACKAGE));
        }
        let folder = Folder::new(&user)?;
        initialise(&user, &folder)?;
        let [port, cluster, incremental, transfer] = free_ports()?;
        let mut command = command(&user, folder.path(), port, Disk::Unsynced)?;
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
        let is_ready = || {
            query(port, "SHOW STATUS LIKE 'wsrep_ready'").is_ok_and(|answer| answer.ends_with("ON"))
        };
        let server = Server::start(folder, &command, "KILL", PATIENCE, None, is_ready)?;
        Ok(Self { _server: server, port, cluster })
    }
}
