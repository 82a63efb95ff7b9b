//! A complete host: login, the JSON API, the dashboard, and the page where newcomers
//! register with a code.
//!
//! ```text
//! cargo run -p invitation-demo
//! ```
//!
//! It is a demonstration: any client that reaches its port can sign in as any user, without
//! a password. It therefore listens on the loopback interface only.
//!
//! | variable | |
//! |---|---|
//! | `PORT` | 3000 by default; 0 takes a free one |
//! | `DATABASE_URL` | `sqlite:…`, `postgres://…`, `mysql://…`, `redis://…` or, with the feature `redis-tls`, `rediss://…`; by default a SQLite file in the working directory. The users beside Redis are in a SQLite file there |
//! | `DEMO_RESET` | `1` begins with an empty store |
//! | `SMTP_URL` | the mail server for the mails of invitations, such as `smtps://user:password@host`; by default they stay in the program |
//! | `MAIL_FROM` | their sender; by default `Demonstration <no-reply@example.com>` |
//! | `BASE_URL` | its public URL, for links and as a host name beside those of the loopback interface; by default `http://127.0.0.1:<PORT>` |
//!
//! Where to start reading:
//!
//! - `admission.rs` creates an account and redeems a code in one transaction;
//! - `reserving.rs` does the same where no transaction spans both;
//! - `people.rs` tells the library which user is acting;
//! - `standing.rs` says whether the user who granted an invitation may still grant it;
//! - `keys.rs` keeps the key under which codes are stored;
//! - `sealing.rs` seals the audit trail in a tamper-evident log;
//! - `database.rs` names these files after the database;
//! - `app.rs` mounts the library's routers;
//! - `server.rs` limits the time for headers, and the number of connections;
//! - `mailing.rs` sends the codes of invitations to their addresses;
//! - `counting.rs` counts what became of invitations;
//! - `importing.rs` imports files of invitations in the background;
//! - `webhooks.rs` tells another system what happens: a receiver in this program;
//! - `register.rs` registers newcomers, with the proof of an address;
//! - `redeemer_secret.rs` keeps the secret from which the ids of their accounts are derived.

mod accounts;
mod addresses;
mod admission;
mod api;
mod app;
mod client_request;
mod config;
mod counting;
mod database;
mod importing;
mod keys;
mod mail;
mod mailing;
mod open;
mod pages;
mod params;
mod people;
mod pools;
mod problems;
mod records;
mod redeemer_secret;
mod register;
mod registrations;
mod reserving;
mod sealing;
mod secret;
mod seed;
mod server;
mod sessions;
mod standing;
mod tables;
mod webhooks;

use std::{error::Error as StdError, io::Write, net::Ipv4Addr, process::ExitCode, time::Duration};

use tokio::net::TcpListener;

use self::{addresses::Addresses, config::Config};

type Result<T = ()> = std::result::Result<T, Box<dyn StdError + Send + Sync>>;

/// The time that running requests get once the program is asked to stop.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    // Logs go to standard error, because standard output announces the address.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result {
    let config = Config::from_env()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port))
        .await
        .map_err(|error| format!("cannot listen on PORT {}: {error}", config.port))?;
    let listening = listener.local_addr()?;
    let addresses = Addresses::new(config.base_url.clone(), listening.port())?;
    let host = open::open(&config, &addresses).await?;
    let base = addresses.base;
    let (stop, out_of_patience) = (asked_to_stop()?, asked_to_stop()?);

    println!("listening on http://{listening}");
    println!("this is a demonstration: everyone who reaches it can sign in as any user");
    println!("invitations and users are kept in {:?}", config.database);
    println!("sign in at {base}/login, or send Authorization: Bearer demo-<username>");
    std::io::stdout().flush()?;

    // Requests in progress are answered, unless that takes too long.
    tokio::select! {
        () = server::serve(listener, app::app(host), stop) => {}
        () = async {
            out_of_patience.await;
            tokio::time::sleep(PATIENCE).await;
        } => {}
    }
    Ok(())
}

/// Waits for Ctrl-C, or for the signal by which a service is stopped.
///
/// # Errors
///
/// The signals cannot be listened to. This is known at the start: an error of the wait would
/// read like a signal, and stop the program.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut terminated = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
        })
    }
    #[cfg(windows)]
    {
        let mut interrupted = tokio::signal::windows::ctrl_c()?;
        Ok(async move {
            interrupted.recv().await;
        })
    }
}
