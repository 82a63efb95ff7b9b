//! Accounts live in another system, so no transaction spans both: reserve, create the
//! account, commit. The program is killed between each two steps, and started again.
//! Nothing is lost, and no user is registered twice.
//!
//! ```text
//! cargo run --example reserve
//! ```

mod directory;

use std::{
    env,
    error::Error as StdError,
    path::Path,
    process::{Command, ExitCode},
};

use invitation::{
    Actor, Division, Draft, Invitations, Paging, Redeemer, Refusal, Role, SqliteStore, SystemActor,
    Timestamp, UserId, Username,
    audit::{Action, EventCriteria, EventOutcome},
    clock::{Clock, SystemClock},
    reserve::{ReservationId, Reserved},
};
use time::Duration;

use self::directory::Directory;

type Result<T = ()> = std::result::Result<T, Box<dyn StdError + Send + Sync>>;

/// The points where the registering program can be killed: after each of its steps.
const STEPS: [&str; 4] = ["reserved", "account created", "committed", "account active"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => story().await,
        ["register", folder, code, name, minutes, die_at] => {
            register(Path::new(folder), code, name, minutes, die_at).await
        }
        ["resume", folder, minutes] => resume(Path::new(folder), minutes).await,
        _ => Err("usage: reserve".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The host's handler of a registration.
async fn register(folder: &Path, code: &str, name: &str, minutes: &str, die_at: &str) -> Result {
    let kill_at = |step| {
        if step == die_at {
            // As abrupt as kill -9: nothing is flushed, closed or rolled back.
            std::process::abort();
        }
    };
    let (invitations, directory) = open(folder, minutes).await?;
    let redeemer = redeemer(name)?;
    let reservation = match invitations.reserve(code, &redeemer).await? {
        Reserved::Open(reservation) => reservation,
        // A double click, or a retry after only the answer was lost.
        Reserved::AlreadyRedeemed(before) => {
            if let Some(key) = before.reservation() {
                directory.activate(key)?;
            }
            println!("{name} registered before, as {}", before.role());
            return Ok(());
        }
    };
    kill_at("reserved");
    // The other system creates one account per key, however often it is called.
    directory.create(reservation.id(), name, reservation.role().as_str())?;
    kill_at("account created");
    invitations.commit(reservation.id(), &redeemer).await?;
    kill_at("committed");
    directory.activate(reservation.id())?;
    kill_at("account active");
    println!("{name} is registered as {}", reservation.role());
    Ok(())
}

/// The host's work at its start: accounts that never became active were left by a crash.
/// Each carries the key of its reservation.
async fn resume(folder: &Path, minutes: &str) -> Result {
    let (invitations, directory) = open(folder, minutes).await?;
    let mut pending = directory.accounts()?;
    pending.retain(|account| !account.active);
    for account in pending {
        match invitations.commit(account.key, &redeemer(&account.name)?).await {
            Ok(_) => {
                directory.activate(account.key)?;
                println!("resumed: {} is registered as {}", account.name, account.role);
            }
            // The invitation was purged. Only the audit trail shows whether it was
            // redeemed, so an administrator has to decide.
            Err(error) if error.refusal() == Some(&Refusal::NotFound) => {
                println!("to be looked at: the account of {}, because {error}", account.name);
            }
            Err(error) if error.refusal().is_some() => {
                directory.remove(account.key)?;
                println!("taken back: the account of {}, because {error}", account.name);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn open(folder: &Path, minutes: &str) -> Result<(Invitations<SqliteStore>, Directory)> {
    let store = SqliteStore::open(folder.join("invitations.db")).await?;
    let ahead = Ahead(Duration::minutes(minutes.parse()?));
    let directory = Directory::open(folder.join("directory.txt"));
    Ok((Invitations::new(store).with_clock(ahead), directory))
}

fn redeemer(name: &str) -> Result<Redeemer> {
    Ok(Redeemer::new(UserId::new(format!("signup-of-{name}"))?, Username::new(name)?))
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
        let host = Host::new().await?;
        host.register("anna", "0", step)?;
        host.report("after the kill").await?;
        host.register("anna", "1", "-")?;
        host.report("after anna tried again").await?;
    }

    println!("\nkilled when the account was created, and anna does not come back");
    let host = Host::new().await?;
    host.register("anna", "0", "account created")?;
    host.resume("30")?;
    host.report("after the host resumed, half an hour later").await?;

    println!("\nkilled when the account was created, and ben comes before the host resumes");
    let host = Host::new().await?;
    host.register("anna", "0", "account created")?;
    host.register("ben", "5", "-")?;
    host.register("ben", "30", "-")?;
    host.resume("31")?;
    host.report("after ben registered and the host resumed").await
}

/// A host with one code, on files of its own.
struct Host {
    folder: tempfile::TempDir,
    code: String,
}

impl Host {
    async fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (invitations, _) = open(folder.path(), "0").await?;
        let draft =
            Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
        let created = invitations.create(&SystemActor::for_bootstrap(), draft).await?;
        Ok(Self { folder, code: created.code().reveal().to_string() })
    }

    /// Registers a user, some minutes later; the program is killed after a step.
    fn register(&self, name: &str, minutes: &str, die_at: &str) -> Result {
        let mut command = Command::new(env::current_exe()?);
        command.arg("register").arg(self.folder.path());
        run(command.args([&self.code, name, minutes, die_at]))
    }

    /// Starts the host again, some minutes later.
    fn resume(&self, minutes: &str) -> Result {
        let mut command = Command::new(env::current_exe()?);
        run(command.arg("resume").arg(self.folder.path()).arg(minutes))
    }

    async fn report(&self, when: &str) -> Result {
        let (invitations, directory) = open(self.folder.path(), "40").await?;
        let admin = Actor::across_divisions(UserId::new("ada")?, Role::new("admin")?);
        let criteria = EventCriteria::new().with_outcome(EventOutcome::Succeeded);
        let trail = invitations.events(&admin, &criteria, Paging::default()).await?;
        let done = trail.items().iter().filter(|event| event.action == Action::Redeem).count();
        let reservations = invitations.reservations(&admin, None, Paging::default()).await?;
        let held: Vec<ReservationId> =
            reservations.items().iter().map(invitation::reserve::OpenReservation::id).collect();
        let accounts: Vec<String> = directory
            .accounts()?
            .iter()
            .map(|account| {
                let state = if account.active { "active" } else { "pending" };
                format!("{} {state}", account.name)
            })
            .collect();
        println!(
            "  {when}: accounts {accounts:?}, redemptions {done}, reservations {}",
            held.len()
        );
        Ok(())
    }
}

/// Runs this program again as a separate process.
fn run(command: &mut Command) -> Result {
    let output = command.output()?;
    print!("  {}", String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        println!("{}", if told.is_empty() { "(killed)" } else { told.trim_end() });
    }
    Ok(())
}
