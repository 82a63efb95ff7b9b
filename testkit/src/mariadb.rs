//! MariaDB, or MySQL if its programs are selected.

use std::{fs, io, path::Path, process::Command, sync::LazyLock, time::Duration};

use crate::{
    Disk, database_name,
    network::free_ports,
    programs::{RunAs, chosen, find, run},
    server::{Folder, Server, try_thrice},
    small_disk::{SmallDisk, SmallDiskHolds},
};

const PACKAGE: &str = "mariadb-server";
const PATIENCE: Duration = Duration::from_secs(30);
/// The size of a small disk, in megabytes: more than an empty server needs.
const SMALL: u32 = 160;
/// The size if redo log and binary log are on it as well.
const SMALL_WITH_LOGS: u32 = 288;

/// A private MariaDB server of the test program. It ends, and its data are removed, when
/// this is dropped or the program ends.
#[derive(Debug)]
pub struct MariaDb {
    server: Server,
    port: u16,
}

impl MariaDb {
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

    /// Starts a server whose data, except for the redo log, are on a small disk. Needs
    /// root.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start), and when the disk cannot be mounted.
    pub fn on_small_disk() -> io::Result<(Self, SmallDisk)> {
        Self::on_disk(Disk::Unsynced, SmallDiskHolds::Data)
    }

    /// Starts a server whose data and logs are on a small disk. It waits for the disk at each
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
        static SHARED: LazyLock<MariaDb> =
            LazyLock::new(|| MariaDb::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    fn once(disk: Disk) -> io::Result<Self> {
        Self::once_on(disk, None)
    }

    fn once_on(disk: Disk, small_disk: Option<SmallDiskHolds>) -> io::Result<Self> {
        let user = RunAs::instead_of_root("mysql")?;
        let folder = Folder::new(&user)?;
        initialise(&user, &folder)?;
        let [port] = free_ports()?;
        let mut command = command(&user, folder.path(), port, disk)?;
        command.arg(match small_disk {
            Some(SmallDiskHolds::DataAndLogs) => "--log-bin=binlog",
            _ => "--skip-log-bin",
        });
        if small_disk == Some(SmallDiskHolds::Data) {
            // The redo log and temporary files are outside of the small disk.
            let elsewhere = folder.path().join("elsewhere");
            fs::create_dir(&elsewhere)?;
            user.give(&elsewhere)?;
            fs::rename(folder.data().join("ib_logfile0"), elsewhere.join("ib_logfile0"))?;
            command.arg(format!("--innodb-log-group-home-dir={}", elsewhere.display()));
            command.arg(format!("--tmpdir={}", elsewhere.display()));
        }
        let is_ready = || query(port, "SELECT 1").is_ok();
        let megabytes = small_disk.map(|holds| match holds {
            SmallDiskHolds::Data => SMALL,
            SmallDiskHolds::DataAndLogs => SMALL_WITH_LOGS,
        });
        let server = Server::start(folder, &command, "KILL", PATIENCE, megabytes, is_ready)?;
        Ok(Self { server, port })
    }

    /// Returns the URL of a database; `mysql` always exists.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// Creates a database for one test, and returns its URL.
    ///
    /// # Panics
    ///
    /// When the database cannot be created.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = database_name();
        query(self.port, &format!("CREATE DATABASE {name}"))
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
        self.server.start_again(|| query(self.port, "SELECT 1").is_ok())
    }

    /// Sets the size that no file may exceed which the server writes: a write beyond fails, as
    /// on a broken disk. `None` removes the limit.
    ///
    /// # Errors
    ///
    /// When the server does not run, or `prlimit` fails.
    pub fn limit_files(&self, bytes: Option<u64>) -> io::Result<()> {
        self.server.limit_files(&RunAs::instead_of_root("mysql")?, bytes)
    }

    /// Returns the process id while the server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }
}

pub(crate) fn url(port: u16, database: &str) -> String {
    format!("mysql://root@127.0.0.1:{port}/{database}")
}

/// Returns whether the tests run on MySQL: scripts/matrix selects its programs.
fn is_mysql() -> bool {
    chosen("mysqld").is_some()
}

/// Creates the system tables in the data folder.
pub(crate) fn initialise(user: &RunAs, folder: &Folder) -> io::Result<()> {
    if is_mysql() {
        let mut install = user.command(&find("mysqld", PACKAGE)?);
        install.current_dir(folder.path()).args(["--no-defaults", "--initialize-insecure"]);
        install.arg(format!("--datadir={}", folder.data().display()));
        return run(&mut install).map(|_| ());
    }
    let mut install = user.command(&find("mariadb-install-db", PACKAGE)?);
    install.current_dir(folder.path());
    install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
    install.arg(format!("--datadir={}", folder.data().display()));
    run(&mut install).map(|_| ())
}

/// Returns the server's command for an initialised folder.
pub(crate) fn command(user: &RunAs, folder: &Path, port: u16, disk: Disk) -> io::Result<Command> {
    let program = if is_mysql() { "mysqld" } else { "mariadbd" };
    let mut command = user.command(&find(program, PACKAGE)?);
    command.args(["--no-defaults", "--bind-address=127.0.0.1"]);
    if is_mysql() {
        // MySQL's only account is for the host name localhost, so the server has to resolve
        // names. It would also serve a second protocol, on a fixed port.
        command.arg("--mysqlx=OFF");
    } else {
        command.arg("--skip-name-resolve");
    }
    command.arg(format!("--datadir={}", folder.join("data").display()));
    command.arg(format!("--socket={}", folder.join("socket").display()));
    command.arg(format!("--pid-file={}", folder.join("pid").display()));
    command.arg(format!("--port={port}"));
    command.args(["--max-connections=400", "--innodb-buffer-pool-size=256M"]);
    if disk == Disk::Unsynced {
        command.args(["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"]);
    }
    Ok(command)
}

pub(crate) fn query(port: u16, sql: &str) -> io::Result<String> {
    let program = if is_mysql() { "mysql" } else { "mariadb" };
    let mut client = Command::new(find(program, PACKAGE)?);
    client.args(["--no-defaults", "-h127.0.0.1", "-uroot", "--connect-timeout=5", "-N", "-B"]);
    client.arg(format!("-P{port}")).args(["-e", sql]);
    let output = run(&mut client)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
