//! PostgreSQL.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::{
    database_name,
    programs::{chosen, find, missing, run},
    server::{Disk, Program, Server, Settings, Setup, SmallDiskProgram, owned},
    small_disk::SmallDiskHolds,
};

const PACKAGE: &str = "postgresql";

/// A private PostgreSQL server.
pub type Postgres = Server<PostgresProgram>;

/// The programs of PostgreSQL.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum PostgresProgram {}

impl Program for PostgresProgram {
    type Options = Settings;

    const USER: &'static str = "postgres";
    /// PostgreSQL's immediate shutdown. It is like a crash, but releases the shared memory,
    /// which KILL would leave behind.
    const STOP_SIGNAL: &'static str = "QUIT";

    fn prepare(setup: &Setup<'_>, settings: &Settings) -> io::Result<Command> {
        let programs = programs()?;
        let data = setup.data();
        let mut init = setup.user.command(&programs.join("initdb"));
        init.current_dir(setup.path()).arg("-D").arg(&data);
        init.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]);
        if setup.small_disk == Some(SmallDiskHolds::Data) {
            init.arg("--waldir").arg(setup.path().join("wal"));
        }
        run(&mut init)?;

        let mut command = setup.user.command(&programs.join("postgres"));
        command.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &setup.port.to_string()]);
        let mut set = |setting: &str| {
            command.args(["-c", setting]);
        };
        set("unix_socket_directories=");
        set("max_connections=300");
        if setup.disk == Disk::Unsynced {
            set("fsync=off");
            set("synchronous_commit=off");
            set("full_page_writes=off");
        }
        for (name, value) in settings {
            set(&format!("{name}={value}"));
        }
        Ok(command)
    }

    fn is_ready(port: u16) -> bool {
        query(port, "postgres", "SELECT 1").is_ok()
    }

    fn shared() -> &'static OnceLock<Postgres> {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        &SHARED
    }
}

impl SmallDiskProgram for PostgresProgram {
    /// About twice the size of an empty server.
    const SMALL: u32 = 64;
    const SMALL_WITH_LOGS: u32 = 96;
}

impl Postgres {
    /// Starts a server with more settings.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start).
    pub fn with(settings: &[(&str, &str)]) -> io::Result<Self> {
        Self::start_with(Disk::Unsynced, &owned(settings))
    }

    /// Returns the URL of a database; `postgres` always exists.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port())
    }

    /// Creates a database for one test, and returns its URL.
    ///
    /// # Panics
    ///
    /// When the database cannot be created.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = database_name();
        query(self.port(), "postgres", &format!("CREATE DATABASE {name}"))
            .unwrap_or_else(|error| panic!("{error}"));
        self.url(&name)
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
