//! A private PostgreSQL server.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Duration,
};

use crate::{
    Disk, database_name,
    network::free_ports,
    programs::{RunAs, chosen, find, missing, run},
    server::{Folder, Server, try_thrice},
    small_disk::{SmallDisk, SmallDiskHolds},
};

const PACKAGE: &str = "postgresql";
const PATIENCE: Duration = Duration::from_secs(30);
/// The size of a small disk, in megabytes: about twice the size of an empty server.
const SMALL: u32 = 64;
/// The size if the write-ahead log is on it as well.
const SMALL_WITH_LOG: u32 = 96;

/// A private PostgreSQL server of the test program. It ends, and its data are removed, when
/// this is dropped or the program ends.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    port: u16,
}

impl Postgres {
    /// Starts a server that does not wait for the disk.
    ///
    /// # Errors
    ///
    /// When its programs are missing, or it does not start within 30 seconds. The error
    /// contains the end of its log.
    pub fn start() -> io::Result<Self> {
        try_thrice(|| Self::once(Disk::Unsynced))
    }

    /// Starts a server that waits for the disk at each commit, as in production.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn durable() -> io::Result<Self> {
        try_thrice(|| Self::once(Disk::Durable))
    }

    /// Starts a server whose data, except for the write-ahead log, are on a small disk. This
    /// needs root.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start), and when the disk cannot be mounted.
    pub fn on_small_disk() -> io::Result<(Self, SmallDisk)> {
        Self::on_disk(Disk::Unsynced, SmallDiskHolds::Data)
    }

    /// Starts a server whose data and write-ahead log are on a small disk. It waits for the disk at each
    /// commit. This needs root.
    ///
    /// # Errors
    ///
    /// The same as for [`on_small_disk`](Self::on_small_disk).
    pub fn on_small_disk_with_logs() -> io::Result<(Self, SmallDisk)> {
        Self::on_disk(Disk::Durable, SmallDiskHolds::DataAndLogs)
    }

    fn on_disk(disk: Disk, holds: SmallDiskHolds) -> io::Result<(Self, SmallDisk)> {
        try_thrice(|| {
            let server = Self::once_on(disk, Some(holds))?;
            let disk = server.server.small_disk();
            Ok((server, disk))
        })
    }

    /// Returns the server that all tests of this program share.
    ///
    /// # Panics
    ///
    /// When the server cannot be started.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Postgres> =
            LazyLock::new(|| Postgres::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    fn once(disk: Disk) -> io::Result<Self> {
        Self::once_on(disk, None)
    }

    fn once_on(disk: Disk, small_disk: Option<SmallDiskHolds>) -> io::Result<Self> {
        let user = RunAs::instead_of_root("postgres")?;
        let programs = programs()?;
        let folder = Folder::new(&user)?;
        let data = folder.data();
        let mut init = user.command(&programs.join("initdb"));
        init.current_dir(folder.path()).arg("-D").arg(&data);
        init.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]);
        if small_disk == Some(SmallDiskHolds::Data) {
            init.arg("--waldir").arg(folder.path().join("wal"));
        }
        run(&mut init)?;

        let [port] = free_ports()?;
        let mut command = user.command(&programs.join("postgres"));
        command.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        let mut set = |setting: &str| {
            command.args(["-c", setting]);
        };
        set("unix_socket_directories=");
        set("max_connections=300");
        if disk == Disk::Unsynced {
            set("fsync=off");
            set("synchronous_commit=off");
            set("full_page_writes=off");
        }
        let is_ready = || query(port, "postgres", "SELECT 1").is_ok();
        // QUIT is PostgreSQL's immediate shutdown. It is like a crash, but releases the
        // shared memory, which KILL would leave behind.
        let megabytes = small_disk.map(|holds| match holds {
            SmallDiskHolds::Data => SMALL,
            SmallDiskHolds::DataAndLogs => SMALL_WITH_LOG,
        });
        let server = Server::start(folder, &command, "QUIT", PATIENCE, megabytes, is_ready)?;
        Ok(Self { server, port })
    }

    /// Returns the URL of a database; `postgres` always exists.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates a database for one test, and returns its URL.
    ///
    /// # Panics
    ///
    /// When the database cannot be created.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = database_name();
        query(self.port, "postgres", &format!("CREATE DATABASE {name}"))
            .unwrap_or_else(|error| panic!("{error}"));
        self.url(&name)
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
        self.server.start_again(|| query(self.port, "postgres", "SELECT 1").is_ok())
    }

    /// Sets the size that no file may exceed which the server writes: a write beyond fails, as
    /// on a broken disk. `None` removes the limit. A limit below the 16 MiB of a segment of
    /// the write-ahead log stops the server.
    ///
    /// # Errors
    ///
    /// When the server does not run, or `prlimit` fails.
    pub fn limit_files(&self, bytes: Option<u64>) -> io::Result<()> {
        self.server.limit_files(&RunAs::instead_of_root("postgres")?, bytes)
    }

    /// Returns the process id while the server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }
}

/// Returns the folder with the newest version's programs. Debian keeps them out of `PATH`.
fn programs() -> io::Result<PathBuf> {
    if let Some(folder) = chosen("postgres").as_deref().and_then(Path::parent) {
        return Ok(folder.to_owned());
    }
    let version = |folder: &PathBuf| {
        let name = folder.file_name()?.to_str()?.to_owned();
        name.parse::<u32>().ok()
    };
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .map(|entry| entry.path())
        .filter(|folder| folder.join("bin/postgres").is_file())
        .max_by_key(version);
    if let Some(folder) = newest {
        return Ok(folder.join("bin"));
    }
    let postgres = find("postgres", PACKAGE)?;
    postgres.parent().map(PathBuf::from).ok_or_else(|| missing("postgres", PACKAGE))
}

fn query(port: u16, database: &str, sql: &str) -> io::Result<()> {
    let mut client = Command::new(find("psql", PACKAGE)?);
    client.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres", "-X", "-q"]);
    client.args(["-d", database, "-c", sql]).env("PGCONNECT_TIMEOUT", "5");
    run(&mut client).map(|_| ())
}
