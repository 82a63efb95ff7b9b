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
#[path = "../../../../reserve/killing.rs"]
mod killing;
#[path = "../../../../reserve/registration.rs"]
mod registration;

use std::{env, error::Error as StdError, path::Path, process::ExitCode};

use invitation::{Invitations, RedisStore, redis_store::RedisOptions};
use invitation_testkit::Redis;

use self::{
    accounts::Table,
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
        ["register", url, namespace, file, code, name, kill_at] => {
            let host = open(url, namespace, Path::new(file)).await;
            async { host?.register(code, name, &KillAt(kill_at.to_owned())).await }.await
        }
        ["resume", url, namespace, file] => {
            let host = open(url, namespace, Path::new(file)).await;
            async { host?.resume().await }.await
        }
        _ => Err("usage: reserve_redis".into()),
    })
}

async fn open(url: &str, namespace: &str, file: &Path) -> Result<Host<RedisStore, Table>> {
    let options = RedisOptions::new().with_namespace(namespace.parse()?);
    let store = RedisStore::connect(url, options).await?;
    Ok(Host { invitations: Invitations::new(store), accounts: Table::open(file).await? })
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
        let host = open(&url, &namespace, &file).await?;
        let code = host.new_code().await?;
        let register = |name: &str, kill_at: &str| {
            run(&[&["register"], &place[..], &[&code, name, kill_at]].concat())
        };

        register("anna", step)?;
        host.report("after the kill").await?;
        // Every second time Redis is killed as well, if this program started it.
        if let (Some(server), 1) = (&own, n % 2) {
            server.stop_now()?;
            server.start_again()?;
            println!("  (redis was killed, and has started again)");
        }
        if n % 2 == 0 {
            register("anna", NEVER)?;
        } else {
            // Anna does not retry, but the host starts again.
            run(&[&["resume"], &place[..]].concat())?;
        }
        register("ben", NEVER)?;
        let host = open(&url, &namespace, &file).await?;
        host.report("in the end").await?;
    }
    Ok(())
}
