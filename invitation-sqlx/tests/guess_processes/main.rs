//! Processes share the budget of failed guesses: all of them together evaluate at most the
//! budget and one block each, also those that were killed and started again.
//!
//! This is no libtest program, because it starts itself again as each of the processes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod child;

#[path = "../support/mod.rs"]
mod support;

use std::{
    env,
    process::{Child, Command, Stdio},
};

use invitation_core::{Draft, Invitations};
use invitation_sqlx::sqlx::{MySql, Postgres, Sqlite};
use support::{host::Kind, manager};

/// The argument that marks a child process.
const CHILD: &str = "child";

/// The default budget of one source, and its block.
const BUDGET: usize = 30;
const BLOCK: usize = 10;

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some(CHILD) {
        let arguments: Vec<_> = arguments.collect();
        let [url, source, minute, code] = arguments.try_into().expect("what the director says");
        return child::run(&url, &source, minute.parse().unwrap(), &code).await;
    }
    for source in child::SOURCES {
        budget_holds::<Sqlite>("SQLite", source).await;
        budget_holds::<Postgres>("PostgreSQL", source).await;
        budget_holds::<MySql>("MariaDB", source).await;
    }
    println!("\n{} passed, 0 failed", 3 * child::SOURCES.len());
}

/// A process that guesses. It is killed if this is dropped.
struct Guesser(Option<Child>);

impl Guesser {
    fn start(url: &str, source: &str, minute: i64, code: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([CHILD, url, source, &minute.to_string(), code]);
        Self(Some(command.stdout(Stdio::piped()).spawn().unwrap()))
    }

    /// Returns how many guesses were evaluated, and whether the holder's code was redeemed.
    fn result(mut self) -> (usize, bool) {
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "each process ends");
        let text = String::from_utf8(output.stdout).unwrap();
        let (evaluated, redeemed) = text.trim().split_once(' ').unwrap();
        (evaluated.parse().unwrap(), redeemed.parse().unwrap())
    }
}

impl Drop for Guesser {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

async fn budget_holds<DB: Kind>(name: &str, source: &str) {
    println!("guesses on {name}, source {source}");
    let database = DB::empty();
    let url = database.url.as_str();
    let invitations = Invitations::new(DB::open(url).await.unwrap()).with_clock(child::clock(0));
    let mut codes = Vec::new();
    for _ in 0..3 {
        let created = invitations.create(&manager(), Draft::new()).await.unwrap();
        codes.push(created.code().reveal().to_string());
    }
    // Two processes at the same time; then each of them again, as after a restart.
    let mut evaluated = Vec::new();
    for round in 0..2 {
        let running = [(); 2].map(|()| Guesser::start(url, source, 0, &codes[0]));
        for guesser in running {
            let (number, redeemed) = guesser.result();
            assert!(!redeemed, "round {round}: the holder waits, for the source is the same");
            evaluated.push(number);
        }
    }
    let all: usize = evaluated.iter().sum();
    println!("evaluated by each process: {evaluated:?}");
    assert!(all <= BUDGET + BLOCK * evaluated.len(), "{evaluated:?}");
    assert!(all >= BUDGET, "the whole budget can be used: {evaluated:?}");
    // A process that guesses one after the other learns with its first failure what is spent.
    let (elsewhere, redeemed) = Guesser::start(url, "elsewhere", 0, &codes[1]).result();
    assert_eq!((elsewhere, redeemed), (0, true), "at once from another source");
    let (later, redeemed) = Guesser::start(url, source, 1, &codes[2]).result();
    assert!(later <= BUDGET + BLOCK && redeemed, "a minute later: {later}, {redeemed}");
}
