//! A private Redis server.

use std::{
    io,
    process::Command,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Disk,
    network::free_ports,
    programs::{RunAs, find, run},
    server::{Folder, Server, try_thrice},
};

const PACKAGE: &str = "redis-server";
const USER: &str = "redis";
const PATIENCE: Duration = Duration::from_secs(20);

/// The interval between checks for a condition that takes time.
const PAUSE: Duration = Duration::from_millis(20);

/// A private Redis server of the test program. It ends, and its data are removed, when this
/// is dropped or the program ends.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    port: u16,
}

impl Redis {
    /// Starts a server that keeps everything in memory only.
    ///
    /// # Errors
    ///
    /// When its programs are missing, or it does not start within 20 seconds. The error
    /// contains the end of its log.
    pub fn start() -> io::Result<Self> {
        Self::with(&[])
    }

    /// Starts a server that writes to the disk before it answers (`appendfsync always`).
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn durable() -> io::Result<Self> {
        try_thrice(|| Self::once(Disk::Durable, &[]))
    }

    /// Starts a server with more settings, in memory only unless they say otherwise.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn with(settings: &[(&str, &str)]) -> io::Result<Self> {
        try_thrice(|| Self::once(Disk::Unsynced, settings))
    }

    /// Starts a replica of another server, and waits until it has all data.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn replica_of(primary: &Self) -> io::Result<Self> {
        let of = format!("127.0.0.1 {}", primary.port);
        let replica = Self::with(&[("replicaof", &of)])?;
        wait_until("both know that the replica has everything", || {
            let ask = |server: &Self| server.ask(&["INFO", "replication"]);
            Ok(ask(&replica)?.contains("master_link_status:up")
                && ask(primary)?.contains("state=online"))
        })?;
        Ok(replica)
    }

    /// Returns the server that all tests of this program share.
    ///
    /// # Panics
    ///
    /// When the server cannot be started.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Redis> =
            LazyLock::new(|| Redis::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    fn once(disk: Disk, settings: &[(&str, &str)]) -> io::Result<Self> {
        let [port] = free_ports()?;
        Self::on(port, disk, settings)
    }

    pub(crate) fn on(port: u16, disk: Disk, settings: &[(&str, &str)]) -> io::Result<Self> {
        let user = RunAs::instead_of_root(USER)?;
        let folder = Folder::new(&user)?;
        let mut command = user.command(&find("redis-server", PACKAGE)?);
        let mut set = |name: &str, value: &str| {
            command.arg(format!("--{name}")).args(value.split(' '));
        };
        set("port", &port.to_string());
        set("bind", "127.0.0.1");
        set("dir", &folder.path().display().to_string());
        // No snapshots: only the append-only log persists data.
        command.arg("--save").arg("");
        let mut set = |name: &str, value: &str| {
            command.arg(format!("--{name}")).args(value.split(' '));
        };
        if disk == Disk::Durable {
            set("appendonly", "yes");
            set("appendfsync", "always");
        }
        // A replica gets its copy at once, without a delay for further replicas.
        set("repl-diskless-sync-delay", "0");
        for (name, value) in settings {
            set(name, value);
        }
        let is_ready = || ask(port, &["PING"]).is_ok_and(|answer| answer == "PONG");
        let server = Server::start(folder, &command, "KILL", PATIENCE, None, is_ready)?;
        Ok(Self { server, port })
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a command, and returns the answer as text.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or answers with an error.
    pub fn ask(&self, command: &[&str]) -> io::Result<String> {
        ask(self.port, command)
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

    /// Ends the server like a crash.
    ///
    /// # Errors
    ///
    /// When its watchdog has ended.
    pub fn stop_now(&self) -> io::Result<()> {
        self.server.stop()
    }

    /// Starts the server again on the same data and port.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn start_again(&self) -> io::Result<()> {
        let is_ready = || ask(self.port, &["PING"]).is_ok_and(|answer| answer == "PONG");
        self.server.start_again(is_ready)
    }

    /// Limits the size of the server's files: a write beyond it fails, as on a full disk.
    /// `None` removes the limit. The limit lasts until the server ends.
    ///
    /// # Errors
    ///
    /// When the server does not run, or `prlimit` fails.
    pub fn limit_files(&self, bytes: Option<u64>) -> io::Result<()> {
        self.server.limit_files(&RunAs::instead_of_root(USER)?, bytes)
    }

    /// Waits until the server has ended by itself.
    ///
    /// # Errors
    ///
    /// When the server has not ended within 20 seconds.
    pub fn wait_for_end(&self) -> io::Result<()> {
        wait_until("the server has ended", || Ok(!self.server.is_running()))
    }

    /// Returns the process id while the server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }
}

/// Sends a command to the server on a port.
fn ask(port: u16, command: &[&str]) -> io::Result<String> {
    let mut client = Command::new(find("redis-cli", PACKAGE)?);
    // With -e, redis-cli fails if the answer is an error.
    client.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-e"]).args(command);
    let output = run(&mut client)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Waits for a condition, with a timeout.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> io::Result<bool>) -> io::Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("in vain: {what}")));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
