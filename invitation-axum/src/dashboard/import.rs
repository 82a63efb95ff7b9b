//! The import of many invitations: checked first, created then, with an answer per line.

use askama::Template;
use axum::{
    extract::Request,
    http::StatusCode,
    response::{Redirect, Response},
};
use invitation_core::{IdempotencyKey, Right};
use uuid::Uuid;

use super::{
    Strings,
    form::{Choice, Field, Input, Kind},
    frame::{Visitor, page},
};
use crate::{
    api::{
        bulk::{self, BulkBody, How, RowOutcome, RowResult},
        rows,
    },
    problem::{FieldError, Problem},
    secret::Secret,
};

/// The empty form.
pub(super) async fn form(visitor: Visitor) -> Result<Response, Problem> {
    visitor.must(Right::Bulk, None).await?;
    let sheet = Sheet::of(&Input::with([]));
    sheet.render(&visitor, StatusCode::OK, Told::Nothing)
}

/// A form that was sent has no address: back to an empty one.
pub(super) async fn back(visitor: Visitor) -> Redirect {
    Redirect::to(&format!("{}/import", visitor.base()))
}

/// Says what would come of each line.
pub(super) async fn check(visitor: Visitor, request: Request) -> Result<Response, Problem> {
    visitor.must(Right::Bulk, None).await?;
    let sheet = Sheet::of(&Input::of_upload(request, visitor.web()).await?);
    sheet.rehearse(&visitor, StatusCode::OK).await
}

/// Creates what the lines say, once however often the form is sent.
pub(super) async fn create(visitor: Visitor, request: Request) -> Result<Response, Problem> {
    visitor.must(Right::Bulk, None).await?;
    let sheet = Sheet::of(&Input::of_upload(request, visitor.web()).await?);
    let how = if sheet.takes_what_it_can() {
        How::AsManyAsCanBe
    } else {
        How::AllOrNone(IdempotencyKey::new(&sheet.key).ok())
    };
    match sheet.import(&visitor, how).await {
        Ok(body) if body.batch.is_some() => {
            sheet.render(&visitor, StatusCode::CREATED, Told::Created(body))
        }
        // Nothing was created, and each line says why.
        Ok(body) => sheet.render(&visitor, StatusCode::UNPROCESSABLE_ENTITY, Told::Refused(body)),
        Err(problem) if problem.errors().is_empty() => sheet.refused(&visitor, &problem),
        Err(problem) => sheet.rehearse(&visitor, problem.kind().status()).await,
    }
}

/// What the form holds.
struct Sheet {
    csv: String,
    mode: String,
    key: String,
}

/// What is told above the form.
enum Told {
    Nothing,
    Notice(String),
    Checked(BulkBody),
    Refused(BulkBody),
    Created(BulkBody),
}

impl Sheet {
    fn of(input: &Input) -> Self {
        let file = input.lines("file");
        let csv = if file.is_empty() { input.lines("csv") } else { file };
        let key = match input.text("key") {
            "" => Uuid::new_v4().to_string(),
            key => key.to_owned(),
        };
        Self { csv, mode: input.text("mode").to_owned(), key }
    }

    fn takes_what_it_can(&self) -> bool {
        self.mode == "best_effort"
    }

    async fn import(&self, visitor: &Visitor, how: How) -> Result<BulkBody, Problem> {
        let web = visitor.web();
        let _permit = web.bulk_permit()?;
        let max = usize::try_from(web.service().limits().batch().get()).unwrap_or(usize::MAX);
        let rows = rows::of_csv(self.csv.as_bytes(), max)?;
        bulk::import(web, visitor.actor(), rows, how).await
    }

    async fn rehearse(&self, visitor: &Visitor, status: StatusCode) -> Result<Response, Problem> {
        match self.import(visitor, How::Rehearse).await {
            Ok(body) => self.render(visitor, status, Told::Checked(body)),
            Err(problem) => self.refused(visitor, &problem),
        }
    }

    /// What is wrong with the file as a whole.
    fn refused(&self, visitor: &Visitor, problem: &Problem) -> Result<Response, Problem> {
        let t = visitor.t();
        if problem.kind().status().is_server_error() {
            return Err(problem.clone());
        }
        let said = problem.errors().iter().map(|error| mistake(t, error));
        let said: Vec<_> =
            problem.detail().map(|d| (t.sentence)(d)).into_iter().chain(said).collect();
        self.render(visitor, problem.kind().status(), Told::Notice(said.join(" ")))
    }

    fn render(
        &self,
        visitor: &Visitor,
        status: StatusCode,
        told: Told,
    ) -> Result<Response, Problem> {
        let t = visitor.t();
        let is_done = matches!(told, Told::Created(_));
        let (heading, notice, body) = match told {
            Told::Nothing => (&t.import_heading, None, None),
            Told::Notice(notice) => (&t.import_heading, Some(notice), None),
            Told::Checked(body) => (&t.import_checked, None, Some(body)),
            Told::Refused(body) => (&t.import_refused, None, Some(body)),
            Told::Created(body) => (&t.import_done, None, Some(body)),
        };
        let results = body.map(|body| body.results).unwrap_or_default();
        let good = results.iter().filter(|row| is_good(row.outcome)).count();
        let bad = results.len() - good;
        let sheet = ImportPage {
            t,
            base: visitor.base(),
            home: visitor.home(),
            heading,
            told: (!results.is_empty()).then(|| (t.checked)(good, bad)),
            notice,
            may_create: good > 0 && (bad == 0 || self.takes_what_it_can()),
            lines: results.into_iter().map(|row| Line::of(t, row)).collect(),
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
        vec![
            Field::new("csv", &*t.import_text, &self.csv, Kind::Long),
            Field::new("file", &*t.import_file, "", Kind::File),
            Field::new("mode", &*t.import_mode, &self.mode, Kind::Choice(modes)),
        ]
    }
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage<'a> {
    t: &'a Strings,
    base: &'a str,
    home: &'a str,
    heading: &'a str,
    told: Option<String>,
    notice: Option<String>,
    may_create: bool,
    lines: Vec<Line>,
    is_done: bool,
    key: &'a str,
    fields: Vec<Field>,
}

/// What came of a line, or would.
struct Line {
    number: usize,
    outcome: String,
    is_good: bool,
    code: Option<Secret>,
    mistakes: String,
}

impl Line {
    fn of(t: &Strings, row: RowResult) -> Self {
        let outcome = match row.outcome {
            RowOutcome::Created => &t.import_line_created,
            RowOutcome::Valid => &t.import_line_ok,
            _ => &t.import_line_bad,
        };
        let mistakes: Vec<_> = row.errors.iter().map(|error| mistake(t, error)).collect();
        Self {
            number: row.line,
            outcome: outcome.to_string(),
            is_good: is_good(row.outcome),
            code: row.code,
            mistakes: mistakes.join(" · "),
        }
    }
}

fn is_good(outcome: RowOutcome) -> bool {
    matches!(outcome, RowOutcome::Created | RowOutcome::Valid)
}

/// The field, and what is wrong with it. The line stands beside it.
fn mistake(t: &Strings, error: &FieldError) -> String {
    let field = error.pointer.rsplit('/').next().unwrap_or_default();
    let message = (t.sentence)(&error.message);
    if field.is_empty() || field.bytes().all(|byte| byte.is_ascii_digit()) {
        message
    } else {
        format!("{field}: {}", error.message)
    }
}
