//! Imports a file of many rows as a job, and compares the rate with that of `create_many`, which is
//! the bare bulk insert of the same rows. It also says by how much the memory of the process grows.
//!
//! ```text
//! cargo build --release -p invitation-benches --example imports
//! target/release/examples/imports postgres 1000000 3
//! target/release/examples/imports sqlite 1000000 3
//! target/release/examples/imports redis 100000 3
//! ```
//!
//! The arguments are the store, the number of rows and the number of rounds; the defaults of the
//! numbers are 100,000 and 3. In each round every side runs once, in a changing order: `create_many`
//! with 1,000 rows in one call, the import of as many rows as possible, and the atomic import, which
//! is one transaction. Redis has no transactions, so it has no atomic import of this size.
//!
//! Each side runs in a process of its own on a new and empty server, which waits for the disk. So
//! neither the size of the tables nor memory that an earlier side has freed changes the result. The
//! import also reads the file, looks up invited addresses, and keeps the outcome of each row and the
//! progress; the time of the upload does not count. An atomic import reads the file twice.
//!
//! The growth of memory is the peak of the resident memory during the side, less the resident memory
//! at its beginning. On SQLite it contains the cache of the database. Linux only, for the memory.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

use std::{env, fs, io::Write, process::Command, time::Instant};

use invitation::{
    Actor, Division, Draft, Email, Invitations, PgStore, RedisStore, Role, SqliteStore, Store,
    SystemActor, UserId,
    import::{
        ImportMode,
        file::FileFormat,
        jobs::{ImportOrder, ImportState, Imports},
    },
    redis_store::RedisOptions,
    store::documents::Documents,
    web::FolderSpool,
};
use invitation_testkit::{Postgres, Redis};

const AT_ONCE: usize = 1_000;

/// The environment variables that make this program one side: its name, the URL of the database,
/// and the number of rows.
const SIDE: &str = "IMPORTS_SIDE";
const URL: &str = "IMPORTS_URL";
const ROWS: &str = "IMPORTS_ROWS";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    CreateMany,
    BestEffort,
    Atomic,
}

impl Side {
    const ALL: [Self; 3] = [Self::CreateMany, Self::BestEffort, Self::Atomic];

    fn name(self) -> &'static str {
        match self {
            Self::CreateMany => "create_many",
            Self::BestEffort => "best effort",
            Self::Atomic => "atomic",
        }
    }
}

#[tokio::main]
async fn main() {
    if let Ok(name) = env::var(SIDE) {
        let side = Side::ALL.into_iter().find(|side| side.name() == name).unwrap();
        let rows = env::var(ROWS).unwrap().parse().unwrap();
        return run_side(side, &env::var(URL).unwrap(), rows).await;
    }
    let arguments: Vec<_> = env::args().skip(1).collect();
    let number = |n: usize, default: usize| {
        arguments.get(n).map_or(default, |number| number.parse().expect("a number"))
    };
    let store = arguments.first().expect("postgres, sqlite or redis");
    compare(store, number(1, 100_000), number(2, 3));
}

/// Runs all sides in alternating rounds, and prints one line.
fn compare(store: &str, rows: usize, rounds: usize) {
    let mut sides: Vec<_> = Side::ALL.into_iter().map(|side| (side, Vec::new())).collect();
    if store == "redis" {
        sides.retain(|(side, _)| *side != Side::Atomic);
    }
    for round in 0..rounds {
        let number = sides.len();
        for n in 0..number {
            let (side, measured) = &mut sides[(n + round) % number];
            measured.push(on_a_new_server(store, *side, rows));
        }
    }
    let bare = median(sides[0].1.iter().map(|(rate, _)| *rate));
    print!("{store}, {rows} rows, {rounds} rounds: create_many {bare:.0} rows/s");
    for (side, measured) in &sides[1..] {
        let rate = median(measured.iter().map(|(rate, _)| *rate));
        let of_round = sides[0].1.iter().zip(measured);
        let ratio = median(of_round.map(|((bare, _), (rate, _))| rate / bare));
        let growth = measured.iter().map(|(_, growth)| *growth).fold(0.0, f64::max);
        let name = side.name();
        print!("; {name} {rate:.0} rows/s, ratio {ratio:.2}, memory +{growth:.1} MB");
    }
    println!();
}

/// Returns the rows per second of a side, and the growth of its memory in megabytes.
fn on_a_new_server(store: &str, side: Side, rows: usize) -> (f64, f64) {
    match store {
        "postgres" => {
            let server = Postgres::durable().unwrap();
            in_a_process(side, &server.create_database(), rows)
        }
        "sqlite" => {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("bench.db");
            in_a_process(side, &format!("sqlite:{}", file.display()), rows)
        }
        "redis" => {
            let server = Redis::durable().unwrap();
            in_a_process(side, &server.url(), rows)
        }
        other => panic!("no store {other}"),
    }
}

fn in_a_process(side: Side, url: &str, rows: usize) -> (f64, f64) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(SIDE, side.name()).env(URL, url).env(ROWS, rows.to_string());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (rate, growth) = said.trim().split_once(' ').unwrap();
    (rate.parse().unwrap(), growth.parse().unwrap())
}

/// Measures a side, and prints the two numbers.
async fn run_side(side: Side, url: &str, rows: usize) {
    let (rate, growth) = match url.split_once(':').unwrap() {
        ("postgres", _) => {
            let store = PgStore::connect(url).await.unwrap();
            measure(store, side, rows, async |imports, invitations| {
                let _ = imports.run_in_transactions(invitations).await.unwrap();
            })
            .await
        }
        ("sqlite", path) => {
            let store = SqliteStore::open(path).await.unwrap();
            measure(store, side, rows, async |imports, invitations| {
                let _ = imports.run_in_transactions(invitations).await.unwrap();
            })
            .await
        }
        _ => {
            let store = RedisStore::connect(url, RedisOptions::new()).await.unwrap();
            measure(store, side, rows, async |imports, invitations| {
                let _ = imports.run(invitations).await.unwrap();
            })
            .await
        }
    };
    println!("{rate} {growth}");
}

async fn measure<S: Store + Documents + Clone + 'static>(
    store: S,
    side: Side,
    rows: usize,
    run: impl AsyncFn(&Imports, &Invitations<S>),
) -> (f64, f64) {
    let mode = match side {
        Side::CreateMany => return create_many(&Invitations::new(store), rows).await,
        Side::BestEffort => ImportMode::BestEffort,
        Side::Atomic => ImportMode::AllOrNone,
    };
    let folder = tempfile::tempdir().unwrap();
    let imports = Imports::new(store.clone(), FolderSpool::open(folder.path()).unwrap());
    let invitations = Invitations::new(store);
    let admin = Actor::across_divisions(UserId::new("u-0").unwrap(), Role::new("admin").unwrap());
    let order = ImportOrder::new(FileFormat::Csv).with_mode(mode);
    let mut upload = imports.upload(&invitations, &admin, order).await.unwrap();
    upload.write(b"email,role,division\n").await.unwrap();
    let mut piece = Vec::new();
    for n in 0..rows {
        writeln!(piece, "{},staff,sales", address(n)).unwrap();
        if piece.len() > 64 * 1_024 {
            upload.write(&piece).await.unwrap();
            piece.clear();
        }
    }
    upload.write(&piece).await.unwrap();
    let id = upload.submit(&invitations, None).await.unwrap().job.id();

    let memory = Memory::now();
    let start = Instant::now();
    run(&imports, &invitations).await;
    let seconds = start.elapsed().as_secs_f64();
    let growth = memory.growth();
    let job = imports.get(&invitations, &admin, id).await.unwrap();
    assert_eq!(job.state(), ImportState::Done, "{:?}", job.reason());
    assert_eq!(usize::try_from(job.progress().created).unwrap(), rows);
    (per_second(rows, seconds), growth)
}

/// Creates a thousand invitations in one call, again and again.
async fn create_many<S: Store>(invitations: &Invitations<S>, rows: usize) -> (f64, f64) {
    let system = SystemActor::for_bootstrap();
    let (memory, mut seconds) = (Memory::now(), 0.0);
    for part in 0..rows.div_ceil(AT_ONCE) {
        let numbers = part * AT_ONCE..rows.min((part + 1) * AT_ONCE);
        let drafts = numbers.map(|n| {
            Draft::new()
                .with_role(Role::new("staff").unwrap())
                .in_division(Division::new("sales").unwrap())
                .for_email(Email::parse(&address(n)).unwrap())
        });
        let drafts = drafts.collect();
        let start = Instant::now();
        invitations.create_many(&system, drafts).await.unwrap();
        seconds += start.elapsed().as_secs_f64();
    }
    (per_second(rows, seconds), memory.growth())
}

fn address(n: usize) -> String {
    format!("person-{n}@example.com")
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows is far below 2⁵³")]
fn per_second(rows: usize, seconds: f64) -> f64 {
    rows as f64 / seconds
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// The resident memory of the process at an instant, in kilobytes.
struct Memory(u32);

impl Memory {
    /// Begins the highest mark of the memory anew.
    fn now() -> Self {
        fs::write("/proc/self/clear_refs", "5").unwrap();
        Self(status("VmRSS:"))
    }

    /// Returns by how many megabytes the memory was larger at its highest mark since.
    fn growth(&self) -> f64 {
        f64::from(status("VmHWM:").saturating_sub(self.0)) / 1_024.0
    }
}

/// Returns a value of the process, in kilobytes.
fn status(name: &str) -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
