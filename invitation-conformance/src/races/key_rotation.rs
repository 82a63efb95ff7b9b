//! A first keyring and then a new key, rolled out under load: no call fails because of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use invitation_core::{
    Created, Draft, Error, Paging, Refusal, Reserved, Sealing, UnsealCause, code::ResealPage,
};
use tokio::{sync::RwLock, task::JoinSet};

use crate::{
    Fixture,
    support::{
        harness::{Harness, Service, refusal},
        keys::{
            first_key, first_key_and_next, first_key_not_written, reseal_all, resealed, second_key,
            second_key_only,
        },
        samples::{admin, newcomer, role},
    },
};

/// The number of callers, and of calls that they finish in each step of the rollout.
const CALLERS: usize = 4;
const CALLS: usize = 12;

/// The processes of a host. Each has a service of its own, which a restart replaces. A restart
/// waits for the running calls of its process, as a server that stops does.
struct Fleet {
    processes: [RwLock<Service>; 2],
    calls: AtomicUsize,
    is_over: AtomicBool,
}

impl Fleet {
    fn new(harness: &Harness) -> Self {
        let process = || RwLock::new(harness.with_sealing(Sealing::readable()).service);
        Self {
            processes: [process(), process()],
            calls: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Restarts one process after the other, and lets calls finish before, between and after.
    async fn restart_with(&self, harness: &Harness, sealing: &Sealing) {
        for process in &self.processes {
            *process.write().await = harness.with_sealing(sealing.clone()).service;
            self.let_calls_finish().await;
        }
    }

    async fn let_calls_finish(&self) {
        let until = self.calls.load(Ordering::Relaxed) + CALLS;
        while self.calls.load(Ordering::Relaxed) < until {
            assert!(!self.is_over.load(Ordering::Relaxed), "a caller has failed");
            tokio::task::yield_now().await;
        }
    }

    /// Creates on one process and redeems on the other, again and again.
    async fn call(self: Arc<Self>, caller: usize) {
        let failed = EndOnPanic(&self.is_over);
        for round in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let at = |n: usize| &self.processes[(caller + round + n) % 2];
            let draft = Draft::new().with_role(role("staff"));
            let created = at(0).read().await.create(&admin(), draft).await;
            let created = created.unwrap_or_else(|error| panic!("create: {error:?}"));
            let (code, redeemer) =
                (created.code().reveal(), newcomer(&format!("caller-{caller}-{round}")));
            if round % 3 == 0 {
                let reserved = at(1).read().await.reserve(&code, &redeemer).await;
                let reserved = reserved.unwrap_or_else(|error| panic!("reserve: {error:?}"));
                let Reserved::Open(own) = reserved else { panic!("the code is new") };
                let committed = at(0).read().await.commit(own.id(), &redeemer).await;
                committed.unwrap_or_else(|error| panic!("commit: {error:?}"));
            } else {
                let answer = at(1).read().await.redeem(&code, &redeemer).await;
                answer.unwrap_or_else(|error| panic!("redeem: {error:?}"));
            }
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        drop(failed);
    }
}

/// Ends the test when a caller fails, so that it does not wait for calls in vain.
struct EndOnPanic<'a>(&'a AtomicBool);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Re-seals until a whole run has nothing left, and returns the number of rows.
async fn reseal_everything(service: &Service) -> usize {
    let mut total = 0;
    loop {
        match resealed(&reseal_all(service, 7).await) {
            0 => return total,
            rows => total += rows,
        }
    }
}

/// Begins a job, and drops it in the middle of a call after its first page.
async fn interrupted_reseal(service: &Service) -> usize {
    let (sender, mut pages) = tokio::sync::mpsc::unbounded_channel();
    let service = service.clone();
    let job = tokio::spawn(async move {
        let mut next = Some(Paging::first(3).expect("a page"));
        while let Some(paging) = next {
            let page = service.reseal(&admin(), paging).await.expect("the administrator may");
            next = page.next().map(|cursor| Paging::first(3).expect("a page").after(cursor));
            if sender.send(page).is_err() {
                return;
            }
        }
    });
    let first: ResealPage = pages.recv().await.expect("the job makes a page");
    job.abort();
    first.resealed()
}

async fn create_some(harness: &Harness, sealing: Sealing) -> Vec<Created> {
    let harness = harness.with_sealing(sealing);
    let mut created = Vec::new();
    for _ in 0..8 {
        created.push(harness.create(Draft::new()).await);
    }
    created
}

/// Two processes get a first keyring, and later a new key, one process after the other. Callers
/// create on one process, and redeem or reserve on the other, all the time. A re-sealing job is
/// killed, and another process finishes its work. No call fails.
pub async fn keys_are_rolled_out_under_load_without_a_failed_call(fixture: Fixture) {
    let harness = Harness::with_unlimited_denials(fixture);
    let mut waiting = create_some(&harness, Sealing::readable()).await;
    let fleet = Arc::new(Fleet::new(&harness));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(Arc::clone(&fleet).call(caller));
    }
    fleet.let_calls_finish().await;

    fleet.restart_with(&harness, &first_key_not_written()).await;
    fleet.restart_with(&harness, &first_key()).await;
    let total = reseal_everything(&harness.with_sealing(first_key()).service).await;
    assert!(total >= waiting.len(), "{total}");
    waiting.extend(create_some(&harness, first_key()).await);

    fleet.restart_with(&harness, &first_key_and_next()).await;
    fleet.restart_with(&harness, &second_key()).await;
    let begun = interrupted_reseal(&harness.with_sealing(second_key()).service).await;
    let total = reseal_everything(&harness.with_sealing(second_key()).service).await;
    assert!(begun + total >= waiting.len(), "{begun} and {total}");

    fleet.restart_with(&harness, &second_key_only()).await;
    fleet.is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = callers.join_next().await {
        ended.expect("no call fails");
    }
    let service = harness.with_sealing(second_key_only()).service;
    let checked = service.check_seals(&admin(), Paging::first(200).expect("a page")).await;
    assert_eq!(checked.expect("the administrator may").unopened(), []);
    for (n, one) in waiting.iter().enumerate() {
        let redeemed = service.redeem(&one.code().reveal(), &newcomer(&format!("w{n}"))).await;
        redeemed.unwrap_or_else(|error| panic!("code {n}: {error:?}"));
    }
}

/// A code under a retired key is unknown to a stranger. The refusal of a user who manages the
/// invitation names the key.
pub async fn code_under_a_retired_key_is_refused_by_the_name_of_the_key(fixture: Fixture) {
    let harness = Harness::new(fixture);
    let late = harness.with_sealing(first_key()).create(Draft::new()).await;
    let service = harness.with_sealing(second_key_only()).service;
    let redeemed = service.redeem(&late.code().reveal(), &newcomer("anna")).await;
    assert_eq!(refusal(redeemed), Refusal::CodeUnknown);
    match service.copy(&admin(), late.invitation().id()).await {
        Err(Error::Seal(error)) => {
            assert_eq!(error.cause(), &UnsealCause::RetiredKey("k1".into()));
            assert!(error.to_string().contains("k1"), "{error}");
        }
        other => panic!("neither shown nor hidden, but refused: {other:?}"),
    }
    let page = service.reseal(&admin(), Paging::default()).await.expect("the administrator may");
    let unopened: Vec<_> = page.unopened().iter().map(|error| error.key_id()).collect();
    assert_eq!((page.resealed(), unopened), (0, vec![Some("k1")]));
    // The key is still there: nothing was lost.
    let service = harness.with_sealing(second_key()).service;
    service.redeem(&late.code().reveal(), &newcomer("anna")).await.expect("it opens again");
}
