//! One code for many uses, redeemed by many callers at once.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use invitation::{
    Division, Draft, Invitations, Redeemer, Refusal, Role, Store, SystemActor, UserId, Username,
};
use tokio::task::JoinSet;

pub(crate) const CALLERS: usize = 32;

pub(crate) fn newcomer(number: usize) -> Redeemer {
    let name = format!("person{number}");
    Redeemer::new(UserId::new(name.as_str()).unwrap(), Username::new(name).unwrap())
}

pub(crate) fn draft(uses: u32) -> Draft {
    Draft::new()
        .with_role(Role::new("staff").unwrap())
        .in_division(Division::new("sales").unwrap())
        .for_uses(NonZeroU32::new(uses).unwrap())
}

pub(crate) struct Callers {
    pub(crate) time: Duration,
    /// The waiting times of the successful callers, ascending.
    pub(crate) waits: Vec<Duration>,
}

impl Callers {
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let place = self.waits.len() * percent / 100;
        self.waits.get(place).copied().unwrap_or_default()
    }
}

/// Runs callers until the code is used up, and some more that are refused.
pub(crate) async fn meet<S: Store + 'static>(
    invitations: &Arc<Invitations<S>>,
    uses: u32,
) -> Callers {
    let system = SystemActor::for_bootstrap();
    let created = invitations.create(&system, draft(uses)).await.unwrap();
    let code: Arc<str> = created.code().reveal().as_str().into();
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..CALLERS {
        let (invitations, code) = (Arc::clone(invitations), Arc::clone(&code));
        let next = Arc::clone(&next);
        running.spawn(async move {
            let mut waits = Vec::new();
            loop {
                let newcomer = newcomer(next.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                match invitations.redeem(&code, &newcomer).await {
                    Ok(_) => waits.push(asked.elapsed()),
                    Err(error) => {
                        assert_eq!(error.refusal(), Some(&Refusal::Used), "{error:?}");
                        return waits;
                    }
                }
            }
        });
    }
    let mut waits = Vec::new();
    while let Some(finished) = running.join_next().await {
        waits.extend(finished.unwrap());
    }
    waits.sort_unstable();
    Callers { time: start.elapsed(), waits }
}
