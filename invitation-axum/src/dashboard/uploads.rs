//! The pages of imports of files: the list and the upload.

pub(super) mod one;

use askama::Template;
use axum::{
    extract::{Extension, RawQuery, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    BatchId, Cursor, Duplicates, IdempotencyKey, ImportMode, Paging, Right,
    import::jobs::{ImportOrder, ImportState},
};
use uuid::Uuid;

use super::{
    Strings,
    form::{Choice, Field, Input, Kind},
    page::{PageContext, page},
    row::When,
};
use crate::{
    api::imports::upload::{self, FormParts},
    middleware::LongerTime,
    problem::{Problem, ProblemKind},
};

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
