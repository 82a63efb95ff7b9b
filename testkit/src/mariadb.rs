//! MariaDB, or MySQL where its programs are chosen.

use std::{fs, io, path::Path, process::Command, sync::LazyLock, time::Duration};

use crate::{
    Disk, database_name,
    network::free_ports,
    programs::{RunAs, chosen, find, run},
    server::{Folder, Server, try_thrice},
    small_disk::{SmallDisk, with_small_disk},
};

const PACKAGE: &str = "mariadb-server";
const PATIENCE: Duration = Duration::from_secs(30);
/// The size of a small disk, in megabytes: more than an empty server takes.
const SMALL: u32 = 160;

/// A MariaDB server of the test program's own. It is ended, and its data removed,
/// when this is dropped or the program ends.
#[derive(Debug)]
pub struct MariaDb {
    server: Server,
    port: u16,
}

impl MariaDb {
    /// Starts one that does not wait for the disk.
    ///
    /// # Errors
    ///
    /// When its programs are missing or it does not start within 30 seconds; the
    /// end of its log is in the error.
    pub fn start() -> io::Result<Self> {
        try_thrice(|| Self::once(Disk::Careless))
    }

    /// Starts one that waits for the disk at each commit, as servers in use do.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn durable() -> io::Result<Self> {
        try_thrice(|| Self::once(Disk::Durable))
    }

    /// Starts one whose data, but for the redo log, are on a small disk. Needs root.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and when the disk cannot be mounted.
    pub fn on_small_disk() -> io::Result<(Self, SmallDisk)> {
        try_thrice(|| {
            let server = Self::once_on(Disk::Careless, Some(SMALL))?;
            let pid = server.pid().ok_or_else(|| io::Error::other("it has ended"))?;
            let disk = SmallDisk::of_process(pid, &server.server.data());
            Ok((server, disk))
        })
    }

    /// The one that all tests of this program share.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<MariaDb> =
            LazyLock::new(|| MariaDb::start().unwrap_or_else(|error| panic!("{error}")));
        &SHARED
    }

    fn once(disk: Disk) -> io::Result<Self> {
        Self::once_on(disk, None)
    }

    fn once_on(disk: Disk, megabytes: Option<u32>) -> io::Result<Self> {
        let user = RunAs::instead_of_root("mysql")?;
        let folder = Folder::new(&user)?;
        initialise(&user, &folder)?;
        let [port] = free_ports()?;
        let mut command = command(&user, folder.path(), port, disk)?;
        command.arg("--skip-log-bin");
        if let Some(megabytes) = megabytes {
            // What is written first, and what is sorted, is elsewhere.
            let elsewhere = folder.path().join("elsewhere");
            fs::create_dir(&elsewhere)?;
            user.give(&elsewhere)?;
            fs::rename(folder.data().join("ib_logfile0"), elsewhere.join("ib_logfile0"))?;
            command.arg(format!("--innodb-log-group-home-dir={}", elsewhere.display()));
            command.arg(format!("--tmpdir={}", elsewhere.display()));
            command = with_small_disk(&command, &folder.data(), megabytes);
        }
        let is_ready = || query(port, "SELECT 1").is_ok();
        let server = Server::start(folder, &command, "KILL", PATIENCE, is_ready)?;
        Ok(Self { server, port })
    }

    /// The URL of one of its databases; `mysql` is always there.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// Makes a database that no other test has, and gives its URL.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = database_name();
        query(self.port, &format!("CREATE DATABASE {name}"))
            .unwrap_or_else(|error| panic!("{error}"));
        self.url(&name)
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    ///
    /// When its watchdog has gone.
    pub fn stop_now(&self) -> io::Result<()> {
        self.server.stop()
    }

    /// Starts it again on the same data and port.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_again(&self) -> io::Result<()> {
        self.server.start_again(|| query(self.port, "SELECT 1").is_ok())
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }
}

pub(crate) fn url(port: u16, database: &str) -> String {
    format!("mysql://root@127.0.0.1:{port}/{database}")
}

/// Whether the tests run on MySQL: scripts/matrix chooses its programs.
fn is_mysql() -> bool {
    chosen("mysqld").is_some()
}

/// Makes the system's tables in the data folder.
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

/// The server's command, on the folder that was initialised.
pub(crate) fn command(user: &RunAs, folder: &Path, port: u16, disk: Disk) -> io::Result<Command> {
    let program = if is_mysql() { "mysqld" } else { "mariadbd" };
    let mut command = user.command(&find(program, PACKAGE)?);
    command.args(["--no-defaults", "--bind-address=127.0.0.1"]);
    if is_mysql() {
        // Its only account is that of the name localhost, so it has to find the name; and it
        // would serve a second protocol, on a port that all servers share.
        command.arg("--mysqlx=OFF");
    } else {
        command.arg("--skip-name-resolve");
    }
    command.arg(format!("--datadir={}", folder.join("data").display()));
    command.arg(format!("--socket={}", folder.join("socket").display()));
    command.arg(format!("--pid-file={}", folder.join("pid").display()));
    command.arg(format!("--port={port}"));
    command.args(["--max-connections=400", "--innodb-buffer-pool-size=256M"]);
    if disk == Disk::Careless {
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
