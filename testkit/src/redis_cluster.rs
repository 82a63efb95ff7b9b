//! A private Redis Cluster.

use std::{io, sync::LazyLock};

use crate::{
    network::free_ports,
    redis::Redis,
    server::{Disk, owned, try_thrice, wait_until},
};

/// The number of nodes with slots; each has a replica.
const PRIMARIES: usize = 3;
const SLOTS: u16 = 16_384;

/// A cluster of three primaries with a replica each. It ends when this is dropped or the
/// program ends.
#[derive(Debug)]
pub struct RedisCluster {
    /// The primaries, then their replicas in the same order.
    nodes: Vec<Redis>,
    /// The node ids by which the nodes know each other.
    ids: Vec<String>,
}

impl RedisCluster {
    /// Starts a cluster that keeps everything in memory only, and waits until every node
    /// knows that all slots are served.
    ///
    /// # Errors
    ///
    /// When its programs are missing, or the cluster is not ready within 20 seconds.
    pub fn start() -> io::Result<Self> {
        try_thrice(Self::once)
    }

    /// Returns the cluster that all tests of this program share.
    ///
    /// # Panics
    ///
    /// When the cluster cannot be started.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<RedisCluster> =
            LazyLock::new(|| RedisCluster::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    fn once() -> io::Result<Self> {
        let ports: [u16; 4 * PRIMARIES] = free_ports()?;
        let (ports, buses) = ports.split_at(2 * PRIMARIES);
        let mut nodes = Vec::new();
        for (port, bus) in ports.iter().zip(buses) {
            let bus = bus.to_string();
            let settings = [
                ("cluster-enabled", "yes"),
                ("cluster-port", &bus),
                ("cluster-node-timeout", "2000"),
                ("cluster-config-file", "nodes.conf"),
            ];
            nodes.push(Redis::start_on(*port, Disk::Unsynced, &owned(&settings))?);
        }
        let ids = nodes.iter().map(|node| node.ask(&["CLUSTER", "MYID"]));
        let ids = ids.collect::<io::Result<Vec<_>>>()?;
        let cluster = Self { nodes, ids };
        cluster.assemble(buses)?;
        Ok(cluster)
    }

    fn assemble(&self, buses: &[u16]) -> io::Result<()> {
        let share = SLOTS.div_ceil(u16::try_from(PRIMARIES).unwrap_or(1));
        let mut first = 0;
        for primary in &self.nodes[..PRIMARIES] {
            let last = (first + share).min(SLOTS) - 1;
            primary.ask(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()])?;
            first = last + 1;
        }
        let host = &self.nodes[0];
        for (node, bus) in self.nodes.iter().zip(buses).skip(1) {
            let (port, bus) = (node.port().to_string(), bus.to_string());
            host.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
        }
        wait_until("all nodes know each other", || {
            self.each_says(|node| {
                let known = node.ask(&["CLUSTER", "NODES"])?;
                Ok(self.ids.iter().all(|id| known.contains(id)) && !known.contains("handshake"))
            })
        })?;
        for (replica, primary) in self.nodes[PRIMARIES..].iter().zip(&self.ids) {
            replica.ask(&["CLUSTER", "REPLICATE", primary])?;
        }
        wait_until("the cluster serves all slots, and has all replicas", || {
            self.each_says(|node| {
                let info = node.ask(&["CLUSTER", "INFO"])?;
                let nodes = node.ask(&["CLUSTER", "NODES"])?;
                let replicas = nodes.lines().filter(|line| line.contains("slave")).count();
                Ok(info.contains("cluster_state:ok") && replicas == PRIMARIES)
            })
        })
    }

    fn each_says(&self, so: impl Fn(&Redis) -> io::Result<bool>) -> io::Result<bool> {
        for node in &self.nodes {
            if !so(node)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the URLs of the nodes.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// Returns the nodes: the initial primaries, then their replicas.
    #[must_use]
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// Returns the index of the primary that serves the slot of a key.
    ///
    /// # Errors
    ///
    /// When a node cannot be reached.
    pub fn primary_of(&self, key: &str) -> io::Result<usize> {
        // A node that does not serve the slot answers with an error.
        let serves = |node: &Redis| node.ask(&["EXISTS", key]).is_ok();
        let found = self.nodes[..PRIMARIES].iter().position(serves);
        found.ok_or_else(|| io::Error::other("no primary serves that key"))
    }

    fn slot_of(&self, key: &str) -> io::Result<String> {
        self.nodes[0].ask(&["CLUSTER", "KEYSLOT", key])
    }

    /// Moves the slot of a key to another primary, key by key, as an operator would, while
    /// the cluster is in use.
    ///
    /// # Errors
    ///
    /// When a node refuses a command.
    pub fn move_slot_of(&self, key: &str, to: usize) -> io::Result<()> {
        let slot = self.slot_of(key)?;
        let from = self.primary_of(key)?;
        if from == to {
            return Ok(());
        }
        self.announce_move(&slot, from, to)?;
        loop {
            let keys = self.nodes[from].ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "1"])?;
            let Some(key) = keys.lines().next().filter(|key| !key.is_empty()) else { break };
            self.move_key(key, from, to)?;
        }
        // The target first: otherwise the slot would briefly have no owner.
        self.nodes[to].ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &self.ids[to]])?;
        for node in &self.nodes[..PRIMARIES] {
            node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &self.ids[to]])?;
        }
        Ok(())
    }

    /// Begins to move the slot of a key to another primary, and moves this key only.
    /// [`move_slot_of`](Self::move_slot_of) moves the others.
    ///
    /// # Errors
    ///
    /// When a node refuses a command.
    pub fn begin_to_move_slot_of(&self, key: &str, to: usize) -> io::Result<()> {
        let from = self.primary_of(key)?;
        self.announce_move(&self.slot_of(key)?, from, to)?;
        self.move_key(key, from, to)
    }

    fn announce_move(&self, slot: &str, from: usize, to: usize) -> io::Result<()> {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        target.ask(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &self.ids[from]])?;
        source.ask(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &self.ids[to]])?;
        Ok(())
    }

    fn move_key(&self, key: &str, from: usize, to: usize) -> io::Result<()> {
        let port = self.nodes[to].port().to_string();
        self.nodes[from].ask(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"])?;
        Ok(())
    }
}
