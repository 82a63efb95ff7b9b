//! MariaDB, or MySQL if its programs are selected.

use std::{fs, io, process::Command, sync::OnceLock};

use crate::{
    database_name,
    programs::{chosen, find, run},
    server::{Disk, Program, Server, Settings, Setup, SmallDiskProgram, owned},
    small_disk::SmallDiskHolds,
};

const PACKAGE: &str = "mariadb-server";

/// A private MariaDB server.
pub type MariaDb = Server<MariaDbProgram>;

/// The programs of MariaDB.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum MariaDbProgram {}

impl Program for MariaDbProgram {
    type Options = Settings;

    const USER: &'static str = "mysql";

    fn prepare(setup: &Setup<'_>, settings: &Settings) -> io::Result<Command> {
        let mut command = prepare(setup)?;
        command.arg(match setup.small_disk {
            Some(SmallDiskHolds::DataAndLogs) => "--log-bin=binlog",
            _ => "--skip-log-bin",
        });
        if setup.small_disk == Some(SmallDiskHolds::Data) {
            // The redo log and temporary files are outside of the small disk.
            let elsewhere = setup.path().join("elsewhere");
            fs::create_dir(&elsewhere)?;
            setup.user.give(&elsewhere)?;
            fs::rename(setup.data().join("ib_logfile0"), elsewhere.join("ib_logfile0"))?;
            command.arg(format!("--innodb-log-group-home-dir={}", elsewhere.display()));
            command.arg(format!("--tmpdir={}", elsewhere.display()));
        }
        for (name, value) in settings {
            command.arg(format!("--{name}={value}"));
        }
        Ok(command)
    }

    fn is_ready(port: u16) -> bool {
        query(port, "SELECT 1").is_ok()
    }

    fn shared() -> &'static OnceLock<MariaDb> {
        static SHARED: OnceLock<MariaDb> = OnceLock::new();
        &SHARED
    }
}

impl SmallDiskProgram for MariaDbProgram {
    /// More than an empty server needs.
    const SMALL: u32 = 160;
    const SMALL_WITH_LOGS: u32 = 288;
}

impl MariaDb {
    /// Starts a server with more settings. The path of a file is relative to its data.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn with(settings: &[(&str, &str)]) -> io::Result<Self> {
        Self::start_with(Disk::Unsynced, &owned(settings))
    }

    /// Returns the URL of a database; `mysql` always exists.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(self.port(), database)
    }

    /// Creates a database for one test, and returns its URL.
    ///
    /// # Panics
    ///
    /// When the database cannot be created.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = database_name();
        query(self.port(), &format!("CREATE DATABASE {name}"))
            .unwrap_or_else(|error| panic!("{error}"));
        self.url(&name)
    }
}

pub(crate) fn url(port: u16, database: &str) -> String {
    format!("mysql://root@127.0.0.1:{port}/{database}")
}

/// Returns whether the tests run on MySQL: scripts/matrix selects its programs.
fn is_mysql() -> bool {
    chosen("mysqld").is_some()
}

/// MariaDB's option to never wait for the disk. Without it, MariaDB waits while it creates tables and
/// databases, whatever its other options say.
const NO_SYNC: &str = "--debug-no-sync";

/// Creates the system tables in the data folder.
fn initialise(setup: &Setup<'_>) -> io::Result<()> {
    if is_mysql() {
        let mut install = setup.user.command(&find("mysqld", PACKAGE)?);
        install.current_dir(setup.path()).args(["--no-defaults", "--initialize-insecure"]);
        install.arg(format!("--datadir={}", setup.data().display()));
        return run(&mut install).map(|_| ());
    }
    let mut install = setup.user.command(&find("mariadb-install-db", PACKAGE)?);
    install.current_dir(setup.path());
    install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
    install.arg(format!("--datadir={}", setup.data().display())).arg(NO_SYNC);
    run(&mut install).map(|_| ())
}

/// Initialises the server's folder, and returns the server's command.
pub(crate) fn prepare(setup: &Setup<'_>) -> io::Result<Command> {
    initialise(setup)?;
    let program = if is_mysql() { "mysqld" } else { "mariadbd" };
    let mut command = setup.user.command(&find(program, PACKAGE)?);
    command.args(["--no-defaults", "--bind-address=127.0.0.1"]);
    if is_mysql() {
        // MySQL's only account is for the host name localhost, so the server has to resolve
        // names. It would also serve a second protocol, on a fixed port.
        command.arg("--mysqlx=OFF");
    } else {
        command.arg("--skip-name-resolve");
    }
    command.arg(format!("--datadir={}", setup.data().display()));
    command.arg(format!("--socket={}", setup.path().join("socket").display()));
    // A server that starts deletes temporary tables from this folder, those of other servers too.
    command.arg(format!("--tmpdir={}", setup.path().display()));
    command.arg(format!("--pid-file={}", setup.path().join("pid").display()));
    command.arg(format!("--port={}", setup.port));
    command.args(["--max-connections=400", "--innodb-buffer-pool-size=256M"]);
    if setup.disk == Disk::Unsynced {
        command.args(["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"]);
        if !is_mysql() {
            command.arg(NO_SYNC);
        }
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
