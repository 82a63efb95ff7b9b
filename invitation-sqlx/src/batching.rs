//! Concurrent redemptions that share a statement or a message.

use std::{num::NonZeroUsize, time::Duration};

use invitation_core::{Execute, Outcome, StoreError, Target, Transition};

use crate::{
    cached_connection::CachedConnection,
    dialect::{Batching, Dialect},
    store::SqlStore,
};

/// The maximum number of callers in a batch. It bounds the memory of a statement and the time for
/// which the statement locks its rows.
pub(crate) const MAX_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(128).expect("it is not 0");

/// Whether redemptions of concurrent callers like this one are sent together.
pub(crate) fn can_be_batched<DB: Dialect>(transition: &Transition) -> bool {
    DB::BATCHING != Batching::Never && transition.as_plain_redemption().is_some()
}

/// The result of one redemption of a batch.
pub(crate) type ApplyResult = Result<Outcome, StoreError>;

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
        match transition.target() {
            Target::Code(digests) if DB::BATCHING == Batching::SameCode => {
                let same_code = self.tables.by_code().of_code(digests);
                same_code.batcher().submit(transition, &Redemptions(self)).await
            }
            _ => self.tables.batcher().submit(transition, &Redemptions(self)).await,
        }
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
        let made = DB::redeem_batch(&mut conn, self.0.tables.names(), batch).await;
        let made = conn.finish(made).await;
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
