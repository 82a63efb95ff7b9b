//! Reads lists completely, page by page.

use invitation_core::{Cursor, Error, EventCriteria, InvitationId, Paging};
use time::Duration;

use super::{
    answer::{Answer, View},
    identities::{ActingUser, DivisionName, context},
    perform::{ServiceUnderTest, service_criteria, time_range},
    reservation::Open,
    state::Model,
    step::{EventCriteriaSpec, ListCriteria, RevocationReason},
};

/// A maximum number of pages that no list of a sequence reaches.
const PAGES: usize = 1_000;

/// Returns all items of all pages.
async fn read_all_pages<T>(
    limit: u32,
    mut turn: impl AsyncFnMut(Paging) -> Result<(Vec<T>, Option<Cursor>), Error>,
) -> Result<Vec<T>, Answer> {
    let first = Paging::first(limit).map_err(|_| Answer::Broken("limit".to_owned()))?;
    let (mut paging, mut all) = (first, Vec::new());
    for _ in 0..PAGES {
        let (items, next) = turn(paging).await?;
        if items.len() > limit as usize {
            return Err(Answer::Broken("a page longer than its limit".to_owned()));
        }
        all.extend(items);
        match next {
            Some(next) => paging = first.after(next),
            None => return Ok(all),
        }
    }
    Err(Answer::Broken("a list without end".to_owned()))
}

/// Returns the answer for all items, or the error answer.
fn collected<T>(all: Result<Vec<T>, Answer>, answer: impl FnOnce(Vec<T>) -> Answer) -> Answer {
    all.map_or_else(|other| other, answer)
}

impl ServiceUnderTest {
    /// Reads all pages of a list. The clock moves between the pages.
    pub(super) async fn list(
        &self,
        by: ActingUser,
        wanted: &ListCriteria,
        limit: u32,
        pause: i64,
        model: &Model,
    ) -> Answer {
        let (actor, criteria) = (by.actor(context(model.step)), service_criteria(wanted, model));
        let all = read_all_pages(limit, async |paging| {
            let page = self.service.list(&actor, &criteria, paging).await?;
            self.clock.advance(Duration::microseconds(pause));
            Ok((page.items().iter().map(View::of).collect(), page.next()))
        });
        let answer = collected(all.await, Answer::Listed);
        self.clock.set(model.now);
        answer
    }

    pub(super) async fn revoke_all(
        &self,
        by: ActingUser,
        wanted: &ListCriteria,
        reason: RevocationReason,
        limit: u32,
        model: &Model,
    ) -> Answer {
        let (actor, criteria) = (by.actor(context(model.step)), service_criteria(wanted, model));
        let reason = reason.text();
        let all = read_all_pages(limit, async |paging| {
            let call = self.service.revoke_all(&actor, &criteria, reason.as_deref(), paging);
            let page = call.await?;
            Ok((page.revoked().to_vec(), page.next()))
        });
        collected(all.await, Answer::Withdrawn)
    }

    pub(super) async fn redemptions(
        &self,
        by: ActingUser,
        of: InvitationId,
        limit: u32,
        model: &Model,
    ) -> Answer {
        let actor = by.actor(context(model.step));
        let all = read_all_pages(limit, async |paging| {
            let page = self.service.redemptions(&actor, of, paging).await?;
            Ok((page.items().to_vec(), page.next()))
        });
        collected(all.await, Answer::Used)
    }

    pub(super) async fn reservations(
        &self,
        by: ActingUser,
        division: Option<DivisionName>,
        limit: u32,
        model: &Model,
    ) -> Answer {
        let actor = by.actor(context(model.step));
        let division = division.map(DivisionName::division);
        let all = read_all_pages(limit, async |paging| {
            let page = self.service.reservations(&actor, division.as_ref(), paging).await?;
            Ok((page.items().to_vec(), page.next()))
        });
        collected(all.await, |all| {
            let open: Result<Vec<_>, _> = all.iter().map(Open::of).collect();
            open.map_or_else(Answer::Broken, Answer::Open)
        })
    }

    pub(super) async fn events(
        &self,
        by: ActingUser,
        wanted: &EventCriteriaSpec,
        limit: u32,
        model: &Model,
    ) -> Answer {
        let mut criteria = EventCriteria::new();
        if let Some(pick) = wanted.about {
            criteria = criteria.about(model.id(pick));
        }
        if let Some(who) = wanted.by {
            criteria = criteria.by_user(who.user());
        }
        if let Some(action) = wanted.action {
            criteria = criteria.of_action(action);
        }
        if let Some(outcome) = wanted.outcome {
            criteria = criteria.with_outcome(outcome);
        }
        if let Some(correlation) = wanted.step.and_then(|n| context(n.into()).correlation) {
            criteria = criteria.with_correlation(correlation);
        }
        if let Some(division) = wanted.division {
            criteria = criteria.in_division(division.division());
        }
        if let Some(from) = wanted.now {
            criteria = criteria.within(time_range(model.now, from));
        }
        self.trail(by, &criteria, limit, model).await
    }

    /// Reads all pages of the audit trail.
    pub(super) async fn trail(
        &self,
        by: ActingUser,
        criteria: &EventCriteria,
        limit: u32,
        model: &Model,
    ) -> Answer {
        let actor = by.actor(context(model.step));
        let all = read_all_pages(limit, async |paging| {
            let page = self.service.events(&actor, criteria, paging).await?;
            Ok((page.items().to_vec(), page.next()))
        });
        collected(all.await, Answer::Trail)
    }
}
