//! Accounts live in another system, so no transaction spans both: reserve, create the
//! account, commit. The program is killed between each two steps, and started again.
//! Nothing is lost, and no user is registered twice.
//!
//! ```text
//! cargo run --example reserve
//! ```
//!
//! `registration.rs` is the part for a host to copy.

mod directory;
mod killing;
mod registration;

use std::{env, error::Error as StdError, path::Path, process::ExitCode};

use invitation::{
    Invitations, SqliteStore, Timestamp,
    clock::{Clock, SystemClock},
};
use time::Duration;

use self::{
    directory::Directory,
    killing::{KillAt, NEVER, STEPS, ended, run},
    registration::Host,
};

type Result<T = ()> = std::result::Result<T, Box<dyn StdError + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    ended(match arguments[..] {
        [] => story().await,
        ["register", folder, minutes, code, name, kill_at] => {
            let host = open(Path::new(folder), minutes).await;
            async { host?.register(code, name, &KillAt(kill_at.to_owned())).await }.await
        }
        ["resume", folder, minutes] => {
            let host = open(Path::new(folder), minutes).await;
            async { host?.resume().await }.await
        }
        _ => Err("usage: reserve".into()),
    })
}

/// Opens the host on its files, as it is some minutes later.
async fn open(folder: &Path, minutes: &str) -> Result<Host<SqliteStore, Directory>> {
    let store = SqliteStore::open(folder.join("invitations.db")).await?;
    let ahead = Ahead(Duration::minutes(minutes.parse()?));
    let accounts = Directory::open(folder.join("directory.txt"));
    Ok(Host { invitations: Invitations::new(store).with_clock(ahead), accounts })
}

/// The machine's clock, some minutes ahead, so that a lease expires without a wait.
#[derive(Debug)]
struct Ahead(Duration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().checked_add(self.0).unwrap_or(Timestamp::MAX)
    }
}

/// Kills and restarts the program, and checks the remaining data each time.
async fn story() -> Result {
    for step in STEPS {
        println!("\nkilled when: {step}");
        let program = Program::new().await?;
        program.register("anna", "0", step)?;
        program.report("after the kill").await?;
        program.register("anna", "1", NEVER)?;
        program.report("after anna tried again").await?;
    }

    println!("\nkilled when the account was created, and anna does not come back");
    let program = Program::new().await?;
    program.register("anna", "0", "account created")?;
    program.resume("30")?;
    program.report("after the host resumed, half an hour later").await?;

    println!("\nkilled when the account was created, and ben comes before the host resumes");
    let program = Program::new().await?;
    program.register("anna", "0", "account created")?;
    program.register("ben", "5", NEVER)?;
    program.register("ben", "30", NEVER)?;
    program.resume("31")?;
    program.report("after ben registered and the host resumed").await
}

/// The host's program with one code, on files of its own.
struct Program {
    folder: tempfile::TempDir,
    code: String,
}

impl Program {
    async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let code = open(folder.path(), "0").await?.new_code().await?;
        Ok(Self { folder, code })
    }

    fn folder(&self) -> Result<&str> {
        Ok(self.folder.path().to_str().ok_or("a strange folder")?)
    }

    /// Registers a user, some minutes later; the program is killed after a step.
    fn register(&self, name: &str, minutes: &str, kill_at: &str) -> Result {
        run(&["register", self.folder()?, minutes, &self.code, name, kill_at])
    }

    /// Starts the program again, some minutes later.
    fn resume(&self, minutes: &str) -> Result {
        run(&["resume", self.folder()?, minutes])
    }

    async fn report(&self, when: &str) -> Result {
        open(self.folder.path(), "40").await?.report(when).await
    }
}
