//! Imports a file of many rows as a job, and compares the rate with that of `create_many` on the
//! same store, in alternating rounds. It also says by how much the memory of the process grows.
//!
//! ```text
//! cargo run --release -p invitation-benches --example imports -- URL [ROWS] [ROUNDS] [atomic]
//! ```
//!
//! `URL` is `postgres://…`, `sqlite:PATH` or `redis://…`. The defaults are 100,000 rows, 3 rounds
//! and best effort. Both sides create invitations for as many addresses, 1,000 in one call. The
//! import also reads the file, looks up invited addresses, and keeps the outcome of each row and the
//! progress. The documents of the imports are in memory. Linux only, for the memory.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]
#![expect(clippy::future_not_send, reason = "the main task awaits these futures")]

use std::{env, fs, io::Write, time::Instant};

use invitation::{
    Actor, Division, Draft, Email, Invitations, MemoryStore, PgStore, RedisStore, Role,
    SqliteStore, Store, SystemActor, UserId,
    import::{
        ImportMode,
        file::FileFormat,
        jobs::{ImportOrder, ImportState, Imports},
    },
    redis_store::RedisOptions,
    sql::sqlx::PgPool,
    web::FolderSpool,
};

const AT_ONCE: usize = 1_000;

struct Extent {
    rows: usize,
    rounds: usize,
    mode: ImportMode,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let number = |n: usize, default: usize| {
        arguments.get(n).map_or(default, |number| number.parse().expect("a number"))
    };
    let is_atomic = arguments.get(3).is_some_and(|word| word == "atomic");
    let mode = if is_atomic { ImportMode::AllOrNone } else { ImportMode::BestEffort };
    let extent = Extent { rows: number(1, 100_000), rounds: number(2, 3), mode };
    let url = arguments.first().expect("the URL of a database");
    let (kind, path) = url.split_once(':').expect("a URL");
    match kind {
        "postgres" => {
            let store = PgStore::new(PgPool::connect(url).await.unwrap());
            store.migrate().await.unwrap();
            measure(store, &extent, async |imports, invitations| {
                let _ = imports.run_in_transactions(invitations).await.unwrap();
            })
            .await;
        }
        "sqlite" => {
            let store = SqliteStore::open(path).await.unwrap();
            measure(store, &extent, async |imports, invitations| {
                let _ = imports.run_in_transactions(invitations).await.unwrap();
            })
            .await;
        }
        "redis" => {
            let store = RedisStore::connect(url, RedisOptions::new()).await.unwrap();
            measure(store, &extent, async |imports, invitations| {
                let _ = imports.run(invitations).await.unwrap();
            })
            .await;
        }
        other => panic!("no store for {other}"),
    }
}

async fn measure<S: Store>(
    store: S,
    extent: &Extent,
    run: impl AsyncFn(&Imports, &Invitations<S>),
) {
    let folder = env::temp_dir().join(format!("imports-{}", std::process::id()));
    let imports = Imports::new(MemoryStore::new(), FolderSpool::open(&folder).unwrap());
    let invitations = Invitations::new(store);
    let Extent { rows, rounds, mode } = *extent;
    println!("{rows} rows, {mode:?}");
    println!("| round | create_many | import | ratio | growth of memory by the import |");
    println!("|---|---|---|---|---|");
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let (mut bare, mut import) = (0.0, (0.0, 0));
        for side in [round % 2, 1 - round % 2] {
            if side == 0 {
                bare = create_many(&invitations, rows, round).await;
            } else {
                import = import_file(&invitations, &imports, extent, round, &run).await;
            }
        }
        let (rate, growth) = import;
        let ratio = rate / bare;
        println!("| {} | {bare:.0}/s | {rate:.0}/s | {ratio:.2} | {growth} kB |", round + 1);
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median: {:.2}", ratios[ratios.len() / 2]);
    fs::remove_dir_all(folder).unwrap();
}

/// Returns the invitations per second of calls that create a thousand.
async fn create_many<S: Store>(invitations: &Invitations<S>, rows: usize, round: usize) -> f64 {
    let system = SystemActor::for_bootstrap();
    let mut seconds = 0.0;
    for part in 0..rows.div_ceil(AT_ONCE) {
        let numbers = part * AT_ONCE..rows.min((part + 1) * AT_ONCE);
        let drafts = numbers.map(|n| {
            Draft::new()
                .with_role(Role::new("staff").unwrap())
                .in_division(Division::new("sales").unwrap())
                .for_email(Email::parse(&format!("bare-{round}-{n}@example.com")).unwrap())
        });
        let drafts = drafts.collect();
        let start = Instant::now();
        invitations.create_many(&system, drafts).await.unwrap();
        seconds += start.elapsed().as_secs_f64();
    }
    per_second(rows, seconds)
}

/// Returns the rows per second of an import, without its upload, and by how many kilobytes the
/// memory grew.
async fn import_file<S: Store>(
    invitations: &Invitations<S>,
    imports: &Imports,
    extent: &Extent,
    round: usize,
    run: &impl AsyncFn(&Imports, &Invitations<S>),
) -> (f64, u64) {
    let admin = Actor::across_divisions(UserId::new("u-0").unwrap(), Role::new("admin").unwrap());
    let order = ImportOrder::new(FileFormat::Csv).with_mode(extent.mode);
    let mut upload = imports.upload(invitations, &admin, order).await.unwrap();
    upload.write(b"email,role,division\n").await.unwrap();
    let mut piece = Vec::new();
    for n in 0..extent.rows {
        writeln!(piece, "import-{round}-{n}@example.com,staff,sales").unwrap();
        if piece.len() > 64 * 1_024 {
            upload.write(&piece).await.unwrap();
            piece.clear();
        }
    }
    upload.write(&piece).await.unwrap();
    let id = upload.submit(invitations, None).await.unwrap().job.id().unwrap();

    // Begins the highest mark of the memory anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let start = Instant::now();
    run(imports, invitations).await;
    let seconds = start.elapsed().as_secs_f64();
    let growth = memory("VmHWM:").saturating_sub(before);
    let job = imports.get(invitations, &admin, id).await.unwrap();
    assert_eq!(job.state(), ImportState::Done, "{:?}", job.reason());
    assert_eq!(usize::try_from(job.progress().created).unwrap(), extent.rows);
    (per_second(extent.rows, seconds), growth)
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows is far below 2⁵³")]
fn per_second(rows: usize, seconds: f64) -> f64 {
    rows as f64 / seconds
}

/// Returns a value of the process, in kilobytes.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
