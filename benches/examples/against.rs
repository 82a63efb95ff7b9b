//! Compares two builds of the program `load` on the same server, in alternating rounds. Run it
//! by `scripts/bench-against`, which builds them.
//!
//! ```text
//! against BEFORE AFTER [postgres|mysql|sqlite|redis]
//! ```
//!
//! Environment variables:
//!
//! - `INVITATION_BENCH_CALLERS`: the numbers of callers, `1,16,32,128,512` by default.
//! - `INVITATION_BENCH_ROUNDS`: the number of rounds, 9 by default.
//! - `INVITATION_BENCH_SECONDS`: how long each side of a round runs, 2 by default.
//! - `INVITATION_BENCH_WITHOUT_FEED`: if set, the side AFTER writes no position of the feed on
//!   PostgreSQL, as versions without a feed. It shows what the rest of the difference is.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

#[path = "../benches/shared/durable.rs"]
mod durable;

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use invitation::sql::sqlx::{self, PgPool};
use invitation_testkit::{MariaDb, Redis};

/// A running program `load`, on a database of its own.
struct Side {
    program: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Side {
    fn start(program: &str, url: &str) -> Self {
        let mut command = Command::new(program);
        let mut program =
            command.arg(url).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (program.stdin.take(), program.stdout.take().unwrap());
        Self { program, input, output: BufReader::new(output) }
    }

    /// Returns the redemptions per second.
    fn rate(&mut self, callers: usize, millis: u128) -> f64 {
        writeln!(self.input.as_mut().unwrap(), "{callers} {millis}").unwrap();
        let mut rate = String::new();
        self.output.read_line(&mut rate).unwrap();
        rate.trim().parse().expect("the program says why it ended")
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        // The program ends with its input.
        self.input = None;
        self.program.wait().ok();
    }
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let (before, after) = (&arguments[0], &arguments[1]);
    let database = arguments.get(2).map_or("postgres", String::as_str);
    let folder = tempfile::tempdir().unwrap();
    let (urls, _server): ([String; 2], Box<dyn std::any::Any>) = match database {
        "postgres" => {
            let server = durable::postgres().await;
            ([server.create_database(), server.create_database()], Box::new(server))
        }
        "mysql" => {
            let server = MariaDb::durable().unwrap();
            ([server.create_database(), server.create_database()], Box::new(server))
        }
        "redis" => {
            // Each side has a server, because both would use the same keys.
            let servers = [Redis::durable().unwrap(), Redis::durable().unwrap()];
            (servers.each_ref().map(Redis::url), Box::new(servers))
        }
        "sqlite" => {
            let file = |name| format!("sqlite:{}", folder.path().join(name).display());
            ([file("before.db"), file("after.db")], Box::new(()))
        }
        other => panic!("no database is called {other}"),
    };
    let mut sides = [Side::start(before, &urls[0]), Side::start(after, &urls[1])];
    let rounds: usize = setting("INVITATION_BENCH_ROUNDS", "9").parse().unwrap();
    let seconds: f64 = setting("INVITATION_BENCH_SECONDS", "2").parse().unwrap();
    let millis = std::time::Duration::from_secs_f64(seconds).as_millis();

    if env::var_os("INVITATION_BENCH_WITHOUT_FEED").is_some() {
        assert_eq!(database, "postgres", "only PostgreSQL can leave out the feed's position");
        // The program's first answer shows that its tables exist.
        sides[1].rate(1, 500);
        leave_out_the_feed(&urls[1]).await;
    }

    println!("\n{database}: redemptions per second, medians of {rounds} alternating rounds\n");
    println!("| callers | before | after | after / before | lowest and highest of the rounds |");
    println!("|---|---|---|---|---|");
    for callers in setting("INVITATION_BENCH_CALLERS", "1,16,32,128,512").split(',') {
        let callers = callers.trim().parse().unwrap();
        let (mut rates, mut ratios) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // The side that begins changes with each round.
            let first = round % 2;
            let mut of = [0.0; 2];
            for side in [first, 1 - first] {
                of[side] = sides[side].rate(callers, millis);
            }
            ratios.push(of[1] / of[0]);
            rates.push(of);
        }
        let [before, after] = [0, 1].map(|side| median(rates.iter().map(|of| of[side]).collect()));
        let (lowest, highest) = ratios
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), ratio| (low.min(*ratio), high.max(*ratio)));
        println!(
            "| {callers} | {before:.0} | {after:.0} | {:.2} | {lowest:.2} to {highest:.2} |",
            median(ratios)
        );
    }
}

/// Takes the work for the position in the feed away from the table of events: the transaction's
/// number, the sequence and their index.
async fn leave_out_the_feed(url: &str) {
    let pool = PgPool::connect(url).await.unwrap();
    let statements = "DROP INDEX invitation_events_feed;
        ALTER TABLE invitation_events ALTER transaction SET DEFAULT '0';
        ALTER TABLE invitation_events ALTER sequence DROP IDENTITY;
        ALTER TABLE invitation_events ALTER sequence SET DEFAULT 0";
    sqlx::raw_sql(statements).execute(&pool).await.unwrap();
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
