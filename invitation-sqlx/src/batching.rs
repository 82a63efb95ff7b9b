//! Concurrent redemptions that share a statement or a message.

use invitation_core::{Batcher, Boarding, Lead, Outcome, StoreError, Target, Transition};

use crate::{cached_connection::CachedConnection, dialect::Dialect, ops, store::SqlStore};

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
        match transition.target() {
            // MySQL and MariaDB send a message for several callers of the same code only.
            Target::Code(digests) if DB::MULTI_STATEMENTS => {
                let same_code = self.tables.by_code().of_code(digests);
                self.redeem_with(same_code.batcher(), transition).await
            }
            _ => self.redeem_with(self.tables.batcher(), transition).await,
        }
    }

    async fn redeem_with(
        &self,
        batcher: &Batcher<Transition, ApplyResult>,
        transition: &Transition,
    ) -> ApplyResult {
        match batcher.board(transition).await {
            Boarding::Answered(answer) => answer,
            Boarding::Alone => self.redeem_single(transition).await,
            Boarding::Lead(lead) => {
                let out = self.lead_batch(&lead, transition);
                lead.while_out(out, sqlx_core::rt::sleep).await
            }
        }
    }

    async fn redeem_single(&self, transition: &Transition) -> ApplyResult {
        let conn = self.connections.acquire_cached().await?;
        self.redeem_single_on(conn, transition).await
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

    async fn lead_batch(
        &self,
        lead: &Lead<Transition, ApplyResult>,
        transition: &Transition,
    ) -> ApplyResult {
        let mut conn = self.connections.acquire_cached().await?;
        let others = lead.take_along();
        if others.is_empty() {
            return self.redeem_single_on(conn, transition).await;
        }
        let all: Vec<_> = std::iter::once(transition).chain(others.jobs()).collect();
        let made = ops::redeem_batch::<DB>(&mut conn, self.tables.names(), &all).await;
        let made = conn.finish(made).await;
        // The connection returns to the cache before the callers get their results, so that a
        // caller that redeems again at once can use it. If a redemption was not applied, the
        // connection may be broken. It then returns to the pool, which tests it.
        if made.as_ref().is_ok_and(|facts| facts.iter().all(Option::is_some)) {
            self.connections.return_to_cache(conn);
        } else {
            drop(conn);
        }
        match made {
            Ok(facts) => {
                let applied = |facts| Outcome::Applied(Box::new(facts));
                let mut made = facts.into_iter().map(|facts| facts.map(applied));
                let own = made.next().flatten();
                others.answer(made.map(|made| made.map(Ok)));
                if let Some(outcome) = own {
                    return Ok(outcome);
                }
                // The leader redeems by itself, like each follower whose redemption was not
                // applied.
                lead.pass_on();
                self.redeem_single(transition).await
            }
            Err(error) => {
                let kind = error.kind();
                let failed = |_| Some(Err(StoreError::new(kind, "apply")));
                let failures: Vec<_> = others.jobs().map(failed).collect();
                others.answer(failures);
                Err(error)
            }
        }
    }
}
