//! The endpoint that creates many invitations in one request.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use invitation_core::{
    Actor, Duplicates, Error, FieldError, IdempotencyKey, Import, ImportMode, ImportRow,
    ImportedRow, OutcomeKind, RowOutcome as Outcome, RowWarning, ValidationErrors,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    docs,
    draft::DraftBody,
    rows::{self, Note, ParsedRows, Source},
};
use crate::{
    authorization::{Authorized, to},
    body,
    headers::IdempotencyKeyHeader,
    problem::{InputError, Problem},
    query::{Given, QueryErrors, QueryParams},
    secret::Secret,
    web::Web,
};

#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BulkQuery {
    /// Whether to report the outcome of each row without creating anything.
    #[param(value_type = Option<bool>, nullable = false)]
    dry_run: Option<String>,
    /// Whether a row with a mistake stops the import: `atomic` (the default) creates all
    /// rows or none, `best_effort` creates every row that can be created.
    #[param(inline, value_type = Option<Mode>, nullable = false)]
    mode: Option<String>,
    /// How to treat rows whose mailbox occurs twice or already has an active invitation
    /// to the row's division. `skip` (the default) leaves them out, `create` creates
    /// them.
    #[param(inline, value_type = Option<OnDuplicates>, nullable = false)]
    duplicates: Option<String>,
}

impl QueryParams for BulkQuery {
    /// Whether this is a dry run, and how to import the rows.
    type Parsed = (bool, How);

    fn take(given: &mut Given) -> Self {
        let mut take = |name| given.take(name);
        Self { dry_run: take("dry_run"), mode: take("mode"), duplicates: take("duplicates") }
    }

    fn parse(&self, errors: &mut QueryErrors) -> (bool, How) {
        let dry_run = errors.check("dry_run", self.dry_run.as_deref(), |text| {
            text.parse::<bool>().map_err(|_| FieldError::new("dry_run", "must be true or false"))
        });
        let mode = parse_mode(errors, self.mode.as_deref());
        let duplicates = parse_duplicates(errors, self.duplicates.as_deref());
        let (mode, duplicates) = (mode.unwrap_or_default(), duplicates.unwrap_or_default());
        (dry_run.unwrap_or(false), How { mode, duplicates })
    }
}

pub(crate) fn parse_mode(errors: &mut QueryErrors, given: Option<&str>) -> Option<ImportMode> {
    errors.check("mode", given, |text| match text {
        "atomic" => Ok(ImportMode::AllOrNone),
        "best_effort" => Ok(ImportMode::BestEffort),
        _ => Err(FieldError::new("mode", "must be atomic or best_effort")),
    })
}

pub(crate) fn parse_duplicates(
    errors: &mut QueryErrors,
    given: Option<&str>,
) -> Option<Duplicates> {
    errors.check("duplicates", given, |text| match text {
        "skip" => Ok(Duplicates::Skip),
        "create" => Ok(Duplicates::Create),
        _ => Err(FieldError::new("duplicates", "must be skip or create")),
    })
}

/// The options of an import.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) mode: ImportMode,
    pub(crate) duplicates: Duplicates,
}

/// How an import treats rows that cannot be created.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum Mode {
    Atomic,
    BestEffort,
}

/// How an import treats rows with a duplicate mailbox.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum OnDuplicates {
    Skip,
    Create,
}

/// The outcome of an import.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkResult)]
pub(crate) struct BulkBody {
    /// The id that all invitations created by this call share; `null` if none was
    /// created.
    #[schema(required, format = Uuid)]
    pub(crate) batch: Option<String>,
    /// The outcomes, one for each row, in the order of the rows.
    pub(crate) results: Vec<RowResult>,
}

/// The outcome of one row.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRow)]
pub(crate) struct RowResult {
    /// The line of the file in which the row begins. For a JSON array, the position of
    /// the element. Both count from 1.
    #[schema(minimum = 1)]
    pub(crate) line: usize,
    pub(crate) outcome: RowOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = Uuid)]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub(crate) code: Option<Secret>,
    /// The reasons why the row was not created.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<InputError>,
    /// The warnings about the row, whatever its outcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<InputError>,
    /// The errors and warnings, for a page that shows the line number in a column of its
    /// own.
    #[serde(skip)]
    pub(crate) notes: Vec<Note>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowOutcome {
    /// The row was created.
    Created,
    /// The row would be created.
    Valid,
    /// The row's mailbox occurs twice or is already invited, and the import skips such
    /// rows.
    Skipped,
    /// Some values of the row are not accepted.
    Invalid,
    /// The actor may not create the row.
    Forbidden,
    /// Too many invitations are pending.
    QuotaExceeded,
    /// The row was created earlier under the same key, and has been deleted since.
    Deleted,
    /// The row was not created, and the store failed to record why.
    Unavailable,
}

impl From<OutcomeKind> for RowOutcome {
    fn from(kind: OutcomeKind) -> Self {
        match kind {
            OutcomeKind::Created => Self::Created,
            OutcomeKind::Valid => Self::Valid,
            OutcomeKind::Skipped => Self::Skipped,
            OutcomeKind::Invalid => Self::Invalid,
            OutcomeKind::Forbidden => Self::Forbidden,
            OutcomeKind::QuotaExceeded => Self::QuotaExceeded,
            OutcomeKind::Deleted => Self::Deleted,
            _ => Self::Unavailable,
        }
    }
}

/// Creates many invitations, from a JSON array or a CSV file.
///
/// Either is UTF-8, or UTF-16 with a byte order mark. Commas, semicolons or tabs separate the cells of
/// a CSV file. Its first non-empty line names the columns, which are the fields of a new invitation;
/// case does not matter. Empty rows are ignored. A message about a row names the line of the file
/// and the column as the file spells it.
///
/// A row gets a warning if its mailbox occurs twice, or has an active invitation to the row's
/// division at the moment. The row is then skipped unless `duplicates=create`. In atomic mode a
/// skipped row is not a failure. A row without an address gets a warning if other rows have one.
///
/// A repeated request under the same `Idempotency-Key`, in whatever mode, returns the results of
/// the first request and creates nothing. If the first request created nothing, this holds for 24
/// hours.
#[utoipa::path(
    post,
    path = "/bulk",
    operation_id = "create_many",
    params(BulkQuery, docs::Key),
    request_body(content((Vec<DraftBody> = "application/json"), (String = "text/csv"))),
    responses(
        (status = 200, description = "The outcome of each row. No invitation was created.", body = BulkBody),
        (status = 201, description = "The outcome of each row. At least one invitation was created.", body = BulkBody),
        docs::Common, docs::WithBody, docs::KeyReused, docs::InBulk,
    ),
)]
pub(crate) async fn bulk(
    State(web): State<Web>,
    Authorized(actor, (dry_run, how), _): Authorized<to::Bulk, BulkQuery>,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    request: Request,
) -> Result<Response, Problem> {
    let is_json = is_json(&request)?;
    let _permit = web.bulk_permit()?;
    let bytes = body::read(request.into_body(), web.limits().bulk_body, &web).await?;
    let max = web.max_rows();
    let rows = if is_json { rows::of_json(&bytes, max) } else { rows::of_csv(&bytes, max) }?;
    let body = if dry_run {
        rehearse(&web, &actor, rows, how).await?
    } else {
        import(&web, &actor, rows, how, key.as_ref()).await?
    };
    let status = if body.batch.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(body)).into_response())
}

/// Returns whether the body of a request is JSON, and not CSV. Returns 415 for any other media type,
/// before the limit of imports can give 429.
fn is_json(request: &Request) -> Result<bool, Problem> {
    match body::media_type(request)?.as_deref() {
        Some("application/json") => Ok(true),
        Some("text/csv") => Ok(false),
        _ => Err(body::unsupported("the body must be application/json or text/csv")),
    }
}

/// Returns the outcome that each row would have, and creates nothing.
pub(crate) async fn rehearse(
    web: &Web,
    actor: &Actor,
    rows: ParsedRows,
    how: How,
) -> Result<BulkBody, Problem> {
    let (import, read) = taken_apart(rows, how);
    let would = web.service().rehearse(actor, import).await?;
    Ok(BulkBody { batch: None, results: read.results(would) })
}

/// Creates the invitations, once for each key. With [`ImportMode::AllOrNone`], invalid rows make
/// the whole request a problem.
pub(crate) async fn import(
    web: &Web,
    actor: &Actor,
    rows: ParsedRows,
    how: How,
    key: Option<&IdempotencyKey>,
) -> Result<BulkBody, Problem> {
    let is_unread = rows.rows.iter().any(|row| row.draft.is_err());
    if is_unread && how.mode == ImportMode::AllOrNone {
        // The rehearsal finds the other invalid rows, so that the client gets all
        // mistakes at once.
        let told = rehearse(web, actor, rows, how).await?;
        let invalid = told.results.into_iter().filter(|row| row.outcome == RowOutcome::Invalid);
        return Err(Problem::invalid(invalid.flat_map(|row| row.errors)));
    }
    let (import, read) = taken_apart(rows, how);
    match web.service().import(actor, import, key).await {
        Ok(imported) => {
            let batch = imported.batch().map(|batch| batch.to_string());
            Ok(BulkBody { batch, results: read.results(imported.into_rows()) })
        }
        Err(Error::Invalid(found)) => Err(read.invalid(&found)),
        Err(error) => Err(error.into()),
    }
}

/// The parts of the rows that remain after their drafts moved into the [`Import`]: the
/// line of each row, for messages, and the mistakes of rows that could not be read.
struct Read {
    source: Source,
    rows: Vec<(usize, Vec<Note>)>,
}

fn taken_apart(rows: ParsedRows, how: How) -> (Import, Read) {
    let ParsedRows { source, rows, expects_addresses } = rows;
    let (mut asked, mut places) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let (row_asked, notes) = match row.draft {
            Ok(draft) => (ImportRow::Draft(draft), Vec::new()),
            Err(unread) => (unread.row, unread.notes),
        };
        asked.push(row_asked);
        places.push((row.line, notes));
    }
    let import = Import::new(asked).with_mode(how.mode).with_duplicates(how.duplicates);
    let import = if expects_addresses { import.expecting_addresses() } else { import };
    (import, Read { source, rows: places })
}

impl Read {
    fn results(mut self, rows: Vec<ImportedRow>) -> Vec<RowResult> {
        let each = rows.into_iter().enumerate();
        each.map(|(n, ImportedRow { outcome, warnings, .. })| {
            let warnings = warnings.iter().map(|warning| self.warning(n, *warning)).collect();
            self.result(n, outcome, warnings)
        })
        .collect()
    }

    /// Returns the mistakes of an import that creates all rows or none.
    fn invalid(&self, found: &ValidationErrors) -> Problem {
        let error = |invalid: &FieldError| match invalid.line() {
            Some(n) => self.mistake(n, invalid).error,
            None => InputError::in_body("", invalid.message()),
        };
        Problem::invalid(found.errors().iter().map(error))
    }

    fn result(&mut self, n: usize, outcome: Outcome, warnings: Vec<Note>) -> RowResult {
        let (mut id, mut code) = (None, None);
        let kind = outcome.kind().into();
        let errors = match outcome {
            Outcome::Created(created) if kind == RowOutcome::Created => {
                id = Some(created.invitation().id().to_string());
                code = Some(created.code().reveal().into());
                Vec::new()
            }
            Outcome::Unreadable => {
                let notes = self.rows.get_mut(n).map(|(_, notes)| std::mem::take(notes));
                notes.unwrap_or_default()
            }
            Outcome::Invalid(found) => {
                found.errors().iter().map(|invalid| self.mistake(n, invalid)).collect()
            }
            Outcome::Refused(refused) => vec![self.note(n, "", &refused.to_string())],
            _ => Vec::new(),
        };
        let said = |notes: &[Note]| notes.iter().map(|note| note.error.clone()).collect();
        RowResult {
            line: self.line(n),
            outcome: kind,
            id,
            code,
            errors: said(&errors),
            warnings: said(&warnings),
            notes: errors.into_iter().chain(warnings).collect(),
        }
    }

    fn mistake(&self, n: usize, invalid: &FieldError) -> Note {
        let field = if invalid.field() == "drafts" { "" } else { invalid.field() };
        self.note(n, field, invalid.message())
    }

    fn warning(&self, n: usize, warning: RowWarning) -> Note {
        let message = warning.message(|first| self.source.place(self.line(first)));
        self.note(n, "email", &message)
    }

    fn note(&self, n: usize, field: &str, message: &str) -> Note {
        self.source.note(self.line(n), field, message)
    }

    fn line(&self, n: usize) -> usize {
        self.rows.get(n).map_or(n + 1, |(line, _)| *line)
    }
}
