//! The pages of imports of files: the list and the upload.

pub(super) mod one;

use askama::Template;
use axum::{
    extract::{Extension, RawQuery, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{
    BatchId, Duplicates, IdempotencyKey, ImportMode, Right,
    import::jobs::{ImportOrder, ImportState},
};
use uuid::Uuid;

use super::{
    Strings,
    form::{Choice, Field, Input, Kind, Mistakes},
    page::{PageContext, page},
    pager::{PageForm, Pager},
    row::When,
};
use crate::{
    api::imports::upload::{self, FormParts},
    middleware::LongerTime,
    problem::{Problem, ProblemKind, pointer_to},
};

/// The values of the options in the form.
const BEST_EFFORT: &str = "best_effort";
const ATOMIC: &str = "atomic";
const SKIP: &str = "skip";
const CREATE: &str = "create";

/// The number of imports on a page of the list by default.
const PAGE: &str = "20";

/// Shows the form for a file, and the imports so far.
pub(super) async fn list(
    context: PageContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    context.must(Right::Bulk, None).await?;
    let asked = PageForm::of(&Input::of_query(query.as_deref())?);
    ListPage::render(&context, &asked, Options::default(), None).await
}

/// Uploads a file, and leads to the page of its import, which is not started yet.
pub(super) async fn upload(
    context: PageContext,
    Extension(longer): Extension<LongerTime>,
    request: Request,
) -> Result<Response, Problem> {
    context.must(Right::Bulk, None).await?;
    context.web().served_imports()?;
    let permit = context.web().bulk_permit()?;
    let owned = context.clone();
    let receiving = async move { Ok(receive(&owned, request).await) };
    let received = upload::in_task(context.web(), &longer, permit, receiving).await;
    // A reception that broke off as a whole has read no options.
    let (options, received) = received.unwrap_or_else(|problem| (Options::default(), Err(problem)));
    match received {
        Ok(id) => Ok(Redirect::to(&format!("{}/imports/{id}", context.base())).into_response()),
        Err(problem) if problem.kind().status().is_server_error() => Err(problem),
        Err(problem) => {
            ListPage::render(&context, &PageForm::default(), options, Some(&problem)).await
        }
    }
}

/// The options of an upload, which its form shows again if it is refused.
#[derive(Clone, Copy)]
struct Options {
    mode: ImportMode,
    duplicates: Duplicates,
}

impl Default for Options {
    fn default() -> Self {
        Self { mode: ImportMode::BestEffort, duplicates: Duplicates::Skip }
    }
}

/// Returns the mode that a form names.
fn mode(value: &str) -> ImportMode {
    if value == ATOMIC { ImportMode::AllOrNone } else { ImportMode::BestEffort }
}

/// Returns the treatment of duplicates that a form names.
fn duplicates(value: &str) -> Duplicates {
    if value == CREATE { Duplicates::Create } else { Duplicates::Skip }
}

/// Returns the value of a mode in the form, and its label.
fn mode_choice(t: &Strings, mode: ImportMode) -> Choice {
    match mode {
        ImportMode::BestEffort => Choice::new(BEST_EFFORT, &*t.import_best_effort),
        ImportMode::AllOrNone => Choice::new(ATOMIC, &*t.import_all_or_none),
    }
}

/// Returns the value of a treatment of duplicates in the form, and its label.
fn duplicates_choice(t: &Strings, duplicates: Duplicates) -> Choice {
    match duplicates {
        Duplicates::Skip => Choice::new(SKIP, &*t.import_duplicates_skip),
        Duplicates::Create => Choice::new(CREATE, &*t.import_duplicates_create),
    }
}

/// Receives the form, and returns its options with the result.
async fn receive(context: &PageContext, request: Request) -> (Options, Result<BatchId, Problem>) {
    let mut options = Options::default();
    let mut form = match FormParts::of(request, context.web()) {
        Ok(form) => form,
        Err(problem) => return (options, Err(problem)),
    };
    let received = receive_parts(context, &mut form, &mut options).await;
    (options, received)
}

/// Receives the parts of the form. Its file comes last, behind the options.
async fn receive_parts(
    context: &PageContext,
    form: &mut FormParts<'_>,
    options: &mut Options,
) -> Result<BatchId, Problem> {
    let (web, mut key) = (context.web(), None);
    while let Some(mut part) = form.next().await? {
        match part.name().to_owned().as_str() {
            "key" => key = IdempotencyKey::new(part.text().await?).ok(),
            "mode" => options.mode = mode(&part.text().await?),
            "duplicates" => options.duplicates = duplicates(&part.text().await?),
            "file" => {
                let order = ImportOrder::new(part.format())
                    .with_mode(options.mode)
                    .with_duplicates(options.duplicates)
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
    /// The text in place of an empty table.
    none: &'a str,
    pager: Pager<'a>,
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
        asked: &PageForm,
        options: Options,
        problem: Option<&Problem>,
    ) -> Result<Response, Problem> {
        let (t, web) = (context.t(), context.web());
        let paging = asked.parse(PAGE)?;
        let list = format!("{}/imports", context.base());
        let imports = web.served_imports()?;
        let listed = imports.list(web.service(), context.actor(), paging).await?;
        let jobs = listed.items().iter().map(|job| JobRow {
            id: job.id(),
            at: When::new(job.ordered_at(), context.now(), t),
            state: state(t, job.state()),
            created: job.progress().created,
        });
        let links = asked.links(&list, PAGE);
        let nothing_here = links.nothing_here(t, listed.next().is_some());
        let mut fields = fields(t, options);
        let notice = problem.and_then(|problem| said(t, problem, &mut fields));
        let sheet = Self {
            t,
            base: context.base(),
            home: context.home(),
            notice,
            key: Uuid::new_v4().to_string(),
            fields,
            jobs: jobs.collect(),
            none: nothing_here.map_or(&*t.uploads_none, |(title, _)| title),
            pager: links.pager(t, listed.next()),
        };
        let status = problem.map_or(StatusCode::OK, |problem| problem.kind().status());
        page(status, &t.uploads, &sheet)
    }
}

/// Puts each mistake of a problem with an upload beside its field, and returns what else there is
/// to say.
fn said(t: &Strings, problem: &Problem, fields: &mut [Field]) -> Option<String> {
    let mut mistakes = Mistakes::default();
    for error in problem.errors() {
        let field = fields.iter().find(|field| error.pointer == pointer_to(field.name));
        mistakes.add(field.map_or("", |field| field.name), (t.sentence)(&error.message));
    }
    let detail = problem.detail().map(|detail| (t.sentence)(detail));
    let title =
        (mistakes.is_empty() && detail.is_none()).then(|| problem.kind().title().to_owned());
    let others = mistakes.beside(fields);
    let all: Vec<_> = [title, detail, others].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(" "))
}

fn fields(t: &Strings, options: Options) -> Vec<Field> {
    let modes = [ImportMode::BestEffort, ImportMode::AllOrNone].map(|mode| mode_choice(t, mode));
    let choices =
        [Duplicates::Skip, Duplicates::Create].map(|duplicates| duplicates_choice(t, duplicates));
    let mode = mode_choice(t, options.mode).value;
    let duplicates = duplicates_choice(t, options.duplicates).value;
    // The file comes last: the server reads the form as a stream.
    vec![
        Field::new("mode", &*t.import_mode, mode, Kind::Choice(modes.into())),
        Field::new("duplicates", &*t.import_duplicates, duplicates, Kind::Choice(choices.into())),
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
