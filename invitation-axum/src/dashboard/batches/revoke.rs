//! Revoking all invitations of a batch.

use axum::{extract::Request, http::StatusCode, response::Response};
use invitation_core::{BatchId, Criteria, Error, Right, StatusCounts};

use super::{
    super::{
        form::{Field, FormPage, Input, Kind, Mistakes},
        page::{PageContext, page},
    },
    BatchResult, NextStep, REVOCABLE, counts, link, named_or_forbidden, number, rest,
};
use crate::{
    api::revoke_all::{self, RevokedAllBody},
    path::PathId,
    problem::Problem,
};

/// The number of requests of the API whose work one step does at most: about 1,000 revocations.
const ROUNDS: usize = 5;

/// Asks the user to confirm the revocation.
pub(in super::super) async fn ask(
    context: PageContext,
    batch: PathId<BatchId>,
) -> Result<Response, Problem> {
    let batch = named_or_forbidden(&context, batch, Right::Revoke).await?;
    let counts = counts(&context, batch).await?;
    let form = Form { context: &context, batch, counts };
    form.render(StatusCode::OK, "", Mistakes::default())
}

/// Revokes the invitations. If too many are left for one step, the page offers the next one.
pub(in super::super) async fn make(
    context: PageContext,
    batch: PathId<BatchId>,
    request: Request,
) -> Result<Response, Problem> {
    let batch = named_or_forbidden(&context, batch, Right::Revoke).await?;
    let input = Input::of_body(request, context.web()).await?;
    let reason = input.text("reason").to_owned();
    let counts = counts(&context, batch).await?;
    match revoke(&context, batch, &reason).await {
        Ok(now) => shown(&context, batch, &counts, &reason, number(&input, "revoked"), &now),
        Err(Error::Invalid(invalid)) => {
            let mut mistakes = Mistakes::default();
            mistakes.add_all(context.t(), &invalid);
            let form = Form { context: &context, batch, counts };
            form.render(StatusCode::UNPROCESSABLE_ENTITY, &reason, mistakes)
        }
        Err(error) => Err(error.into()),
    }
}

async fn revoke(
    context: &PageContext,
    batch: BatchId,
    reason: &str,
) -> Result<RevokedAllBody, Error> {
    let criteria = Criteria::new().in_batch(batch);
    let reason = (!reason.is_empty()).then_some(reason);
    let mut revoked = 0;
    for _ in 0..ROUNDS {
        match revoke_all::revoked(context.web(), context.actor(), &criteria, reason).await {
            Ok(round) => {
                revoked += round.revoked;
                if round.done {
                    return Ok(RevokedAllBody { revoked, done: true });
                }
            }
            Err(error) if revoked == 0 => return Err(error),
            // The user must learn what was revoked. The next step reports the error, if it lasts.
            Err(error) => {
                log_failure(error);
                break;
            }
        }
    }
    Ok(RevokedAllBody { revoked, done: false })
}

/// Logs the cause of a failure that the response does not report.
fn log_failure(error: Error) {
    // `from` logs it, unlike `of`.
    let _ = Problem::from(error);
}

/// Shows what a step has revoked. `before` is the number of earlier steps.
fn shown(
    context: &PageContext,
    batch: BatchId,
    counts: &StatusCounts,
    reason: &str,
    before: u64,
    now: &RevokedAllBody,
) -> Result<Response, Problem> {
    let t = context.t();
    let this_step = u64::try_from(now.revoked).unwrap_or(u64::MAX);
    let revoked = before.saturating_add(this_step);
    let heading = match (now.done, revoked) {
        (false, _) => &t.batch_revoke_unfinished,
        (true, 0) => &t.batch_revoked_none,
        (true, _) => &t.batch_revoked,
    };
    let mut facts =
        vec![(&*t.batch, batch.to_string()), (&*t.batch_number_revoked, revoked.to_string())];
    let (mut notices, mut steps) = (Vec::new(), Vec::new());
    if !now.done {
        facts.push((&*t.batch_number_rest, rest(counts, &REVOCABLE, this_step)));
        notices.push(&*t.batch_more);
        let hidden = vec![("reason", reason.to_owned()), ("revoked", revoked.to_string())];
        steps.push(NextStep { label: &t.batch_continue, hidden });
    }
    let result = BatchResult {
        t,
        base: context.base(),
        back: link(context, batch),
        heading,
        notices,
        facts,
        left_out: Vec::new(),
        action: action(context, batch),
        steps,
    };
    result.render()
}

fn action(context: &PageContext, batch: BatchId) -> String {
    format!("{}/batches/{batch}/revoke", context.base())
}

/// The form that asks for the confirmation, and for the reason.
struct Form<'a> {
    context: &'a PageContext,
    batch: BatchId,
    counts: StatusCounts,
}

impl Form<'_> {
    fn render(
        &self,
        status: StatusCode,
        reason: &str,
        mistakes: Mistakes,
    ) -> Result<Response, Problem> {
        let (context, t) = (self.context, self.context.t());
        let number = |status| (t.status(status), rest(&self.counts, &[status], 0));
        let facts = std::iter::once((&*t.batch, self.batch.to_string()));
        let field = Field::new("reason", &*t.reason, reason, Kind::Long);
        let form = FormPage::new(context, &t.batch_revoke_question, action(context, self.batch))
            .with_back(link(context, self.batch), &t.batch_back)
            .with_intro(&t.batch_revoke_meaning)
            .with_facts(facts.chain(REVOCABLE.map(number)).collect())
            .with_submit(&t.batch_revoke)
            .taking_away(true)
            .with_fields(vec![field.with_hint(&*t.reason_hint)])
            .with_mistakes(mistakes, None);
        page(status, &t.batch_revoke_question, &form)
    }
}
