//! Creating many invitations at once.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use invitation_core::{Actor, Created, Draft, Error, IdempotencyKey, Invalid, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    docs,
    draft::DraftBody,
    rows::{self, Row},
};
use crate::{
    acting::{May, to},
    body,
    headers::Once,
    problem::{FieldError, Problem, pointer_to},
    query::{Asked, Query, Wrong},
    secret::Secret,
    web::Web,
};

#[derive(Default, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkQuery {
    /// Whether to say only what would come of it.
    #[param(value_type = Option<bool>, nullable = false)]
    dry_run: Option<String>,
    /// All or none, as it is if nothing is said; or as many as can be.
    #[param(inline, value_type = Option<Mode>, nullable = false)]
    mode: Option<String>,
}

impl Asked for BulkQuery {
    /// Whether nothing is to be created, and the mode.
    type Meaning = (bool, Mode);

    fn read(self, wrong: &mut Wrong) -> (bool, Mode) {
        let dry_run = wrong.read("dry_run", self.dry_run.as_deref(), |text| {
            text.parse::<bool>().map_err(|_| Invalid::new("dry_run", "must be true or false"))
        });
        let mode = wrong.read("mode", self.mode.as_deref(), |text| match text {
            "atomic" => Ok(Mode::Atomic),
            "best_effort" => Ok(Mode::BestEffort),
            _ => Err(Invalid::new("mode", "must be atomic or best_effort")),
        });
        (dry_run.unwrap_or(false), mode.unwrap_or(Mode::Atomic))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Mode {
    Atomic,
    BestEffort,
}

/// What came of the rows.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkResult)]
pub(crate) struct BulkBody {
    /// What was created together has this in common; none when nothing was.
    #[schema(required, format = Uuid)]
    pub(crate) batch: Option<String>,
    /// One for each row, in their order.
    pub(crate) results: Vec<RowResult>,
}

/// What came of a row.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkRow)]
pub(crate) struct RowResult {
    /// Which: counted from 1, without the line that names the columns.
    #[schema(minimum = 1)]
    pub(crate) line: usize,
    pub(crate) outcome: RowOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = Uuid)]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub(crate) code: Option<Secret>,
    /// Why it was not created.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) errors: Vec<FieldError>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowOutcome {
    /// It was created.
    Created,
    /// It would be created.
    Valid,
    /// Some values are not accepted.
    Invalid,
    /// The actor may not create it.
    Forbidden,
    /// Too many invitations are pending.
    QuotaExceeded,
    /// It had been created under the same key, and has been deleted since.
    Deleted,
    /// The store failed; nothing, or nobody knows what, was done.
    Unavailable,
}

/// Creates up to 1,000 invitations, from a JSON array or a CSV file. The first line of a
/// CSV file names the columns, which are the fields of a new invitation.
#[utoipa::path(
    post,
    path = "/bulk",
    operation_id = "create_many",
    params(BulkQuery, docs::Key),
    request_body(content((Vec<DraftBody> = "application/json"), (String = "text/csv"))),
    responses(
        (status = 200, description = "What would come of it, or came of it without anything being created", body = BulkBody),
        (status = 201, description = "What came of it", body = BulkBody),
        docs::Any, docs::WithBody, docs::KeyReused, docs::InBulk,
    ),
)]
pub(crate) async fn bulk(
    State(web): State<Web>,
    May(actor, _): May<to::Bulk>,
    Query((dry_run, mode)): Query<BulkQuery>,
    Once(key): Once,
    request: Request,
) -> Result<Response, Problem> {
    if key.is_some() && mode == Mode::BestEffort {
        let message = "goes with mode=atomic only";
        return Err(Problem::invalid([FieldError::in_header("Idempotency-Key", message)]));
    }

    let how = match (dry_run, mode) {
        (true, _) => How::Rehearse,
        (_, Mode::Atomic) => How::AllOrNone(key),
        (_, Mode::BestEffort) => How::AsManyAsCanBe,
    };
    let _permit = web.bulk_permit()?;
    let rows = read(request, &web).await?;
    let body = import(&web, &actor, rows, how).await?;
    let status = if body.batch.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(body)).into_response())
}

/// How rows are to be taken.
#[derive(Debug)]
pub(crate) enum How {
    /// Nothing is created.
    Rehearse,
    /// Once for each key.
    AllOrNone(Option<IdempotencyKey>),
    AsManyAsCanBe,
}

/// Creates what the rows say. What is wrong with rows of which all or none are to be
/// created is a problem.
pub(crate) async fn import(
    web: &Web,
    actor: &Actor,
    rows: Vec<Row>,
    how: How,
) -> Result<BulkBody, Problem> {
    let (drafts, wrong) = apart(rows);
    match how {
        How::Rehearse => {
            let results = rehearsed(web, actor, drafts, wrong).await?;
            Ok(BulkBody { batch: None, results })
        }
        How::AllOrNone(key) => all_or_none(web, actor, drafts, wrong, key.as_ref()).await,
        How::AsManyAsCanBe => as_many_as_can_be(web, actor, drafts, wrong).await,
    }
}

async fn read(request: Request, web: &Web) -> Result<Vec<Row>, Problem> {
    let read = match body::media_type(&request).as_deref() {
        Some("application/json") => rows::of_json,
        Some("text/csv") => rows::of_csv,
        _ => {
            body::discard(request.into_body()).await;
            return Err(body::unsupported("the body must be application/json or text/csv"));
        }
    };
    let bytes = body::read(request.into_body(), web.limits().bulk_body, web).await?;
    let max = usize::try_from(web.service().limits().batch().get()).unwrap_or(usize::MAX);
    read(&bytes, max)
}

async fn rehearsed(
    web: &Web,
    actor: &Actor,
    drafts: Vec<Draft>,
    wrong: Vec<Option<Vec<FieldError>>>,
) -> Result<Vec<RowResult>, Problem> {
    let would =
        if drafts.is_empty() { Vec::new() } else { web.service().rehearse(actor, drafts).await? };
    Ok(together(wrong, would, |line, ()| RowResult::new(line, RowOutcome::Valid)))
}

async fn all_or_none(
    web: &Web,
    actor: &Actor,
    drafts: Vec<Draft>,
    wrong: Vec<Option<Vec<FieldError>>>,
    key: Option<&IdempotencyKey>,
) -> Result<BulkBody, Problem> {
    if wrong.iter().any(Option::is_some) {
        // Whatever else is wrong is said at once.
        let results = rehearsed(web, actor, drafts, wrong).await?;
        let invalid = results.into_iter().filter(|row| row.outcome == RowOutcome::Invalid);
        return Err(Problem::invalid(invalid.flat_map(|row| row.errors)));
    }
    let created = match key {
        Some(key) => web.service().create_many_once(actor, key, drafts).await?,
        None => web.service().create_many(actor, drafts).await?,
    };
    let batch = batch_of(created.iter());
    let results = (1..).zip(&created).map(|(line, one)| RowResult::created(line, one)).collect();
    Ok(BulkBody { batch, results })
}

async fn as_many_as_can_be(
    web: &Web,
    actor: &Actor,
    drafts: Vec<Draft>,
    wrong: Vec<Option<Vec<FieldError>>>,
) -> Result<BulkBody, Problem> {
    let answers = if drafts.is_empty() {
        Vec::new()
    } else {
        web.service().create_each(actor, drafts).await?
    };
    let batch = batch_of(answers.iter().flatten());
    let results = together(wrong, answers, |line, one| RowResult::created(line, &one));
    Ok(BulkBody { batch, results })
}

/// The drafts that could be read, and for each row what is wrong with it.
fn apart(rows: Vec<Row>) -> (Vec<Draft>, Vec<Option<Vec<FieldError>>>) {
    let mut drafts = Vec::with_capacity(rows.len());
    let wrong = rows
        .into_iter()
        .map(|row| match row {
            Ok(draft) => {
                drafts.push(draft);
                None
            }
            Err(errors) => Some(errors),
        })
        .collect();
    (drafts, wrong)
}

/// The answers about the drafts, back in the rows that they came from.
fn together<T>(
    wrong: Vec<Option<Vec<FieldError>>>,
    answers: Vec<Result<T, Error>>,
    good: impl Fn(usize, T) -> RowResult,
) -> Vec<RowResult> {
    let mut answers = answers.into_iter();
    (1..)
        .zip(wrong)
        .map(|(line, wrong)| match wrong {
            Some(errors) => RowResult::refused(line, RowOutcome::Invalid, errors),
            None => match answers.next() {
                Some(Ok(answer)) => good(line, answer),
                Some(Err(error)) => RowResult::failed(line, &error),
                None => RowResult::new(line, RowOutcome::Unavailable),
            },
        })
        .collect()
}

fn batch_of<'c>(mut created: impl Iterator<Item = &'c Created>) -> Option<String> {
    created.find_map(|one| one.invitation().batch).map(|batch| batch.to_string())
}

impl RowResult {
    fn new(line: usize, outcome: RowOutcome) -> Self {
        Self { line, outcome, id: None, code: None, errors: Vec::new() }
    }

    fn created(line: usize, created: &Created) -> Self {
        let invitation = created.invitation();
        if invitation.deleted_at.is_some() {
            return Self::new(line, RowOutcome::Deleted);
        }
        let (id, code) = (invitation.id.to_string(), created.code().reveal());
        let row = Self::new(line, RowOutcome::Created);
        Self { id: Some(id), code: Some(code.into()), ..row }
    }

    fn refused(line: usize, outcome: RowOutcome, errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(line, outcome) }
    }

    fn failed(line: usize, error: &Error) -> Self {
        let at = format!("/{}", line - 1);
        let (outcome, errors) = match error {
            Error::Invalid(input) => {
                let in_row = |invalid: &Invalid| {
                    let pointer = format!("{at}{}", pointer_to(invalid.field()));
                    FieldError::in_body(pointer, invalid.message())
                };
                (RowOutcome::Invalid, input.errors().iter().map(in_row).collect())
            }
            Error::Refused(refused) => {
                let outcome = match refused.refusal() {
                    Refusal::QuotaExceeded { .. } => RowOutcome::QuotaExceeded,
                    _ => RowOutcome::Forbidden,
                };
                (outcome, vec![FieldError::in_body(at, refused.to_string())])
            }
            _ => (RowOutcome::Unavailable, Vec::new()),
        };
        Self::refused(line, outcome, errors)
    }
}
