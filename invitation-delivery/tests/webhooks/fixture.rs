//! A store with events, a real receiver, and webhooks between them.

use std::{fs, path::PathBuf, process::Command};

use invitation_core::{
    Clock as _, Division, Draft, Invitations, ManualClock, Redeemer, Role, Store, SystemActor,
    SystemClock, UserId, Username,
    documents::{DocumentName, Documents},
    feed::FeedRetention,
};
use invitation_delivery::{
    Backoff,
    webhook::{Addresses, NewEndpoint, Transport, WebhookSecret, Webhooks},
};
use invitation_testkit::ListeningProgram;
use serde_json::Value;
use tempfile::TempDir;
use time::Duration;

/// The time for a request. Receivers that hang or answer late take longer.
const TIMEOUT: Duration = Duration::milliseconds(500);

/// Everything that a store must be to have webhooks.
pub(crate) trait WebhookStore: Store + FeedRetention + Documents + Clone + 'static {}

impl<S: Store + FeedRetention + Documents + Clone + 'static> WebhookStore for S {}

/// A receiver that checks signatures with the standard library of Python.
pub(crate) struct Receiver {
    program: Option<ListeningProgram>,
    folder: TempDir,
    secret: String,
    port: String,
}

impl Receiver {
    /// Reserves the address of a receiver that is not running yet.
    pub(crate) fn down() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The number is free, because the system has just given it out.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        Self { program: None, folder, secret: String::new(), port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(crate) fn port(&self) -> &str {
        &self.port
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the receiver, with a secret that it checks signatures by.
    pub(crate) fn start(&mut self, secret: &WebhookSecret) {
        self.start_with(secret, &[]);
    }

    pub(crate) fn start_with(&mut self, secret: &WebhookSecret, arguments: &[PathBuf]) {
        self.stop();
        self.secret.clone_from(&secret.reveal());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhooks/receiver.py");
        let mut command = Command::new("/usr/bin/python3");
        command.args([script, &self.port]).arg(self.path("log")).arg(&self.secret);
        let program = ListeningProgram::start(command.args(arguments)).unwrap();
        self.program = Some(program);
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.kill();
        }
    }

    /// Sets how the receiver treats the next requests.
    pub(crate) fn behave(&self, modes: &str) {
        fs::write(self.path("log.mode"), modes).unwrap();
    }

    /// Returns the requests that the receiver got.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the ids of the events that the receiver accepted, each at its first acceptance.
    /// Every signature must be right.
    pub(crate) fn accepted(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for entry in self.log() {
            assert_eq!(entry["verified"], true, "{entry}");
            assert_eq!(entry["id"], entry["data"]["id"], "{entry}");
            let id = entry["id"].as_str().unwrap().to_owned();
            let is_accepted = entry["mode"] == "accept" || entry["mode"] == "late";
            if is_accepted && !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }
}

/// The settings that reach a receiver on this machine.
pub(crate) fn transport() -> Transport {
    let addresses = Addresses::public().and("127.0.0.0/8").unwrap();
    Transport::default().with_addresses(addresses).with_timeout(TIMEOUT)
}

/// A store, its service, and webhooks by one clock.
pub(crate) struct Fixture<S> {
    pub(crate) store: S,
    pub(crate) invitations: Invitations<S>,
    pub(crate) webhooks: Webhooks<S>,
    pub(crate) clock: ManualClock,
}

impl<S: WebhookStore> Fixture<S> {
    pub(crate) fn new(store: S) -> Self {
        let clock = ManualClock::new(SystemClock.now());
        let webhooks = Webhooks::new(store.clone(), &transport()).unwrap();
        let backoff = Backoff::new(Duration::seconds(1), Duration::seconds(8), 5);
        Self {
            invitations: Invitations::new(store.clone()).with_clock(clock.clone()),
            webhooks: webhooks.with_clock(clock.clone()).with_backoff(backoff),
            store,
            clock,
        }
    }

    /// Creates an invitation and redeems it: two events.
    pub(crate) async fn events(&self) {
        self.events_in("sales").await;
    }

    pub(crate) async fn events_in(&self, division: &str) {
        let staff = Draft::new().with_role(Role::new("staff").unwrap());
        let draft = staff.in_division(Division::new(division).unwrap());
        let created = self.invitations.create(&SystemActor::for_bootstrap(), draft).await.unwrap();
        let user = UserId::new(created.invitation().id().to_string()).unwrap();
        let redeemer = Redeemer::new(user, Username::new("Ada Lovelace").unwrap());
        self.invitations.redeem(&created.code().reveal(), &redeemer).await.unwrap();
    }

    /// Returns the ids of the events that webhooks are about, in the order of the feed.
    pub(crate) async fn feed(&self) -> Vec<String> {
        let page = self.store.feed(None, 1_000.try_into().unwrap()).await.unwrap();
        assert!(!page.more, "the test has few events");
        let has_type = page.events.iter().filter(|one| one.event.action.event_type().is_some());
        has_type.map(|one| one.event.id.to_string()).collect()
    }

    /// Runs until the endpoint is up to date, and lets time pass for the attempts in between.
    /// Returns the numbers of accepted messages and of failed attempts.
    pub(crate) async fn run_to_the_end(&self) -> (u64, u64) {
        let (mut delivered, mut failed) = (0, 0);
        for _ in 0..100 {
            let run = self.webhooks.run().await.unwrap();
            assert!(run.stopped.is_empty(), "the attempts suffice");
            (delivered, failed) = (delivered + run.delivered, failed + run.failed);
            if run.failed == 0 && !run.is_more {
                return (delivered, failed);
            }
            self.clock.advance(Duration::seconds(8));
        }
        panic!("the endpoint does not get up to date");
    }
}

pub(crate) fn name(text: &str) -> DocumentName {
    DocumentName::new(text).unwrap()
}

pub(crate) fn endpoint(receiver: &Receiver) -> NewEndpoint {
    NewEndpoint::new("crm", &receiver.url()).unwrap()
}
