//! Sending all invitations of a batch again.

use axum::{extract::Request, http::StatusCode, response::Response};
use invitation_core::{
    BatchId, Criteria, Cursor, IdempotencyKey, Limits, Paging, Refusal, Right, Status,
    StatusCounts,
    delivery::{Resend, ResendOutcome, ResentPage},
};
use uuid::Uuid;

use super::{
    super::{
        Strings,
        form::{FormPage, Input},
        page::{PageContext, page},
    },
    BatchResult, LeftOut, NextStep, counts, link, named_or_forbidden, number, rest,
};
use crate::{
    path::PathId,
    problem::{Problem, ProblemKind},
};

/// Asks the user to confirm that all active invitations are sent again.
pub(in super::super) async fn ask(
    context: PageContext,
    batch: PathId<BatchId>,
) -> Result<Response, Problem> {
    let batch = named_or_forbidden(&context, batch, Right::Resend).await?;
    let (counts, t) = (counts(&context, batch).await?, context.t());
    let active = (t.status(Status::Active), rest(&counts, &[Status::Active], 0));
    let form = FormPage::new(&context, &t.batch_resend_question, action(&context, batch))
        .with_back(link(&context, batch), &t.batch_back)
        .with_intro(&t.batch_resend_meaning)
        .with_facts(vec![(&*t.batch, batch.to_string()), active])
        .with_hidden("key", Uuid::new_v4().to_string())
        .with_submit(&t.batch_resend);
    page(StatusCode::OK, &t.batch_resend_question, &form)
}

/// Sends one page of invitations again, each once however often the form is sent. The page offers
/// the next step, if invitations are left.
pub(in super::super) async fn make(
    context: PageContext,
    batch: PathId<BatchId>,
    request: Request,
) -> Result<Response, Problem> {
    let deliveries = context.web().deliveries()?;
    let batch = named_or_forbidden(&context, batch, Right::Resend).await?;
    let step = Step::of(&Input::of_body(request, context.web()).await?)?;
    let counts = counts(&context, batch).await?;
    let criteria = Criteria::new().in_batch(batch).with_status(Status::Active);
    let resend = Resend::new().with_key(step.key.clone());
    let paging = Paging::first(Limits::MAX_PAGE)?;
    let paging = step.cursor.map_or(paging, |cursor| paging.after(cursor));
    let sent = deliveries.resend_all(context.actor(), &criteria, resend, paging).await?;
    shown(&context, batch, &counts, &step, &sent)
}

fn action(context: &PageContext, batch: BatchId) -> String {
    format!("{}/batches/{batch}/resend", context.base())
}

/// One step of sending a batch again: a page, and what the pages before it came to.
struct Step {
    /// The key of all steps, under which no invitation is sent twice.
    key: IdempotencyKey,
    cursor: Option<Cursor>,
    queued: u64,
    left_out: u64,
}

impl Step {
    fn of(input: &Input) -> Result<Self, Problem> {
        let malformed = |detail| Problem::new(ProblemKind::Malformed).with_detail(detail);
        let key = IdempotencyKey::new(input.text("key"))
            .map_err(|_| malformed("the key of the form cannot be read"))?;
        let cursor = match input.text("cursor") {
            "" => None,
            text => Some(text.parse().map_err(|_| malformed("the cursor cannot be read"))?),
        };
        let (queued, left_out) = (number(input, "queued"), number(input, "left_out"));
        Ok(Self { key, cursor, queued, left_out })
    }

    /// Returns the fields of a form that makes this step.
    fn hidden(&self) -> Vec<(&'static str, String)> {
        let cursor = self.cursor.map(|cursor| ("cursor", cursor.to_string()));
        let fields = [
            ("key", self.key.as_str().to_owned()),
            ("queued", self.queued.to_string()),
            ("left_out", self.left_out.to_string()),
        ];
        fields.into_iter().chain(cursor).collect()
    }

    /// Returns the step for the page behind a cursor, after this step.
    fn next(&self, cursor: Cursor, queued: u64, left_out: u64) -> Self {
        Self { key: self.key.clone(), cursor: Some(cursor), queued, left_out }
    }
}

fn shown(
    context: &PageContext,
    batch: BatchId,
    counts: &StatusCounts,
    step: &Step,
    sent: &ResentPage,
) -> Result<Response, Problem> {
    let t = context.t();
    let long = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let queued = step.queued.saturating_add(long(sent.queued()));
    let (left_out, is_limited) = left_out(t, sent);
    let number_left_out = step.left_out.saturating_add(long(left_out.len()));
    let heading = match (is_limited || sent.next().is_some(), queued) {
        (true, _) => &t.batch_resend_unfinished,
        (false, 0) => &t.batch_resent_none,
        (false, _) => &t.batch_resent,
    };
    let mut facts = vec![
        (&*t.batch, batch.to_string()),
        (&*t.batch_number_queued, queued.to_string()),
        (&*t.batch_number_left_out, number_left_out.to_string()),
    ];
    let (mut notices, mut steps) = (Vec::new(), Vec::new());
    if is_limited {
        notices.push(&*t.batch_limited);
        // The same page under the same key: it sends only those that the limit has left out.
        steps.push(NextStep { label: &t.batch_retry, hidden: step.hidden() });
    }
    if let Some(cursor) = sent.next() {
        let handled = queued.saturating_add(number_left_out);
        facts.push((&*t.batch_number_rest, rest(counts, &[Status::Active], handled)));
        notices.push(&*t.batch_more);
        let next = step.next(cursor, queued, number_left_out);
        steps.push(NextStep { label: &t.batch_continue, hidden: next.hidden() });
    }
    let result = BatchResult {
        t,
        base: context.base(),
        back: link(context, batch),
        heading,
        notices,
        facts,
        left_out,
        action: action(context, batch),
        steps,
    };
    result.render()
}

/// Returns the invitations that a step left out, and whether a limit of mails is a cause.
fn left_out(t: &Strings, sent: &ResentPage) -> (Vec<LeftOut>, bool) {
    let (mut left_out, mut is_limited) = (Vec::new(), false);
    for one in sent.invitations() {
        let ResendOutcome::LeftOut(refused) = &one.outcome else { continue };
        let mut reason = (t.sentence)(&refused.to_string());
        if let Refusal::MailLimit { retry_after } = refused.refusal() {
            is_limited = true;
            reason = format!("{reason} ({})", (t.relative_time)(*retry_after));
        }
        left_out.push(LeftOut { id: one.invitation.to_string(), reason });
    }
    (left_out, is_limited)
}
