//! Processes write, and other processes share the feed by one cursor. Some of them are killed
//! between their work and the advance of the cursor: no event is lost. While the processes write,
//! the events are sealed in a log: it has each of them once.
//!
//! This is no libtest program, because it starts itself again as each of the processes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod child;

#[path = "../support/mod.rs"]
mod support;

use std::{
    collections::{HashMap, HashSet},
    env,
    io::{BufRead, BufReader, Lines},
    num::NonZeroU32,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use invitation_audit::{LogKey, MemoryLog, Sealer, Verdict, Verifier, verify_store};
use invitation_core::{code::OsEntropy, feed::CursorName};
use invitation_sqlx::sqlx::{MySql, Postgres, Sqlite};
use support::host::Kind;

/// The argument that marks a child process.
const CHILD: &str = "child";

/// The number of writing processes. Each has 16 writers.
const PROCESSES: usize = 4;

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some(CHILD) {
        let arguments: Vec<_> = arguments.collect();
        let [role, url, number] = arguments.try_into().expect("what the director says");
        return child::run(&role, &url, number.parse().unwrap()).await;
    }
    shared_feed_loses_nothing::<Sqlite>("SQLite").await;
    shared_feed_loses_nothing::<Postgres>("PostgreSQL").await;
    shared_feed_loses_nothing::<MySql>("MariaDB").await;
    sealed_log_has_each_event_once::<Sqlite>("SQLite").await;
    sealed_log_has_each_event_once::<Postgres>("PostgreSQL").await;
    sealed_log_has_each_event_once::<MySql>("MariaDB").await;
    println!("\n6 passed, 0 failed");
}

/// A child process and its output.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(role: &str, url: &str, number: usize) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([CHILD, role, url, &number.to_string()]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> Option<String> {
        self.lines.next().map(Result::unwrap)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A failed test leaves no process behind. A child that has ended cannot be killed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn shared_feed_loses_nothing<DB: Kind>(name: &str) {
    println!("consumers of {name}");
    let database = DB::empty();
    DB::open(&database.url).await.unwrap();
    let url = database.url.as_str();
    let mut writers: Vec<_> =
        (0..PROCESSES).map(|number| Process::start("write", url, number)).collect();
    let mut processed: HashMap<String, u32> = HashMap::new();
    // These consumers are killed while others write, each after its work on a page.
    for number in 0..3 {
        let mut consumer = Process::start("die", url, number);
        while let Some(id) = consumer.line().filter(|line| line != "processed") {
            *processed.entry(id).or_default() += 1;
        }
        consumer.kill();
    }
    let mut written = HashSet::new();
    for writer in &mut writers {
        while let Some(id) = writer.line() {
            written.insert(id);
        }
        assert!(writer.child.wait().unwrap().success(), "each writer ends");
    }
    assert_eq!(written.len(), PROCESSES * 16 * child::CALLS, "each writer has written");
    let mut consumers = [3, 4].map(|number| Process::start("consume", url, number));
    for consumer in &mut consumers {
        while let Some(id) = consumer.line() {
            *processed.entry(id).or_default() += 1;
        }
        assert!(consumer.child.wait().unwrap().success(), "each consumer ends");
    }
    let lost: Vec<_> = written.iter().filter(|id| !processed.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} events were lost", lost.len());
    assert_eq!(processed.len(), written.len(), "nothing else was processed");
    assert!(processed.values().any(|times| *times > 1), "a page of a killed consumer came again");
}

/// 64 writers in four processes write while their events are sealed, a few at a time. The log has no
/// gap and no event twice, and it is valid against its last checkpoint.
async fn sealed_log_has_each_event_once<DB: Kind>(name: &str) {
    println!("sealer of {name}");
    let database = DB::empty();
    let (store, log) = (DB::open(&database.url).await.unwrap(), MemoryLog::new());
    let key = LogKey::generate("example.com/invitations", &OsEntropy).unwrap();
    let verifier = Verifier::new([key.public_key().clone()]);
    let mut sealer =
        Sealer::new(&store, &log, key).with_page_size(NonZeroU32::MIN.saturating_add(19));
    let mut writers: Vec<_> =
        (0..PROCESSES).map(|number| Process::start("write", &database.url, number)).collect();
    let all = u64::try_from(PROCESSES * 16 * child::CALLS).unwrap();
    let cursor = CursorName::new("audit-log").unwrap();
    let (mut idle, mut appended_early) = (0, 0);
    let last = loop {
        let page = sealer.seal_with_cursor(&cursor).await.unwrap();
        let are_done = writers.iter_mut().all(|writer| writer.child.try_wait().unwrap().is_some());
        if !are_done {
            appended_early += page.appended;
        }
        if page.size == all && are_done {
            break page;
        }
        // PostgreSQL may hold the last events back for a moment.
        idle = if are_done { idle + 1 } else { 0 };
        assert!(idle < 1_000, "{} of {all} events are sealed", page.size);
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(appended_early > 0, "it was sealed while others wrote");
    for writer in &mut writers {
        assert!(writer.child.wait().unwrap().success(), "each writer ends");
    }
    let anchor = last.checkpoint.unwrap();
    let report = verify_store(&store, &log, verifier.with_anchor(&anchor).unwrap()).await.unwrap();
    assert_eq!(report.verdict, Verdict::Valid { anchored: all, sealed: all });
}
