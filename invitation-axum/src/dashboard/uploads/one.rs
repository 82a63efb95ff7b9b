//! The pages of one import: a look at the first lines, the progress and the result.

use std::num::NonZeroU32;

use askama::Template;
use axum::{
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    BatchId, OutcomeKind, Right,
    import::jobs::{ImportJob, ImportState, ResultRow},
};

use super::{
    super::{
        Strings, batches,
        page::{PageContext, page},
        row::When,
    },
    duplicates_choice, mode_choice, state,
};
use crate::{
    api::imports::result::{result_head, streamed_result},
    origin,
    path::PathId,
    problem::Problem,
};

/// The number of lines that the page shows before an import is started.
const PREVIEW: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// Returns the import of the path. A role that may not import gets 403 whatever the id is.
async fn named(context: &PageContext, id: PathId<BatchId>) -> Result<BatchId, Problem> {
    batches::named_or_forbidden(context, id, Right::Bulk).await
}

/// Shows an import: its first lines before it is started, then its progress.
pub(in super::super) async fn show(
    context: PageContext,
    id: PathId<BatchId>,
) -> Result<Response, Problem> {
    let (web, actor) = (context.web(), context.actor());
    let (id, imports) = (named(&context, id).await?, web.served_imports()?);
    let job = imports.get(web.service(), actor, id).await?;
    let t = context.t();
    let is_held = job.state() == ImportState::Uploaded;
    let mut sheet = JobPage::of(&context, &job, id);
    if is_held {
        let preview = imports.preview(web.service(), actor, id, PREVIEW).await?;
        let number = |kinds: &[OutcomeKind]| {
            preview.rows.iter().filter(|row| kinds.contains(&row.outcome)).count()
        };
        let (good, skipped) = (number(&[OutcomeKind::Valid]), number(&[OutcomeKind::Skipped]));
        sheet.summary = (t.checked)(good, skipped, preview.rows.len() - good - skipped);
        sheet.has_more = preview.has_more;
        sheet.reason = preview.reason.as_deref().map(|reason| (t.sentence)(reason));
        // Of a file that cannot be read to its end, the first rows could be created only.
        sheet.may_start = !preview.rows.is_empty();
        sheet.lines = preview.rows.iter().map(|row| Line::of(t, row)).collect();
    }
    page(StatusCode::OK, &t.upload_heading, &sheet)
}

/// Starts an import.
pub(in super::super) async fn start(
    context: PageContext,
    id: PathId<BatchId>,
) -> Result<Response, Problem> {
    let (id, imports) = (named(&context, id).await?, context.web().served_imports()?);
    imports.start(context.web().service(), context.actor(), id).await?;
    Ok(to_page(&context, id))
}

/// Ends an import.
pub(in super::super) async fn cancel(
    context: PageContext,
    id: PathId<BatchId>,
) -> Result<Response, Problem> {
    let (id, imports) = (named(&context, id).await?, context.web().served_imports()?);
    imports.cancel(context.web().service(), context.actor(), id).await?;
    Ok(to_page(&context, id))
}

/// Redirects to the page of the import: a browser that loads the URL of a form again sends no form.
pub(in super::super) async fn back(
    context: PageContext,
    id: PathId<BatchId>,
) -> Result<Response, Problem> {
    let id = named(&context, id).await?;
    Ok(to_page(&context, id))
}

/// Returns the file with the outcome of each line. A link on a page of another site leads to the page
/// of the import: opening the file is recorded as a copy of its codes.
pub(in super::super) async fn result(
    context: PageContext,
    id: PathId<BatchId>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (web, actor, id) = (context.web(), context.actor(), named(&context, id).await?);
    if method == Method::HEAD {
        return result_head(web, actor, id).await;
    }
    if origin::check_reading(&headers).is_err() {
        return Ok(to_page(&context, id));
    }
    streamed_result(web, actor, id).await
}

fn to_page(context: &PageContext, id: BatchId) -> Response {
    Redirect::to(&format!("{}/imports/{id}", context.base())).into_response()
}

#[derive(Template)]
#[template(path = "upload.html")]
#[expect(clippy::struct_excessive_bools, reason = "each part of the page is shown on its own")]
struct JobPage<'a> {
    t: &'a Strings,
    base: &'a str,
    id: BatchId,
    at: When,
    name: Option<&'a str>,
    state: &'a str,
    reason: Option<String>,
    is_held: bool,
    /// Whether a worker will still change something.
    is_active: bool,
    /// The part of the file with an outcome; none while all rows are created in one step.
    percent: Option<u64>,
    counts: Vec<(&'a str, u64)>,
    /// The options that the import was ordered with.
    options: [(&'a str, String); 2],
    summary: String,
    lines: Vec<Line>,
    has_more: bool,
    may_start: bool,
    may_cancel: bool,
    has_result: bool,
    /// The path of the list of the created invitations.
    batch: Option<String>,
}

impl<'a> JobPage<'a> {
    fn of(context: &'a PageContext, job: &'a ImportJob, id: BatchId) -> Self {
        let (t, progress) = (context.t(), job.progress());
        let bad = progress.invalid + progress.forbidden + progress.quota_exceeded;
        let counts = [
            (&*t.upload_rows, progress.rows),
            (&*t.import_line_created, progress.created),
            (&*t.import_line_ok, progress.valid),
            (&*t.import_line_skipped, progress.skipped),
            (&*t.import_line_bad, bad + progress.unavailable),
        ];
        let is_final = job.state().is_final();
        let is_shown = |(n, (_, number)): &(usize, (&str, u64))| *n < 2 || *number > 0;
        let percent = match job.state() {
            ImportState::Writing => None,
            ImportState::Done => Some(100),
            _ => Some(progress.bytes.saturating_mul(100) / job.bytes().max(1)),
        };
        Self {
            t,
            base: context.base(),
            id,
            at: When::new(job.ordered_at(), context.now(), t),
            name: job.file_name(),
            state: state(t, job.state()),
            reason: job.reason().map(|reason| (t.sentence)(reason)),
            is_held: job.state() == ImportState::Uploaded,
            is_active: !is_final && job.state() != ImportState::Uploaded,
            percent,
            counts: counts.into_iter().enumerate().filter(is_shown).map(|(_, one)| one).collect(),
            options: [
                (&t.import_mode, mode_choice(t, job.order().mode()).label),
                (&t.import_duplicates, duplicates_choice(t, job.order().duplicates()).label),
            ],
            summary: String::new(),
            lines: Vec::new(),
            has_more: false,
            may_start: false,
            may_cancel: matches!(
                job.state(),
                ImportState::Uploaded | ImportState::Queued | ImportState::Running
            ),
            has_result: is_final && progress.rows > 0,
            batch: (progress.created > 0).then(|| batches::link(context, id)),
        }
    }
}

/// The outcome that one line would have.
struct Line {
    number: usize,
    outcome: String,
    /// The CSS class that gives the outcome its colour.
    class: &'static str,
    notes: String,
}

impl Line {
    fn of(t: &Strings, row: &ResultRow) -> Self {
        let (outcome, class) = match row.outcome {
            OutcomeKind::Valid => (&t.import_line_ok, "succeeded"),
            OutcomeKind::Skipped => (&t.import_line_skipped, "refused"),
            _ => (&t.import_line_bad, "denied"),
        };
        let notes: Vec<_> = row.errors.iter().chain(&row.warnings).map(String::as_str).collect();
        Self { number: row.line, outcome: outcome.to_string(), class, notes: notes.join(" · ") }
    }
}
