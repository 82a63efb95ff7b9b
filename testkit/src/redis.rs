//! Redis.

use std::{io, process::Command, sync::OnceLock, time::Duration};

use crate::{
    programs::{find, run},
    server::{Disk, Program, Server, Settings, Setup, owned, wait_until},
};

pub(crate) const PACKAGE: &str = "redis-server";

/// A private Redis server. It keeps everything in memory only, unless it is
/// [durable](Server::durable) or its settings say otherwise.
pub type Redis = Server<RedisProgram>;

/// The programs of Redis.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum RedisProgram {}

impl Program for RedisProgram {
    type Options = Settings;

    const USER: &'static str = "redis";
    const PATIENCE: Duration = Duration::from_secs(20);

    fn prepare(setup: &Setup<'_>, settings: &Settings) -> io::Result<Command> {
        let mut command = setup.user.command(&find("redis-server", PACKAGE)?);
        let mut set = |name: &str, value: &str| {
            command.arg(format!("--{name}")).args(value.split(' '));
        };
        set("port", &setup.port.to_string());
        set("bind", "127.0.0.1");
        set("dir", &setup.path().display().to_string());
        if setup.disk == Disk::Durable {
            // Writes to the disk before it answers.
            set("appendonly", "yes");
            set("appendfsync", "always");
        }
        // A replica gets its copy at once, without a delay for further replicas.
        set("repl-diskless-sync-delay", "0");
        // No snapshots: only the append-only log persists data.
        command.arg("--save").arg("");
        for (name, value) in settings {
            command.arg(format!("--{name}")).args(value.split(' '));
        }
        Ok(command)
    }

    fn is_ready(port: u16) -> bool {
        ask(port, &["PING"]).is_ok_and(|answer| answer == "PONG")
    }

    fn shared() -> &'static OnceLock<Redis> {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        &SHARED
    }
}

impl Redis {
    /// Starts a server with more settings.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn with(settings: &[(&str, &str)]) -> io::Result<Self> {
        Self::start_with(Disk::Unsynced, &owned(settings))
    }

    /// Starts a replica of another server, and waits until it has all data.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn replica_of(primary: &Self) -> io::Result<Self> {
        let of = format!("127.0.0.1 {}", primary.port());
        let replica = Self::with(&[("replicaof", &of)])?;
        wait_until("both know that the replica has everything", || {
            let ask = |server: &Self| server.ask(&["INFO", "replication"]);
            Ok(ask(&replica)?.contains("master_link_status:up")
                && ask(primary)?.contains("state=online"))
        })?;
        Ok(replica)
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Sends a command, and returns the answer as text.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with an error.
    pub fn ask(&self, command: &[&str]) -> io::Result<String> {
        ask(self.port(), command)
    }

    /// Waits until this replica has all data that its primary has by now. (WAIT is no
    /// alternative: it only covers the writes of its own connection.)
    ///
    /// # Errors
    ///
    /// When the replica does not catch up within 20 seconds.
    pub fn catch_up_with(&self, primary: &Self) -> io::Result<()> {
        let offset = |server: &Self, name: &str| -> io::Result<u64> {
            let info = server.ask(&["INFO", "replication"])?;
            let line = info.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.trim_start_matches(':').trim().parse().ok());
            number.ok_or_else(|| io::Error::other(format!("no {name}")))
        };
        let wanted = offset(primary, "master_repl_offset")?;
        wait_until(
            "the replica has everything",
            || Ok(offset(self, "slave_repl_offset")? >= wanted),
        )
    }

    /// Promotes a replica to a primary.
    ///
    /// # Errors
    ///
    /// The same as for [`ask`](Self::ask).
    pub fn promote(&self) -> io::Result<()> {
        self.ask(&["REPLICAOF", "NO", "ONE"]).map(|_| ())
    }
}

/// Sends a command to the server on a port.
pub(crate) fn ask(port: u16, command: &[&str]) -> io::Result<String> {
    let mut client = Command::new(find("redis-cli", PACKAGE)?);
    // With -e, redis-cli fails if the answer is an error.
    client.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-e"]).args(command);
    let output = run(&mut client)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
