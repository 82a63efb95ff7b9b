//! The worker of the tests, as a process of its own.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use invitation_core::{
    Invitations,
    delivery::{BaseUrl, Deliveries, RegistrationPage},
    documents::Documents,
    feed::{CursorHolder, CursorName},
};
use invitation_delivery::{
    Backoff, Consumer,
    mail::{MailQueue, MailWorker, Phrases, SmtpMailer, StandardTemplate},
};
use invitation_redis::RedisStore;
use invitation_sqlx::{PgStore, SqliteStore};
use time::Duration;

use crate::places::{Everything, redis_options};

/// The environment variables that make this program a worker: its database and mail server.
const DATABASE: &str = "INVITATION_MAIL_DATABASE";
const SERVER: &str = "INVITATION_MAIL_SERVER";

/// The time after which another worker continues. A killed worker holds its claims so long, so it
/// is most of the time of a round. A worker that needs longer sends a mail twice at most, under the
/// same id.
const LEASE: Duration = Duration::milliseconds(200);

pub(crate) fn cursor() -> CursorName {
    CursorName::new("mail").unwrap()
}

/// A worker process.
pub(crate) struct WorkerProcess {
    child: Child,
    sent: Arc<AtomicUsize>,
}

impl WorkerProcess {
    pub(crate) fn start(database: &str, server: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "worker::one_of_the_workers"])
            .env(DATABASE, database)
            .env(SERVER, server)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&sent);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if line == "sent" {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { child, sent }
    }

    /// Returns whether the worker has marked a mail as sent.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // A failed test leaves no process behind. One that has ended cannot be killed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The program of the worker processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_the_workers() {
    let Ok(database) = env::var(DATABASE) else { return };
    match database.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => work(SqliteStore::connect(&database).await.unwrap()).await,
        Some("redis") => {
            work(RedisStore::connect(&database, redis_options()).await.unwrap()).await;
        }
        _ => work(PgStore::connect(&database).await.unwrap()).await,
    }
}

/// Works until the process is killed.
async fn work<S: Everything>(store: S) {
    let documents: Arc<dyn Documents> = Arc::new(store.clone());
    let deliveries = Deliveries::new(Invitations::new(store.clone()), documents);
    let holder = CursorHolder::new(format!("worker:{}", std::process::id())).unwrap();
    let consumer = Consumer::new(store, cursor(), holder).with_lease(LEASE);
    let queue = MailQueue::new(deliveries.clone());
    let mailer = SmtpMailer::new(&env::var(SERVER).unwrap(), "no-reply@example.com").unwrap();
    let template = StandardTemplate::new(Phrases::english("Perfect10"));
    let page = RegistrationPage::new(BaseUrl::parse("https://example.com").unwrap());
    // A mail whose worker is killed at each attempt must not be given up.
    let wait = Duration::milliseconds(50);
    let worker = MailWorker::new(deliveries, mailer, template, "example.com".parse().unwrap())
        .with_page(page)
        .with_lease(LEASE)
        .with_backoff(Backoff::new(wait, wait, u32::MAX));
    loop {
        // A conflict with another process is tried again in the next round.
        let _ = consumer.run(&queue).await;
        if let Ok(worked) = worker.run().await {
            for _ in 0..worked.sent {
                println!("\nsent");
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
