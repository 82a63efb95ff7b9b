//! The pages of imports of files: the upload, a look at the first lines, the progress and the
//! result.

use std::num::NonZeroU32;

use askama::Template;
use axum::{
    extract::{Extension, RawQuery, Request},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    BatchId, Cursor, Duplicates, IdempotencyKey, ImportMode, OutcomeKind, Paging, Right,
    import::jobs::{ImportJob, ImportOrder, ImportState, ResultRow},
};
use uuid::Uuid;

use super::{
    Strings, batches,
    form::{Choice, Field, Input, Kind},
    page::{PageContext, page},
    row::When,
};
use crate::{
    api::imports::{
        result::{result_head, streamed_result},
        upload::{self, FormParts},
    },
    middleware::LongerTime,
    origin,
    path::PathId,
    problem::{Problem, ProblemKind},
};

/// The number of lines that the page shows before an import is started.
const PREVIEW: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// The number of imports on a page of the list.
const PAGE: u32 = 20;

/// Shows the form for a file, and the imports so far.
pub(super) async fn list(
    context: PageContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    context.must(Right::Bulk, None).await?;
    let cursor = Input::of_query(query.as_deref())?.text("cursor").parse::<Cursor>().ok();
    ListPage::render(&context, cursor, None).await
}

/// Uploads a file, and leads to the page of its import, which is not started yet.
pub(super) async fn upload(
    context: PageContext,
    Extension(longer): Extension<LongerTime>,
    request: Request,
) -> Result<Response, Problem> {
    context.must(Right::Bulk, None).await?;
    context.web().served_imports()?;
    let (permit, request) = context.web().bulk_permit_for(request).await?;
    let owned = context.clone();
    let received =
        upload::in_task(
            context.web(),
            &longer,
            permit,
            async move { receive(&owned, request).await },
        );
    match received.await {
        Ok(id) => Ok(Redirect::to(&format!("{}/imports/{id}", context.base())).into_response()),
        Err(problem) if problem.kind().status().is_server_error() => Err(problem),
        Err(problem) => ListPage::render(&context, None, Some(&problem)).await,
    }
}

/// Receives the form. Its file comes last, behind the options.
async fn receive(context: &PageContext, request: Request) -> Result<BatchId, Problem> {
    let mut form = FormParts::of(request, context.web()).await?;
    let received = receive_parts(context, &mut form).await;
    form.finish(received).await
}

async fn receive_parts(
    context: &PageContext,
    form: &mut FormParts<'_>,
) -> Result<BatchId, Problem> {
    let web = context.web();
    let (mut key, mut mode, mut duplicates) = (None, ImportMode::BestEffort, Duplicates::Skip);
    while let Some(mut part) = form.next().await? {
        match part.name().to_owned().as_str() {
            "key" => key = IdempotencyKey::new(part.text().await?).ok(),
            "mode" => {
                let is_atomic = part.text().await? == "atomic";
                mode = if is_atomic { ImportMode::AllOrNone } else { mode };
            }
            "duplicates" => {
                let creates = part.text().await? == "create";
                duplicates = if creates { Duplicates::Create } else { duplicates };
            }
            "file" => {
                let order = ImportOrder::new(part.format())
                    .with_mode(mode)
                    .with_duplicates(duplicates)
                    .started_later();
                let mut upload = part.begin(context.actor(), order).await?;
                let received = part.write_to(&mut upload).await;
                let job = upload::end(web, upload, received, key.as_ref()).await?;
                return Ok(job.id());
            }
            _ => {}
        }
    }
    Err(Problem::new(ProblemKind::Malformed).with_detail("the form has no file"))
}

/// Shows an import: its first lines before it is started, then its progress.
pub(super) async fn show(context: PageContext, id: PathId<BatchId>) -> Result<Response, Problem> {
    let (web, actor) = (context.web(), context.actor());
    let (imports, id) = (web.served_imports()?, id.id()?);
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
pub(super) async fn start(context: PageContext, id: PathId<BatchId>) -> Result<Response, Problem> {
    let (imports, id) = (context.web().served_imports()?, id.id()?);
    imports.start(context.web().service(), context.actor(), id).await?;
    Ok(to_page(&context, id))
}

/// Ends an import.
pub(super) async fn cancel(context: PageContext, id: PathId<BatchId>) -> Result<Response, Problem> {
    let (imports, id) = (context.web().served_imports()?, id.id()?);
    imports.cancel(context.web().service(), context.actor(), id).await?;
    Ok(to_page(&context, id))
}

/// Redirects to the page of the import: a browser that loads the URL of a form again sends no form.
pub(super) async fn back(context: PageContext, id: PathId<BatchId>) -> Result<Response, Problem> {
    Ok(to_page(&context, id.id()?))
}

/// Returns the file with the outcome of each line. A link on a page of another site leads to the page
/// of the import: opening the file is recorded as a copy of its codes.
pub(super) async fn result(
    context: PageContext,
    id: PathId<BatchId>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (web, actor, id) = (context.web(), context.actor(), id.id()?);
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
#[template(path = "uploads.html")]
struct ListPage<'a> {
    t: &'a Strings,
    base: &'a str,
    home: &'a str,
    notice: Option<String>,
    key: String,
    fields: Vec<Field>,
    jobs: Vec<JobRow<'a>>,
    next: Option<String>,
}

/// One import in the list.
struct JobRow<'a> {
    id: BatchId,
    at: When,
    state: &'a str,
    created: u64,
}

impl<'a> ListPage<'a> {
    async fn render(
        context: &'a PageContext,
        cursor: Option<Cursor>,
        problem: Option<&Problem>,
    ) -> Result<Response, Problem> {
        let (t, web) = (context.t(), context.web());
        let paging = Paging::first(PAGE)?;
        let paging = cursor.map_or(paging, |cursor| paging.after(cursor));
        let imports = web.served_imports()?;
        let listed = imports.list(web.service(), context.actor(), paging).await?;
        let jobs = listed.items().iter().map(|job| JobRow {
            id: job.id(),
            at: When::new(job.ordered_at(), context.now(), t),
            state: state(t, job.state()),
            created: job.progress().created,
        });
        let sheet = Self {
            t,
            base: context.base(),
            home: context.home(),
            notice: problem.map(|problem| said(t, problem)),
            key: Uuid::new_v4().to_string(),
            fields: fields(t),
            jobs: jobs.collect(),
            next: listed.next().map(|cursor| format!("{}/imports?cursor={cursor}", context.base())),
        };
        let status = problem.map_or(StatusCode::OK, |problem| problem.kind().status());
        page(status, &t.uploads, &sheet)
    }
}

/// Returns the message of a problem with an upload.
fn said(t: &Strings, problem: &Problem) -> String {
    let errors = problem.errors().iter().map(|error| (t.sentence)(&error.message));
    let detail = problem.detail().map(|detail| (t.sentence)(detail));
    let all: Vec<_> = detail.into_iter().chain(errors).collect();
    if all.is_empty() { problem.kind().title().to_owned() } else { all.join(" ") }
}

fn fields(t: &Strings) -> Vec<Field> {
    let modes = vec![
        Choice::new("best_effort", &*t.import_best_effort),
        Choice::new("atomic", &*t.import_all_or_none),
    ];
    let choices = vec![
        Choice::new("skip", &*t.import_duplicates_skip),
        Choice::new("create", &*t.import_duplicates_create),
    ];
    // The file comes last: the server reads the form as a stream.
    vec![
        Field::new("mode", &*t.import_mode, "", Kind::Choice(modes)),
        Field::new("duplicates", &*t.import_duplicates, "", Kind::Choice(choices)),
        Field::new("file", &*t.upload_file, "", Kind::File { accepts_json: true }),
    ]
}

fn state(t: &Strings, state: ImportState) -> &str {
    match state {
        ImportState::Uploaded => &t.upload_held,
        ImportState::Queued => &t.upload_queued,
        ImportState::Running => &t.upload_running,
        ImportState::Writing => &t.upload_writing,
        ImportState::Done => &t.upload_done,
        ImportState::Cancelled => &t.upload_cancelled,
        _ => &t.upload_failed,
    }
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
