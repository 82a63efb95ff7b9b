//! Calls that start at the same moment.

use std::sync::Arc;

use invitation_core::{Error, Redeemed, Redeemer};
use tokio::{sync::Barrier, task::JoinSet};

use super::harness::Service;

/// The number of callers who present a code at the same moment.
pub(crate) const CALLERS: u32 = 64;

/// Runs all of `jobs` as tasks that start at the same moment.
pub(crate) async fn run_concurrently<F, T>(jobs: Vec<F>) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let barrier = Arc::new(Barrier::new(jobs.len()));
    let mut tasks = JoinSet::new();
    for job in jobs {
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            job.await
        });
    }
    tasks.join_all().await
}

/// Returns a call of `redeem` as a task.
pub(crate) fn redeem_task(
    service: &Service,
    code: &str,
    redeemer: Redeemer,
) -> impl Future<Output = Result<Redeemed, Error>> + Send + 'static {
    let (service, code) = (service.clone(), code.to_owned());
    async move { service.redeem(&code, &redeemer).await }
}
