//! Four processes race for codes during failures. Exactly as many users succeed as a code
//! has uses, no code is stuck, and a caller that lost a reply gets the actual result by
//! repeating the call.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write},
    num::NonZeroU32,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use invitation_core::{
    Action, Error, EventCriteria, EventOutcome, InvitationId, Invitations, Limits, Paging,
    StoreErrorKind,
};
use invitation_redis::{Namespace, RedisStore};
use invitation_testkit::{Redis, RedisCluster};
use support::{Place, admin, newcomer, staff};
use tokio::{sync::Barrier, task::JoinSet};

const PROCESSES: usize = 4;
const EACH: usize = 16;

/// The environment variable that tells a child process where the store is.
const PLACE: &str = "INVITATION_RACE_PLACE";

fn service(store: RedisStore) -> Invitations<RedisStore> {
    let limits = Limits::default().with_denials_per_minute(NonZeroU32::MAX);
    Invitations::new(store).with_limits(limits)
}

/// The program of the child processes. For each code on standard input, 16 newcomers redeem
/// it at once; the process prints the successful ones to standard output.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_the_processes() {
    let Ok(place) = env::var(PLACE) else { return };
    let place = Place::from_text(&place);
    let who = std::process::id();
    println!("\nready");
    for (round, line) in std::io::stdin().lines().enumerate() {
        let line = line.unwrap();
        let (namespace, code) = line.split_once(' ').unwrap();
        let invitations = service(place.open(namespace).await);
        let barrier = Arc::new(Barrier::new(EACH));
        let mut callers = JoinSet::new();
        for n in 0..EACH {
            let (invitations, barrier) = (invitations.clone(), Arc::clone(&barrier));
            let (name, code) = (format!("p{who}-{round}-{n}"), code.to_owned());
            callers.spawn(async move {
                barrier.wait().await;
                persist(&invitations, &code, &name).await.then_some(name)
            });
        }
        for winner in callers.join_all().await.into_iter().flatten() {
            println!("won {winner}");
        }
        println!("done");
    }
}

/// Repeats a redemption until there is a definite answer. Returns whether it succeeded.
/// Every other caller must be refused because the code was used.
async fn persist(invitations: &Invitations<RedisStore>, code: &str, name: &str) -> bool {
    for _ in 0..200 {
        match invitations.redeem(code, &newcomer(name)).await {
            Ok(_) => return true,
            Err(Error::Refused(refused)) => {
                assert_eq!(refused.refusal(), &invitation_core::Refusal::Used);
                return false;
            }
            Err(Error::Store(error)) => {
                use StoreErrorKind::{Conflict, OutcomeUnknown, Unavailable};
                let passing = matches!(error.kind(), OutcomeUnknown | Unavailable | Conflict);
                assert!(passing, "{error:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("{name} had no answer");
}

/// A child process of the race.
struct Member {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Member {
    fn start(place: &Place) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "one_of_the_processes"])
            .env(PLACE, place.to_text())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut member = Self { process, orders, answers };
        while member.line() != "ready" {}
        member
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.answers.read_line(&mut line).unwrap() > 0, "it ended early");
        line.trim().to_owned()
    }

    fn winners(&mut self) -> Vec<String> {
        let mut winners = Vec::new();
        loop {
            let line = self.line();
            match line.strip_prefix("won ") {
                Some(winner) => winners.push(winner.to_owned()),
                None if line == "done" => return winners,
                None => {}
            }
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        drop(self.orders.take());
        self.process.wait().ok();
    }
}

/// Races for codes of one and of three uses, in each of the namespaces in turn, while
/// `trouble` runs.
fn race(place: &Place, namespaces: &[Namespace], rounds: u32, trouble: impl Fn() + Send + Sync) {
    let mut members: Vec<Member> = (0..PROCESSES).map(|_| Member::start(place)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let over = AtomicBool::new(false);
    let mut raced = Vec::new();
    thread::scope(|scope| {
        let troubling = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                trouble();
            }
        });
        // Ends the trouble even if an assertion fails here.
        let done = Over(&over);
        for round in 0..rounds {
            let uses = [1, 3][usize::try_from(round % 2).unwrap()];
            let namespace = &namespaces[usize::try_from(round).unwrap() % namespaces.len()];
            let (id, code) = runtime.block_on(created(place, namespace, uses));
            for member in &mut members {
                writeln!(member.orders.as_mut().unwrap(), "{namespace} {code}").unwrap();
            }
            let winners: BTreeSet<_> = members.iter_mut().flat_map(Member::winners).collect();
            assert_eq!(winners.len(), uses, "round {round}: {winners:?}");
            raced.push((namespace.clone(), id, winners));
        }
        drop(done);
        troubling.join().unwrap();
    });
    runtime.block_on(async {
        for (namespace, id, winners) in raced {
            check(&service(place.open(namespace.as_str()).await), id, &winners).await;
        }
    });
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn created(place: &Place, namespace: &Namespace, uses: usize) -> (InvitationId, String) {
    let uses = NonZeroU32::new(u32::try_from(uses).unwrap()).unwrap();
    for _ in 0..200 {
        let Ok(store) = place.try_open(namespace.as_str()).await else { continue };
        if let Ok(created) = service(store).create(&admin(), staff().for_uses(uses)).await {
            return (created.invitation().id(), created.code().reveal().to_string());
        }
    }
    panic!("no code could be created");
}

/// Checks that the list, the redemptions and the trail all name exactly these users.
async fn check(
    invitations: &Invitations<RedisStore>,
    id: InvitationId,
    winners: &BTreeSet<String>,
) {
    let view = invitations.get(&admin(), id).await.unwrap();
    assert_eq!(usize::try_from(view.invitation().uses()).unwrap(), winners.len());
    let paging = Paging::first(200).unwrap();
    let redemptions = invitations.redemptions(&admin(), id, paging).await.unwrap();
    let redeemed = redemptions.items().iter().map(|one| one.username.as_str().to_owned());
    assert_eq!(redeemed.collect::<BTreeSet<_>>(), *winners);
    let criteria = EventCriteria::new()
        .about(id)
        .of_action(Action::Redeem)
        .with_outcome(EventOutcome::Succeeded);
    let trail = invitations.events(&admin(), &criteria, paging).await.unwrap();
    assert_eq!(trail.items().len(), winners.len(), "one event for each who got in");
}

fn one_namespace() -> Vec<Namespace> {
    vec![support::options().namespace().clone()]
}

fn pause() {
    thread::sleep(Duration::from_millis(10));
}

#[test]
fn four_processes_redeem_a_code_exactly_as_often_as_it_allows() {
    let place = Place::Server(Redis::shared().url());
    race(&place, &one_namespace(), 10, pause);
}

#[test]
fn while_the_scripts_are_flushed_every_10_milliseconds() {
    let server = Redis::start().unwrap();
    let place = Place::Server(server.url());
    race(&place, &one_namespace(), 20, || {
        server.ask(&["SCRIPT", "FLUSH"]).unwrap();
        pause();
    });
}

#[test]
fn while_random_connections_are_killed() {
    let server = Redis::start().unwrap();
    let place = Place::Server(server.url());
    let turn = std::sync::atomic::AtomicUsize::new(1);
    race(&place, &one_namespace(), 20, || {
        let clients = server.ask(&["CLIENT", "LIST", "TYPE", "normal"]).unwrap_or_default();
        let ids: Vec<&str> = clients
            .lines()
            .filter(|line| !line.contains("cmd=client"))
            .filter_map(|line| line.strip_prefix("id=")?.split(' ').next())
            .collect();
        // A deterministic order that is unrelated to any order in the test.
        let n = turn.fetch_add(7, Ordering::Relaxed);
        if let Some(id) = ids.get(n % ids.len().max(1)) {
            // The connection may have been closed meanwhile.
            server.ask(&["CLIENT", "KILL", "ID", id]).ok();
        }
    });
}

#[test]
fn while_slots_move_between_primaries() {
    let cluster = RedisCluster::start().unwrap();
    let place = Place::Cluster(cluster.urls());
    // One namespace on each primary.
    let mut namespaces: Vec<Namespace> = Vec::new();
    for primary in 0..3 {
        let mut names = (0..1_000).map(|n| format!("moving-{n}"));
        let is_there = |name: &String| {
            cluster.primary_of(&format!("{{{name}}}:index")).is_ok_and(|n| n == primary)
        };
        namespaces.push(names.find(is_there).unwrap().parse().unwrap());
    }
    let turn = std::sync::atomic::AtomicUsize::new(0);
    race(&place, &namespaces, 18, || {
        let n = turn.fetch_add(1, Ordering::Relaxed);
        let namespace = &namespaces[n % namespaces.len()];
        let key = format!("{{{namespace}}}:index");
        let from = cluster.primary_of(&key).unwrap();
        cluster.move_slot_of(&key, (from + 1) % 3).unwrap();
    });
    assert!(turn.into_inner() >= namespaces.len(), "each slot did move");
}
