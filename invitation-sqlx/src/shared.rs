//! Redemptions that come at the same time share a statement.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use invitation_core::{Boarding, Lead, Outcome, StoreError, Transition};

use crate::{
    dialect::Dialect,
    lent::Lent,
    ops::{self, TOGETHER},
    store::SqlStore,
};

/// For how long a caller keeps its lane who has taken nobody along. It is longer out only
/// when it waits for somebody's lock, and then the lane is worth more to others.
const ALONE: Duration = Duration::from_millis(100);

type Answer = Result<Outcome, StoreError>;

impl<DB: Dialect> SqlStore<DB> {
    /// Redeems at once if a lane is free, and otherwise with all who wait for one. Whoever
    /// cannot be served together is served alone: that is always right, also after a
    /// shared statement of which nobody knows whether it was made, because an event that
    /// is on record tells.
    pub(crate) async fn redeem_among_others(&self, transition: &Transition) -> Answer {
        match self.lanes.board(transition).await {
            Boarding::Answered(answer) => answer,
            Boarding::Alone => {
                let mut conn = self.acquire("apply").await?;
                self.apply_on(&mut conn, transition).await
            }
            Boarding::Lead(lead) => match self.acquire("apply").await {
                Ok(mut conn) => self.redeem_together(&mut conn, lead, transition).await,
                Err(error) => {
                    lead.give_up();
                    Err(error)
                }
            },
        }
    }

    async fn redeem_together(
        &self,
        conn: &mut Lent<DB>,
        mut lead: Lead<Transition, Answer>,
        transition: &Transition,
    ) -> Answer {
        lead.take_along(TOGETHER - 1);
        if lead.others().len() == 0 {
            let alone = pin!(self.apply_on(conn, transition));
            return match select(alone, pin!(sqlx_core::rt::sleep(ALONE))).await {
                Either::Left((answer, _)) => answer,
                Either::Right(((), alone)) => {
                    drop(lead);
                    alone.await
                }
            };
        }
        let all: Vec<_> = std::iter::once(transition).chain(lead.others()).collect();
        let made = ops::redeem_together::<DB>(conn, self.names(), &all).await;
        match conn.settle(made).await {
            Ok(facts) => {
                let applied = |facts| Outcome::Applied(Box::new(facts));
                let mut made = facts.into_iter().map(|facts| facts.map(applied));
                let own = made.next().flatten();
                lead.answer(made.map(|made| made.map(Ok)));
                match own {
                    Some(outcome) => Ok(outcome),
                    None => self.apply_on(conn, transition).await,
                }
            }
            Err(error) => {
                let others = lead.others().len();
                let kind = error.kind();
                let failed = |_| Some(Err(StoreError::new(kind, "apply")));
                lead.answer((0..others).map(failed));
                Err(error)
            }
        }
    }
}
