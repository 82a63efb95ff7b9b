//! A disk that fills up under load, and has space again: the process goes on without being
//! started again, nothing that was acknowledged is lost, and no code is half-redeemed.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(target_os = "linux", feature = "sqlite", feature = "postgres", feature = "mysql"))]

mod support;

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use invitation_core::{Draft, Invitations, Metadata, Role};
use invitation_sqlx::{
    SqlStore,
    sqlx::{MySql, Pool, Postgres, Sqlite, pool::PoolOptions},
};
use invitation_testkit::SmallDisk;
use support::{
    admin,
    host::{Kind, number, run, try_to_add_user},
    redeemer,
};
use tokio::{task::JoinSet, time::sleep};

/// How long anything may take before the test is given up.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the spec allows between the server's first accepted write and the host's.
const SOON: Duration = Duration::from_secs(1);

/// What the callers have been told.
#[derive(Default)]
struct Told {
    is_over: AtomicBool,
    failures: AtomicU32,
    /// When a call succeeded last.
    latest: Mutex<Option<Instant>>,
    /// Which codes were redeemed, and by whom.
    redeemed: Mutex<Vec<(String, String)>>,
}

impl Told {
    fn redeemed(&self, code: &str, person: &str) {
        self.redeemed.lock().unwrap().push((code.to_owned(), person.to_owned()));
        *self.latest.lock().unwrap() = Some(Instant::now());
    }

    fn latest(&self) -> Option<Instant> {
        *self.latest.lock().unwrap()
    }
}

/// Metadata that make a row long, so that space runs out soon.
fn draft() -> Draft {
    let long = format!("{{\"note\": \"{}\"}}", "x".repeat(3_500));
    Draft::new()
        .with_role(Role::new("staff").unwrap())
        .with_metadata(Metadata::from_json(&long).unwrap())
}

/// One caller: creates codes and redeems each, and the shared code; alone, or with an account
/// in a transaction of the host's.
async fn call<DB: Kind>(
    invitations: Invitations<SqlStore<DB>>,
    shared: String,
    caller: u32,
    told: Arc<Told>,
) {
    let mut n = 0;
    while !told.is_over.load(Ordering::Relaxed) {
        n += 1;
        let with_account = caller.is_multiple_of(2);
        let person = format!("{}-{caller}-{n}", if with_account { "host" } else { "own" });
        let who = redeemer(&person);
        let done = async {
            let code = match invitations.create(&admin(), draft()).await {
                Ok(created) => created.code().reveal().to_string(),
                Err(_) => return None,
            };
            if with_account {
                let begun = DB::try_to_begin(invitations.store().pool()).await;
                let mut tx = begun.ok()?;
                try_to_add_user(&mut tx, &person).await.ok()?;
                invitations.on(invitations.store().join(&mut tx)).redeem(&code, &who).await.ok()?;
                tx.commit().await.ok()?;
                told.redeemed(&code, &person);
            } else {
                invitations.redeem(&code, &who).await.ok()?;
                told.redeemed(&code, &person);
                invitations.redeem(&shared, &who).await.ok()?;
                told.redeemed(&shared, &person);
            }
            Some(())
        };
        if done.await.is_none() {
            told.failures.fetch_add(1, Ordering::Relaxed);
        }
        sleep(Duration::from_millis(5)).await;
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A host under load: eight callers, and what they have been told.
struct Load<DB: Kind> {
    invitations: Invitations<SqlStore<DB>>,
    told: Arc<Told>,
    callers: JoinSet<()>,
}

impl<DB: Kind> Load<DB> {
    /// Starts the callers, and fills the disk when they have redeemed some codes.
    async fn until_disk_is_full(store: SqlStore<DB>, probe: &Pool<DB>, disk: &SmallDisk) -> Self {
        let invitations = Invitations::new(store);
        run(probe, "CREATE TABLE users (name VARCHAR(60) PRIMARY KEY)").await;
        run(probe, "CREATE TABLE probes (n INT)").await;
        let many = Draft::new().with_role(Role::new("staff").unwrap());
        let many = many.for_uses(NonZeroU32::new(100_000).unwrap());
        let created = invitations.create(&admin(), many).await.unwrap();
        let shared = created.code().reveal().to_string();

        let told = Arc::new(Told::default());
        let mut callers = JoinSet::new();
        for caller in 0..8 {
            let told = Arc::clone(&told);
            callers.spawn(call(invitations.clone(), shared.clone(), caller, told));
        }
        until("it works while there is space", || told.redeemed.lock().unwrap().len() > 40).await;
        assert_eq!(told.failures.load(Ordering::Relaxed), 0);
        disk.fill().unwrap();
        Self { invitations, told, callers }
    }

    /// Ends the callers, and compares what they were told with what is stored.
    async fn end(mut self, probe: &Pool<DB>) {
        self.told.is_over.store(true, Ordering::Relaxed);
        while let Some(done) = self.callers.join_next().await {
            done.unwrap();
        }
        // Nothing that was acknowledged is lost.
        let redeemed = std::mem::take(&mut *self.told.redeemed.lock().unwrap());
        for (code, person) in &redeemed {
            let again = self.invitations.redeem(code, &redeemer(person)).await.unwrap();
            assert!(again.is_replayed(), "{person}");
        }
        // No code is half-redeemed, and no account is without a code.
        let counted = async |sql: &str| number(probe, sql).await;
        let uses = counted("SELECT uses FROM invitation_codes WHERE max_uses > 1").await;
        let ledger = counted("SELECT COUNT(*) FROM invitation_redemptions").await;
        assert_eq!(uses, ledger);
        let single =
            counted("SELECT COUNT(*) FROM invitation_codes WHERE max_uses = 1 AND uses = 1");
        let events = "SELECT COUNT(*) FROM invitation_events WHERE action = 'redeem' \
                      AND reason IS NULL AND outcome = 'succeeded'";
        assert_eq!(single.await + ledger, counted(events).await);
        let without_event = "SELECT COUNT(*) FROM invitation_codes i WHERE i.uses > 0 AND NOT \
                             EXISTS (SELECT 1 FROM invitation_events e WHERE e.id = i.used_id)";
        assert_eq!(counted(without_event).await, 0);
        let hosts = "SELECT COUNT(*) FROM invitation_codes WHERE used_name LIKE 'host-%'";
        assert_eq!(counted(hosts).await, counted("SELECT COUNT(*) FROM users").await);
    }

    /// Waits until each of the callers, on each of the connections, has succeeded again.
    async fn goes_on(&self) {
        let so_far = self.told.redeemed.lock().unwrap().len();
        until("it goes on", || self.told.redeemed.lock().unwrap().len() > so_far + 80).await;
    }
}

async fn serves_again<DB: Kind>(store: SqlStore<DB>, probe: Pool<DB>, disk: SmallDisk) {
    let load = Load::until_disk_is_full(store, &probe, &disk).await;
    let told = Arc::clone(&load.told);
    until("there is no space", || told.failures.load(Ordering::Relaxed) > 20).await;
    disk.make_room().unwrap();

    let begun = Instant::now();
    let accepted = loop {
        if DB::try_to_run(&probe, "INSERT INTO probes VALUES (1)").await.is_ok() {
            break Instant::now();
        }
        assert!(begun.elapsed() < PATIENCE, "the server accepts nothing");
        sleep(Duration::from_millis(5)).await;
    };
    until("it serves again", || told.latest().is_some_and(|latest| latest > accepted)).await;
    let waited = told.latest().unwrap() - accepted;
    assert!(waited < SOON, "{waited:?}");
    load.goes_on().await;
    load.end(&probe).await;
}

/// The same on a server whose logs are on the full disk, too. It may stop, or wait for space, so
/// it is ended and started again. The process of the host goes on.
async fn loses_nothing<DB: Kind>(
    url: &str,
    disk: SmallDisk,
    stop: impl FnOnce(),
    start_again: impl FnOnce(),
) {
    let store = SqlStore::<DB>::new(pool(url).await);
    store.migrate().await.unwrap();
    let probe = pool(url).await;
    let load = Load::until_disk_is_full(store, &probe, &disk).await;
    // With no space, each call fails or waits.
    let told = Arc::clone(&load.told);
    let is_quiet = || told.latest().is_some_and(|latest| latest.elapsed() > Duration::from_secs(1));
    until("there is no space", is_quiet).await;
    stop();
    disk.make_room().unwrap();
    start_again();
    load.goes_on().await;
    load.end(&probe).await;
}

async fn pool<DB: Kind>(url: &str) -> Pool<DB> {
    let options = PoolOptions::new().max_connections(6).acquire_timeout(Duration::from_secs(10));
    options.connect(url).await.unwrap()
}

async fn on_server<DB: Kind>(url: String, disk: SmallDisk) {
    let store = SqlStore::<DB>::new(pool(&url).await);
    store.migrate().await.unwrap();
    serves_again(store, pool(&url).await, disk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_serves_again() {
    let (server, disk) = invitation_testkit::Postgres::on_small_disk().unwrap();
    on_server::<Postgres>(server.create_database(), disk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_serves_again() {
    let (server, disk) = invitation_testkit::MariaDb::on_small_disk().unwrap();
    on_server::<MySql>(server.create_database(), disk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_with_its_log_on_the_full_disk_loses_nothing() {
    let (server, disk) = invitation_testkit::Postgres::on_small_disk_with_logs().unwrap();
    let url = server.create_database();
    let stop = || server.stop_now().unwrap();
    loses_nothing::<Postgres>(&url, disk, stop, || server.start_again().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_with_its_logs_on_the_full_disk_loses_nothing() {
    let (server, disk) = invitation_testkit::MariaDb::on_small_disk_with_logs().unwrap();
    let url = server.create_database();
    let stop = || server.stop_now().unwrap();
    loses_nothing::<MySql>(&url, disk, stop, || server.start_again().unwrap()).await;
}

/// The journal (`-wal`) is on the same disk.
///
/// In a process of its own, which sees a disk of its own.
#[test]
fn sqlite_serves_again() {
    const FOLDER: &str = "INVITATION_SMALL_DISK";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = std::path::PathBuf::from(folder);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(async {
            let file = folder.join("host.db");
            let store = Sqlite::open(&format!("sqlite:{}", file.display())).await.unwrap();
            let probe = pool::<Sqlite>(&format!("sqlite:{}", file.display())).await;
            serves_again(store, probe, SmallDisk::at(folder)).await;
        });
    }
    let folder = tempfile::tempdir().unwrap();
    let mounts = "mount -t tmpfs -o size=48m tmpfs \"$0\" && exec \"$@\"";
    let this = std::env::current_exe().unwrap();
    let done = std::process::Command::new("unshare")
        // Not only root may mount something for itself.
        .args(["--map-root-user", "--mount", "sh", "-c", mounts])
        .arg(folder.path())
        .arg(this)
        .args(["--exact", "sqlite_serves_again", "--nocapture"])
        .env(FOLDER, folder.path())
        .status()
        .unwrap();
    assert!(done.success());
}
