//! Callers that create and redeem during failures, and the answers that they get.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use invitation_core::{Error, InvitationId, Invitations, Refusal, StoreErrorKind};
use invitation_redis::RedisStore;
use tokio::task::JoinSet;

use super::{admin, newcomer, staff};

pub type Service = Invitations<RedisStore>;

const CALLERS: usize = 8;
/// The number of users who redeem each code.
const USES: u32 = 3;

/// The answers that the callers got.
#[derive(Default)]
pub struct Told {
    /// Acknowledged creations, with the users whose redemption was acknowledged.
    pub acknowledged: BTreeMap<InvitationId, BTreeSet<String>>,
    /// Redemptions whose outcome is unknown.
    pub unknown: BTreeMap<InvitationId, BTreeSet<String>>,
    /// The number of creations whose outcome is unknown.
    pub unknown_creations: usize,
    /// The number of errors of each kind.
    pub kinds: BTreeMap<String, usize>,
}

/// Running callers of one store.
pub struct Load {
    callers: JoinSet<()>,
    told: Arc<Mutex<Told>>,
    over: Arc<AtomicBool>,
    /// The number of successes and of failures of each caller.
    progress: Arc<[(AtomicUsize, AtomicUsize); CALLERS]>,
}

impl Load {
    pub fn start(invitations: &Service) -> Self {
        let mut load = Self {
            callers: JoinSet::new(),
            told: Arc::default(),
            over: Arc::default(),
            progress: Arc::default(),
        };
        for caller in 0..CALLERS {
            let (invitations, told) = (invitations.clone(), Arc::clone(&load.told));
            let (over, progress) = (Arc::clone(&load.over), Arc::clone(&load.progress));
            load.callers.spawn(async move {
                let mut round = 0;
                while !over.load(Ordering::Relaxed) {
                    round += 1;
                    let (successes, failures) = &progress[caller];
                    let is_done = one_round(&invitations, &told, caller, round).await;
                    let counter = if is_done { successes } else { failures };
                    counter.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            });
        }
        load
    }

    fn counts(&self, of: impl Fn(&(AtomicUsize, AtomicUsize)) -> &AtomicUsize) -> Vec<usize> {
        self.progress.iter().map(|counters| of(counters).load(Ordering::Relaxed)).collect()
    }

    async fn each_more(
        &self,
        of: impl Fn(&(AtomicUsize, AtomicUsize)) -> &AtomicUsize + Copy,
        what: &str,
    ) -> Duration {
        let (begun, before) = (Instant::now(), self.counts(of));
        while !self.counts(of).iter().zip(&before).all(|(now, before)| now > before) {
            assert!(begun.elapsed() < Duration::from_secs(30), "in vain: each caller {what}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        begun.elapsed()
    }

    /// Waits until each caller has created and redeemed once more. Returns how long that
    /// took.
    pub async fn each_succeeds(&self) -> Duration {
        self.each_more(|(successes, _)| successes, "succeeds").await
    }

    /// Waits until each caller has had another error.
    pub async fn each_fails(&self) {
        self.each_more(|(_, failures)| failures, "fails").await;
    }

    pub async fn end(self) -> Told {
        self.over.store(true, Ordering::Relaxed);
        self.callers.join_all().await;
        Arc::into_inner(self.told).unwrap().into_inner().unwrap()
    }
}

/// Creates a code and redeems it. Returns whether all of it was acknowledged.
async fn one_round(invitations: &Service, told: &Mutex<Told>, caller: usize, round: usize) -> bool {
    let created = invitations.create(&admin(), staff().for_uses(USES.try_into().unwrap())).await;
    let created = match created {
        Ok(created) => created,
        Err(error) => {
            let mut told = told.lock().unwrap();
            told.unknown_creations += usize::from(told.note(&error));
            return false;
        }
    };
    let id = created.invitation().id();
    told.lock().unwrap().acknowledged.entry(id).or_default();
    let code = created.code().reveal().to_string();
    let mut callers = JoinSet::new();
    for n in 0..USES {
        let (invitations, code) = (invitations.clone(), code.clone());
        callers.spawn(async move {
            let name = format!("c{caller}r{round}n{n}");
            let answer = invitations.redeem(&code, &newcomer(&name)).await;
            (name, answer)
        });
    }
    let mut is_done = true;
    for (name, answer) in callers.join_all().await {
        let mut told = told.lock().unwrap();
        match answer {
            Ok(_) => _ = told.acknowledged.entry(id).or_default().insert(name),
            Err(error) => {
                is_done = false;
                if told.note(&error) {
                    told.unknown.entry(id).or_default().insert(name);
                }
            }
        }
    }
    is_done
}

impl Told {
    /// Counts an error. Returns whether the outcome is unknown.
    fn note(&mut self, error: &Error) -> bool {
        let Error::Store(error) = error else {
            // Callers only redeem codes of their own, so no other caller can use one up.
            assert_ne!(error.refusal(), Some(&Refusal::Used));
            panic!("{error:?}")
        };
        *self.kinds.entry(format!("{:?}", error.kind())).or_default() += 1;
        error.kind() == StoreErrorKind::OutcomeUnknown
    }

    /// Asserts that every acknowledged change is there, and nothing else but changes of
    /// unknown outcome.
    pub fn assert_kept(&self, found: &BTreeMap<InvitationId, BTreeSet<String>>) {
        for (id, users) in &self.acknowledged {
            let found = found.get(id).unwrap_or_else(|| panic!("{id:?} was acknowledged"));
            assert!(users.is_subset(found), "{id:?}: {users:?} were acknowledged, not {found:?}");
            let may_be = self.unknown.get(id).cloned().unwrap_or_default();
            let rest: BTreeSet<_> = found.difference(users).cloned().collect();
            assert!(rest.is_subset(&may_be), "{id:?}: {rest:?} were told that nothing was done");
        }
        let others = found.len() - self.acknowledged.len();
        assert!(others <= self.unknown_creations, "{others} without an answer");
    }
}
