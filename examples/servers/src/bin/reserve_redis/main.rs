//! Accounts live in SQLite and invitations in Redis, which cannot join a transaction of
//! SQLite. The order of steps is: reserve, create the account, commit, activate the
//! account. In this order nothing can be lost. The program is killed between each two steps
//! and started again, and so is Redis.
//!
//! ```text
//! cargo run -p server-examples --bin reserve_redis
//! REDIS_URL=redis://127.0.0.1/ cargo run -p server-examples --bin reserve_redis
//! ```
//!
//! Without `REDIS_URL` it starts its own Redis, which writes to the disk before it answers.

mod accounts;

use std::{
    env,
    error::Error as StdError,
    path::Path,
    process::{Command, ExitCode},
};

use invitation::{
    Actor, Division, Draft, Invitations, Paging, Redeemer, RedisStore, Role, SystemActor, UserId,
    Username,
    audit::{Action, EventCriteria, EventOutcome},
    redis::RedisOptions,
    reserve::Reserved,
};
use invitation_testkit::Redis;

use self::accounts::Accounts;

type Result<T = ()> = std::result::Result<T, Box<dyn StdError + Send + Sync>>;

/// The points where the registering program can be killed: after each of its steps.
const STEPS: [&str; 4] = ["reserved", "account created", "committed", "account active"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => story().await,
        ["register", url, namespace, file, code, name, die_at] => {
            let host = Host::open(url, namespace, Path::new(file)).await;
            async { host?.register(code, name, die_at).await }.await
        }
        ["resume", url, namespace, file] => {
            let host = Host::open(url, namespace, Path::new(file)).await;
            async { host?.resume().await }.await
        }
        _ => Err("usage: reserve_redis".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The host's program.
struct Host {
    invitations: Invitations<RedisStore>,
    accounts: Accounts,
}

impl Host {
    async fn open(url: &str, namespace: &str, file: &Path) -> Result<Self> {
        let options = RedisOptions::new().with_namespace(namespace.parse()?);
        let store = RedisStore::connect(url, options).await?;
        Ok(Self { invitations: Invitations::new(store), accounts: Accounts::open(file).await? })
    }

    /// Handles a registration.
    async fn register(&self, code: &str, name: &str, die_at: &str) -> Result {
        let kill_at = |step| {
            if step == die_at {
                // As abrupt as kill -9: nothing is flushed, closed or rolled back.
                std::process::abort();
            }
        };
        let redeemer = redeemer(name)?;
        let reservation = match self.invitations.reserve(code, &redeemer).await? {
            Reserved::Open(reservation) => reservation,
            // A double click, or a retry after only the answer was lost.
            Reserved::AlreadyRedeemed(before) => {
                if let Some(key) = before.reservation() {
                    self.accounts.activate(key).await?;
                }
                println!("{name} registered before, as {}", before.role());
                return Ok(());
            }
        };
        kill_at("reserved");
        let key = reservation.id();
        self.accounts.create(key, name, reservation.role().as_str()).await?;
        kill_at("account created");
        self.invitations.commit(key, &redeemer).await?;
        kill_at("committed");
        self.accounts.activate(key).await?;
        kill_at("account active");
        println!("{name} is registered as {}", reservation.role());
        Ok(())
    }

    /// The host's work at its start: accounts that never became active were left by a
    /// crash. Each carries the key of its reservation.
    async fn resume(&self) -> Result {
        for account in self.accounts.all().await?.into_iter().filter(|account| !account.active) {
            match self.invitations.commit(account.key, &redeemer(&account.name)?).await {
                Ok(_) => {
                    self.accounts.activate(account.key).await?;
                    println!("resumed: {} is registered", account.name);
                }
                Err(error) if error.refusal().is_some() => {
                    self.accounts.remove(account.key).await?;
                    println!("taken back: the account of {}, because {error}", account.name);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn report(&self, when: &str) -> Result {
        let admin = Actor::across_divisions(UserId::new("ada")?, Role::new("admin")?);
        let criteria =
            EventCriteria::new().of_action(Action::Redeem).with_outcome(EventOutcome::Succeeded);
        let trail = self.invitations.events(&admin, &criteria, Paging::default()).await?;
        let held = self.invitations.reservations(&admin, None, Paging::default()).await?;
        let accounts: Vec<String> = self
            .accounts
            .all()
            .await?
            .iter()
            .map(|account| {
                let state = if account.active { "active" } else { "pending" };
                format!("{} {state}", account.name)
            })
            .collect();
        println!(
            "  {when}: accounts {accounts:?}, redemptions {}, reservations {}",
            trail.items().len(),
            held.items().len()
        );
        Ok(())
    }
}

fn redeemer(name: &str) -> Result<Redeemer> {
    Ok(Redeemer::new(UserId::new(format!("signup-of-{name}"))?, Username::new(name)?))
}

/// Kills and restarts the programs, and checks the remaining data each time.
async fn story() -> Result {
    let own = if env::var_os("REDIS_URL").is_some() { None } else { Some(Redis::durable()?) };
    let url = match &own {
        Some(server) => server.url(),
        None => env::var("REDIS_URL")?,
    };
    let folder = tempfile::tempdir()?;
    for (n, step) in STEPS.iter().enumerate() {
        println!("\nkilled when: {step}");
        let namespace = format!("reserve-redis-{}-{n}", std::process::id());
        let file = folder.path().join(format!("{n}.db"));
        let place = [&*url, &*namespace, file.to_str().ok_or("a strange folder")?];
        let host = Host::open(&url, &namespace, &file).await?;
        let draft =
            Draft::new().with_role(Role::new("staff")?).in_division(Division::new("sales")?);
        let created = host.invitations.create(&SystemActor::for_bootstrap(), draft).await?;
        let code = created.code().reveal();

        run(&["register"], &place, &[&code, "anna", step])?;
        host.report("after the kill").await?;
        // Every second time Redis is killed as well, if this program started it.
        if let (Some(server), 1) = (&own, n % 2) {
            server.stop_now()?;
            server.start_again()?;
            println!("  (redis was killed, and has started again)");
        }
        if n % 2 == 0 {
            run(&["register"], &place, &[&code, "anna", "-"])?;
        } else {
            // Anna does not retry, but the host starts again.
            run(&["resume"], &place, &[])?;
        }
        run(&["register"], &place, &[&code, "ben", "-"])?;
        let host = Host::open(&url, &namespace, &file).await?;
        host.report("in the end").await?;
    }
    Ok(())
}

/// Runs this program again as a separate process.
fn run(what: &[&str], place: &[&str], more: &[&str]) -> Result {
    let output = Command::new(env::current_exe()?).args(what).args(place).args(more).output()?;
    print!("  {}", String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        println!("{}", if told.is_empty() { "(killed)" } else { told.trim_end() });
    } else if output.stdout.is_empty() {
        println!("(nothing to resume)");
    }
    Ok(())
}
