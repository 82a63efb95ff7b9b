//! Concurrent redemptions that are sent together.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use invitation_core::{Batcher, CodeDigest, Execute, Outcome, StoreError, Transition};

use crate::{cached_connection::CachedConnection, dialect::Dialect, store::SqlStore};

/// The default number of batches in flight. Two batches keep two processors of the database
/// busy.
pub(crate) const SLOTS: NonZeroUsize = NonZeroUsize::new(2).expect("it is not 0");

/// The maximum number of callers in a batch. It bounds the memory of a statement and the time for
/// which the statement locks its rows.
const MAX_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(128).expect("it is not 0");

/// The result of one redemption of a batch.
type ApplyResult = Result<Outcome, StoreError>;

/// The batchers that callers use at the moment. A batch leader redeems for others in its own
/// database and tables, so a store with another pool or prefix has batchers of its own.
///
/// The key is the list of all digests of a code, which has several while the keys of the digests
/// are rotated. It is empty on a database that redeems different codes together.
#[derive(Clone)]
pub(crate) struct Batchers {
    slots: NonZeroUsize,
    in_use: Arc<Mutex<HashMap<Arc<[CodeDigest]>, InUse>>>,
}

struct InUse {
    batcher: Batcher<Transition, ApplyResult>,
    callers: usize,
}

impl Batchers {
    /// Creates batchers that each run at most `slots` batches at a time, or fewer if the database
    /// gains nothing from more.
    pub(crate) fn new<DB: Dialect>(slots: NonZeroUsize) -> Self {
        Self { slots: DB::batch_slots(slots), in_use: Arc::default() }
    }

    /// Creates batchers with the same number of slots, which share no batch with these.
    pub(crate) fn apart(&self) -> Self {
        Self { slots: self.slots, in_use: Arc::default() }
    }

    /// Returns the batcher of this key, and creates it for the first caller.
    fn enter(&self, key: &[CodeDigest]) -> BatcherRef<'_> {
        let key: Arc<[_]> = key.into();
        let new = || InUse { batcher: Batcher::new(self.slots, MAX_BATCH_SIZE), callers: 0 };
        let mut in_use = self.in_use();
        let entry = in_use.entry(Arc::clone(&key)).or_insert_with(new);
        entry.callers += 1;
        BatcherRef { batchers: self, key, batcher: entry.batcher.clone() }
    }

    fn in_use(&self) -> MutexGuard<'_, HashMap<Arc<[CodeDigest]>, InUse>> {
        // Nothing panics while the lock is held, so the entries are consistent.
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller's reference to a batcher. The batcher is removed with the last reference.
struct BatcherRef<'b> {
    batchers: &'b Batchers,
    key: Arc<[CodeDigest]>,
    batcher: Batcher<Transition, ApplyResult>,
}

impl Drop for BatcherRef<'_> {
    fn drop(&mut self) {
        let mut in_use = self.batchers.in_use();
        if let Some(entry) = in_use.get_mut(&self.key) {
            entry.callers -= 1;
            if entry.callers == 0 {
                in_use.remove(&self.key);
            }
        }
    }
}

impl<DB: Dialect> SqlStore<DB> {
    /// Redeems at once if a slot is free. Otherwise the redemption waits and joins the next
    /// batch.
    ///
    /// A redemption that its batch did not apply is sent by itself. That is correct even if the
    /// outcome of the batch is unknown, because the event on record shows whether the redemption
    /// was made.
    pub(crate) async fn redeem_batched(&self, transition: &Transition) -> ApplyResult {
        if !self.mechanisms.batches {
            return Redemptions(self).execute_alone(transition).await;
        }
        let entered = self.batchers.enter(DB::batch_key(transition.target()));
        entered.batcher.submit(transition, &Redemptions(self)).await
    }

    async fn redeem_single_on(
        &self,
        mut conn: CachedConnection<DB>,
        transition: &Transition,
    ) -> ApplyResult {
        let answer = self.apply_on(&mut conn, transition).await;
        self.connections.return_to_cache(conn);
        answer
    }
}

/// Sends the redemptions of a batch to the database.
struct Redemptions<'a, DB: Dialect>(&'a SqlStore<DB>);

impl<DB: Dialect> Execute<Transition, ApplyResult> for Redemptions<'_, DB> {
    type Resource = CachedConnection<DB>;

    async fn acquire(&self) -> Result<CachedConnection<DB>, ApplyResult> {
        self.0.connections.acquire_cached().await.map_err(Err)
    }

    async fn execute(
        &self,
        mut conn: CachedConnection<DB>,
        batch: &[&Transition],
    ) -> Vec<Option<ApplyResult>> {
        if let [only] = batch {
            return vec![Some(self.0.redeem_single_on(conn, only).await)];
        }
        let made = self.0.redeem_batch_on(&mut conn, batch).await;
        // The connection returns to the cache before the callers get their results, so that a
        // caller that redeems again at once can use it. If a redemption was not applied, the
        // connection may be broken. It then returns to the pool, which tests it.
        if made.as_ref().is_ok_and(|facts| facts.iter().all(Option::is_some)) {
            self.0.connections.return_to_cache(conn);
        } else {
            drop(conn);
        }
        match made {
            Ok(facts) => {
                let applied = |facts| Ok(Outcome::Applied(Box::new(facts)));
                facts.into_iter().map(|facts| facts.map(applied)).collect()
            }
            Err(error) => batch.iter().map(|_| Some(Err(error.clone()))).collect(),
        }
    }

    async fn execute_alone(&self, transition: &Transition) -> ApplyResult {
        let conn = self.0.connections.acquire_cached().await?;
        self.0.redeem_single_on(conn, transition).await
    }

    async fn sleep(&self, time: Duration) {
        sqlx_core::rt::sleep(time).await;
    }
}
