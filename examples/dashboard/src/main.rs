//! A host with everything: people who sign in, the JSON API, the dashboard, and the page
//! where newcomers register with a code.
//!
//! ```text
//! cargo run -p invitation-demo
//! ```
//!
//! It is a demonstration: whoever reaches its port can sign in as anybody, without a
//! password. So it listens on the loopback interface only.
//!
//! | variable | |
//! |---|---|
//! | `PORT` | 3000 by default; 0 takes a free one |
//! | `DATABASE_URL` | `sqlite:…`, `postgres://…`, `mysql://…` or `redis://…`; by default a SQLite file in the working directory |
//! | `DEMO_RESET` | `1` begins with an empty store |
//! | `BASE_URL` | where it is reached, for links and for names beside those of the loopback interface; by default `http://127.0.0.1:<PORT>` |
//!
//! Where to look: `admission.rs` makes an account and redeems a code in one transaction, and
//! `reserving.rs` where there can be none;
//! `people.rs` tells the library who is acting; `app.rs` mounts its routers; `register.rs`
//! has the newcomer's side, with the proof of an address.

mod accounts;
mod addresses;
mod admission;
mod api;
mod app;
mod config;
mod mail;
mod open;
mod pages;
mod people;
mod problems;
mod records;
mod register;
mod registrations;
mod reserving;
mod secret;
mod seed;
mod sessions;
mod tables;

use std::{error::Error as StdError, io::Write, net::Ipv4Addr, process::ExitCode, time::Duration};

use tokio::net::TcpListener;

use self::{addresses::Addresses, config::Config};

type Result<T = ()> = std::result::Result<T, Box<dyn StdError + Send + Sync>>;

/// How long requests may still take once the program is asked to stop.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    // To the standard error: the standard output says where the program listens.
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

    println!("listening on http://{listening}");
    println!("this is a demonstration: whoever reaches it can sign in as anybody");
    println!("invitations and users are kept in {:?}", config.database);
    println!("sign in at {base}/login, or send Authorization: Bearer demo-<username>");
    std::io::stdout().flush()?;

    // The requests that have begun are answered, unless that takes too long.
    tokio::select! {
        served = axum::serve(listener, app::app(host))
            .with_graceful_shutdown(asked_to_stop())
            .into_future() => served?,
        () = async {
            asked_to_stop().await;
            tokio::time::sleep(PATIENCE).await;
        } => {}
    }
    Ok(())
}

/// Ctrl-C, or the signal by which a service is stopped.
async fn asked_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    interrupted.await.ok();
}
