//! Redemptions of fresh single-use codes by many callers, on any store.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use invitation::{
    Division, Draft, Invitations, Redeemer, Role, Store, SystemActor, UserId, Username,
    audit::{RequestContext, Source},
};
use tokio::task::JoinSet;

/// The number of codes that one call creates.
const AT_ONCE: usize = 1_000;

/// The service under load.
pub(crate) struct Load<S> {
    invitations: Arc<Invitations<S>>,
    /// The latest rate of each number of callers, by which the codes of the next run are created.
    rates: BTreeMap<usize, f64>,
}

impl<S> From<Invitations<S>> for Load<S> {
    fn from(invitations: Invitations<S>) -> Self {
        Self { invitations: Arc::new(invitations), rates: BTreeMap::new() }
    }
}

impl<S: Store + 'static> Load<S> {
    pub(crate) fn on(store: S) -> Self {
        Self::from(Invitations::new(store))
    }

    /// Returns how many codes `callers` callers redeem per second, each one after the other, for
    /// `time`. The codes are created before, and then `quiesce` runs.
    pub(crate) async fn rate(
        &mut self,
        callers: usize,
        time: Duration,
        quiesce: impl AsyncFn(&S),
    ) -> f64 {
        if !self.rates.contains_key(&callers) {
            // Warms up, and tells how many codes a run needs.
            let warm = time / 4;
            let codes = self.fresh_codes(200 + 20 * callers).await;
            let rate = self.redeem(callers, warm, codes).await;
            self.rates.insert(callers, rate);
        }
        let needed = self.rates[&callers] * time.as_secs_f64() * 1.5;
        let codes = self.fresh_codes(format!("{needed:.0}").parse().unwrap()).await;
        quiesce(self.invitations.store()).await;
        let rate = self.redeem(callers, time, codes).await;
        self.rates.insert(callers, rate);
        rate
    }

    async fn fresh_codes(&self, number: usize) -> Vec<String> {
        let draft = Draft::new()
            .with_role(Role::new("staff").unwrap())
            .in_division(Division::new("sales").unwrap());
        let mut codes = Vec::with_capacity(number);
        while codes.len() < number {
            let drafts = vec![draft.clone(); AT_ONCE.min(number - codes.len())];
            let system = SystemActor::for_bootstrap();
            let created = self.invitations.create_many(&system, drafts).await.unwrap();
            codes.extend(created.iter().map(|created| created.code().reveal().to_string()));
        }
        codes
    }

    /// Redeems until the time is over or no code is left. Returns the redemptions per second.
    async fn redeem(&self, callers: usize, time: Duration, codes: Vec<String>) -> f64 {
        let (codes, next): (Arc<[_]>, _) = (codes.into(), Arc::new(AtomicUsize::new(0)));
        let made = Arc::new(AtomicU32::new(0));
        let start = Instant::now();
        let mut running = JoinSet::new();
        for caller in 0..callers {
            let (invitations, codes) = (Arc::clone(&self.invitations), Arc::clone(&codes));
            let (next, made) = (Arc::clone(&next), Arc::clone(&made));
            running.spawn(async move {
                let name = format!("person{caller}");
                let user = UserId::new(name.as_str()).unwrap();
                // A source of each caller's own, as of newcomers in different places.
                let source = Some(Source::new(format!("192.0.2.{caller}")).unwrap());
                let newcomer = Redeemer::new(user, Username::new(name).unwrap())
                    .with_context(RequestContext { correlation: None, source });
                while start.elapsed() < time {
                    let Some(code) = codes.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    invitations.redeem(code, &newcomer).await.unwrap();
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        running.join_all().await;
        f64::from(made.load(Ordering::Relaxed)) / start.elapsed().as_secs_f64()
    }
}
