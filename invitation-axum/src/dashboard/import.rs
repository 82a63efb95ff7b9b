//! The page that imports many invitations: it checks them first, then creates them, and
//! reports the result of each line.

use askama::Template;
use axum::{
    extract::Request,
    http::StatusCode,
    response::{Redirect, Response},
};
use invitation_core::{Duplicates, IdempotencyKey, ImportMode, Right};
use uuid::Uuid;

use super::{
    Strings, batches,
    form::{Choice, Field, Input, Kind},
    page::{PageContext, page, with_retry_after},
};
use crate::{
    api::{
        bulk::{self, BulkBody, How, RowOutcome, RowResult},
        rows::{self, Note},
    },
    problem::{Problem, ProblemKind},
    secret::Secret,
};

/// Shows the empty form.
pub(super) async fn form(context: PageContext) -> Result<Response, Problem> {
    context.must(Right::Bulk, None).await?;
    let sheet = Sheet::of(&Input::with([]), String::new());
    sheet.render(&context, StatusCode::OK, Results::Nothing)
}

/// Redirects to an empty form: a browser that loads the URL of the form again sends no form.
pub(super) async fn back(context: PageContext) -> Redirect {
    Redirect::to(&format!("{}/import", context.base()))
}

/// Shows the outcome that each line would have.
pub(super) async fn check(context: PageContext, request: Request) -> Result<Response, Problem> {
    context.must(Right::Bulk, None).await?;
    // Before the body is read: it is in memory until the import ends.
    let _permit = context.web().bulk_permit()?;
    match Sheet::read(&context, request).await? {
        Ok(sheet) => sheet.rehearse(&context, StatusCode::OK).await,
        Err((sheet, problem)) => sheet.refused(&context, &problem),
    }
}

/// Creates the invitations of the form, once however often the form is sent.
pub(super) async fn create(context: PageContext, request: Request) -> Result<Response, Problem> {
    context.must(Right::Bulk, None).await?;
    let _permit = context.web().bulk_permit()?;
    let sheet = match Sheet::read(&context, request).await? {
        Ok(sheet) => sheet,
        Err((sheet, problem)) => return sheet.refused(&context, &problem),
    };
    match sheet.import(&context).await {
        Ok(body) if body.batch.is_some() => {
            sheet.render(&context, StatusCode::CREATED, Results::Created(body))
        }
        // Nothing was created, and each line says why. The key now stands for this
        // result, so the form gets a new one.
        Ok(body) => {
            let sheet = sheet.with_new_key();
            sheet.render(&context, StatusCode::UNPROCESSABLE_ENTITY, Results::Refused(body))
        }
        // The form has created other invitations. These ones are checked anew, so that the page
        // offers to create them.
        Err(problem) if problem.kind() == ProblemKind::IdempotencyKeyReused => {
            let (status, sheet) = (StatusCode::CONFLICT, sheet.with_new_key());
            match sheet.checked(&context).await {
                Ok(body) => sheet.render(&context, status, Results::CheckedAnew(body)),
                Err(problem) => sheet.refused(&context, &problem),
            }
        }
        Err(problem) if problem.errors().is_empty() => sheet.refused(&context, &problem),
        Err(problem) => sheet.rehearse(&context, problem.kind().status()).await,
    }
}

/// The values of the form.
struct Sheet {
    csv: String,
    mode: String,
    duplicates: String,
    key: String,
}

/// The result that the page shows above the form.
enum Results {
    Nothing,
    Notice(String),
    Checked(BulkBody),
    /// The result of checking other lines than those that the form has created before.
    CheckedAnew(BulkBody),
    Refused(BulkBody),
    Created(BulkBody),
}

impl Sheet {
    fn of(input: &Input, csv: String) -> Self {
        let key = match input.text("key") {
            "" => Uuid::new_v4().to_string(),
            key => key.to_owned(),
        };
        let text = |name: &str| input.text(name).to_owned();
        Self { csv, mode: text("mode"), duplicates: text("duplicates"), key }
    }

    /// Reads a form that was sent. If its text cannot be read, returns the form without
    /// it and the problem.
    async fn read(
        context: &PageContext,
        request: Request,
    ) -> Result<Result<Self, (Self, Problem)>, Problem> {
        let (input, csv) = Input::of_upload(request, context.web(), ["file", "csv"]).await?;
        Ok(match csv {
            Ok(csv) => Ok(Self::of(&input, csv)),
            Err(problem) => Err((Self::of(&input, String::new()), problem)),
        })
    }

    fn with_new_key(self) -> Self {
        Self { key: Uuid::new_v4().to_string(), ..self }
    }

    fn how(&self) -> How {
        let mode =
            if self.takes_what_it_can() { ImportMode::BestEffort } else { ImportMode::AllOrNone };
        let duplicates =
            if self.duplicates == "create" { Duplicates::Create } else { Duplicates::Skip };
        How { mode, duplicates }
    }

    fn takes_what_it_can(&self) -> bool {
        self.mode == "best_effort"
    }

    async fn import(&self, context: &PageContext) -> Result<BulkBody, Problem> {
        let web = context.web();
        let rows = rows::of_csv(self.csv.as_bytes(), web.max_rows())?;
        let key = IdempotencyKey::new(&self.key)
            .map_err(|_| Problem::new(ProblemKind::Malformed).with_detail("the form has no key"))?;
        bulk::import(web, context.actor(), rows, self.how(), Some(&key)).await
    }

    async fn rehearse(
        &self,
        context: &PageContext,
        status: StatusCode,
    ) -> Result<Response, Problem> {
        match self.checked(context).await {
            Ok(body) => self.render(context, status, Results::Checked(body)),
            Err(problem) => self.refused(context, &problem),
        }
    }

    async fn checked(&self, context: &PageContext) -> Result<BulkBody, Problem> {
        let web = context.web();
        let rows = rows::of_csv(self.csv.as_bytes(), web.max_rows())?;
        bulk::rehearse(web, context.actor(), rows, self.how()).await
    }

    /// Shows a mistake in the file as a whole.
    fn refused(&self, context: &PageContext, problem: &Problem) -> Result<Response, Problem> {
        let t = context.t();
        if problem.kind().status().is_server_error() {
            return Err(problem.clone());
        }
        let said = problem.errors().iter().map(|error| (t.sentence)(&error.message));
        let said: Vec<_> =
            problem.detail().map(|d| (t.sentence)(d)).into_iter().chain(said).collect();
        let notice = Results::Notice(said.join(" "));
        let shown = self.render(context, problem.kind().status(), notice)?;
        Ok(with_retry_after(shown, problem.clone()))
    }

    fn render(
        &self,
        context: &PageContext,
        status: StatusCode,
        results: Results,
    ) -> Result<Response, Problem> {
        let t = context.t();
        let is_done = matches!(results, Results::Created(_));
        let (heading, notice, body) = match results {
            Results::Nothing => (&t.import_heading, None, None),
            Results::Notice(notice) => (&t.import_heading, Some(notice), None),
            Results::Checked(body) => (&t.import_checked, None, Some(body)),
            Results::CheckedAnew(body) => {
                (&t.import_checked, Some(t.import_was_used.to_string()), Some(body))
            }
            Results::Refused(body) => (&t.import_refused, None, Some(body)),
            Results::Created(body) => (&t.import_done, None, Some(body)),
        };
        let created = body.as_ref().and_then(|body| body.batch.as_ref());
        let batch = created.and_then(|batch| batch.parse().ok());
        let results = body.map(|body| body.results).unwrap_or_default();
        let good = results.iter().filter(|row| is_good(row.outcome)).count();
        let skipped = results.iter().filter(|row| row.outcome == RowOutcome::Skipped).count();
        let bad = results.len() - good - skipped;
        let sheet = ImportPage {
            t,
            base: context.base(),
            has_uploads: context.web().imports().is_some(),
            home: context.home(),
            heading,
            summary: (!results.is_empty()).then(|| (t.checked)(good, skipped, bad)),
            notice,
            may_create: good > 0 && (bad == 0 || self.takes_what_it_can()),
            lines: results.into_iter().map(|row| Line::of(t, row)).collect(),
            batch: batch.map(|batch| batches::link(context, batch)),
            is_done,
            key: &self.key,
            fields: self.fields(t),
        };
        page(status, heading, &sheet)
    }

    fn fields(&self, t: &Strings) -> Vec<Field> {
        let modes = vec![
            Choice::new("atomic", &*t.import_all_or_none),
            Choice::new("best_effort", &*t.import_best_effort),
        ];
        let choices = vec![
            Choice::new("skip", &*t.import_duplicates_skip),
            Choice::new("create", &*t.import_duplicates_create),
        ];
        vec![
            Field::new("csv", &*t.import_text, &self.csv, Kind::Long),
            Field::new("file", &*t.import_file, "", Kind::File { accepts_json: false }),
            Field::new("mode", &*t.import_mode, &self.mode, Kind::Choice(modes)),
            Field::new(
                "duplicates",
                &*t.import_duplicates,
                &self.duplicates,
                Kind::Choice(choices),
            ),
        ]
    }
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage<'a> {
    t: &'a Strings,
    base: &'a str,
    has_uploads: bool,
    home: &'a str,
    heading: &'a str,
    summary: Option<String>,
    notice: Option<String>,
    may_create: bool,
    lines: Vec<Line>,
    /// The path of the list of the created invitations.
    batch: Option<String>,
    is_done: bool,
    key: &'a str,
    fields: Vec<Field>,
}

/// The outcome of one line, or the outcome that it would have.
struct Line {
    number: usize,
    outcome: String,
    /// The CSS class that gives the outcome its colour.
    class: &'static str,
    code: Option<Secret>,
    notes: String,
}

impl Line {
    fn of(t: &Strings, row: RowResult) -> Self {
        let (outcome, class) = match row.outcome {
            RowOutcome::Created => (&t.import_line_created, "succeeded"),
            RowOutcome::Valid => (&t.import_line_ok, "succeeded"),
            RowOutcome::Skipped => (&t.import_line_skipped, "refused"),
            _ => (&t.import_line_bad, "denied"),
        };
        let notes: Vec<_> = row.notes.iter().map(|note| said(t, note)).collect();
        Self {
            number: row.line,
            outcome: outcome.to_string(),
            class,
            code: row.code,
            notes: notes.join(" · "),
        }
    }
}

fn is_good(outcome: RowOutcome) -> bool {
    matches!(outcome, RowOutcome::Created | RowOutcome::Valid)
}

/// Returns the column with the message about it. The line number has a table column of
/// its own.
fn said(t: &Strings, note: &Note) -> String {
    match &note.column {
        Some(column) => format!("{column}: {}", note.message),
        None => (t.sentence)(&note.message),
    }
}
