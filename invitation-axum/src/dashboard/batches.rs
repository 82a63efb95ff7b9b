//! Batches: the invitations that one call or one import created, and the changes of all of them.

pub(super) mod resend;
pub(super) mod revoke;

use askama::{Template, filters::HtmlSafe};
use axum::{http::StatusCode, response::Response};
use invitation_core::{BatchId, Criteria, Right, Status, StatusCounts};

use super::{
    Strings,
    form::Input,
    page::{PageContext, page},
};
use crate::{
    path::PathId,
    problem::{Problem, ProblemKind},
};

/// The statuses of invitations that can be revoked.
const REVOCABLE: [Status; 2] = [Status::Active, Status::Expired];

/// Returns the path of the list of a batch.
pub(super) fn link(context: &PageContext, batch: BatchId) -> String {
    format!("{}?batch={batch}", context.home())
}

/// The heading of the list of one batch, with what the user may do with all of it.
#[derive(Template, Debug)]
#[template(path = "batch.html")]
pub(super) struct BatchHead<'a> {
    t: &'a Strings,
    base: &'a str,
    pub(super) id: BatchId,
    may_resend: bool,
    may_revoke: bool,
}

impl HtmlSafe for BatchHead<'_> {}

impl<'a> BatchHead<'a> {
    /// Returns the heading. An action that finds nothing to do, by the numbers of the batch, is not
    /// offered. Only the first page of a list has the numbers.
    pub(super) fn new(
        context: &'a PageContext,
        id: BatchId,
        counts: Option<&StatusCounts>,
    ) -> Self {
        let has = |statuses: &[Status]| {
            counts.is_none_or(|counts| statuses.iter().any(|status| counts.of(*status) > 0))
        };
        let sends_mails = context.web().deliveries().is_ok();
        Self {
            t: context.t(),
            base: context.base(),
            id,
            may_resend: sends_mails && context.may(Right::Resend) && has(&[Status::Active]),
            may_revoke: context.may(Right::Revoke) && has(&REVOCABLE),
        }
    }
}

/// Returns the batch or import of the path. A role that lacks the right gets 403 even if the id is
/// malformed.
pub(super) async fn named_or_forbidden(
    context: &PageContext,
    id: PathId<BatchId>,
    right: Right,
) -> Result<BatchId, Problem> {
    context.must(right, None).await?;
    id.id()
}

/// Counts the invitations of a batch. Returns 404 for a batch without one within the user's reach.
async fn counts(context: &PageContext, batch: BatchId) -> Result<StatusCounts, Problem> {
    let criteria = Criteria::new().in_batch(batch);
    let counts = context.service().counts(context.actor(), &criteria).await?;
    let all = [Status::Active, Status::Used, Status::Expired, Status::Revoked];
    if all.into_iter().all(|status| counts.of(status) == 0) {
        return Err(Problem::new(ProblemKind::NotFound));
    }
    Ok(counts)
}

/// Returns the number of invitations with one of these statuses that `handled` does not include. It
/// has a plus sign if it is a lower bound.
fn rest(counts: &StatusCounts, statuses: &[Status], handled: u64) -> String {
    let number: u64 = statuses.iter().map(|status| u64::from(counts.of(*status))).sum();
    let is_exact = statuses.iter().all(|status| counts.is_exact(*status));
    let more = if is_exact { "" } else { "+" };
    format!("{}{more}", number.saturating_sub(handled))
}

/// Returns a number that an earlier step of the same change has put into the form.
fn number(input: &Input, name: &str) -> u64 {
    input.text(name).parse().unwrap_or_default()
}

/// The page with the result of a change of a batch, or of one step of it.
#[derive(Template)]
#[template(path = "batch_result.html")]
struct BatchResult<'a> {
    t: &'a Strings,
    base: &'a str,
    back: String,
    heading: &'a str,
    notices: Vec<&'a str>,
    facts: Vec<(&'a str, String)>,
    left_out: Vec<LeftOut>,
    /// The path that the next steps are sent to.
    action: String,
    steps: Vec<NextStep<'a>>,
}

/// An invitation that a step has left out.
struct LeftOut {
    id: String,
    reason: String,
}

impl LeftOut {
    fn short(&self) -> &str {
        super::row::short(&self.id)
    }
}

/// A form that goes on with the change.
struct NextStep<'a> {
    label: &'a str,
    hidden: Vec<(&'static str, String)>,
}

impl BatchResult<'_> {
    fn render(&self) -> Result<Response, Problem> {
        page(StatusCode::OK, self.heading, self)
    }
}
