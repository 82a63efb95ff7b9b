//! The endpoints of imports as jobs: ordering, listing, watching, cancelling and their results.

mod body;
pub(crate) mod result;
mod sending;
pub(crate) mod upload;

use std::{error::Error as _, time::Duration};

use axum::{
    Json,
    extract::{Extension, OriginalUri, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use invitation_core::{
    BatchId,
    import::jobs::{ImportError, Imports, SpoolError},
};
use utoipa::IntoParams;

use self::body::{ImportJobBody, ImportJobPageBody};
use super::{
    bulk::{Mode, OnDuplicates, parse_duplicates, parse_mode},
    docs,
};
use crate::{
    authorization::{Authorized, to},
    body::{MaybeJson, Nothing},
    headers::IdempotencyKeyHeader,
    middleware::LongerTime,
    path::{PathId, ResourceId, set_location},
    problem::{Problem, ProblemKind},
    query::{Given, PageQuery, QueryErrors, QueryParams},
    web::Web,
};

/// The `Retry-After` for a file that cannot be read or written, or that another machine has.
const SPOOL_DOWN: Duration = Duration::from_secs(5);
/// The `Retry-After` for a spool without room: the files of other imports must first be removed.
const SPOOL_FULL: Duration = Duration::from_mins(1);

/// The options of an import.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrderQuery {
    /// Whether a row with a mistake stops the import: `best_effort` (the default) creates every
    /// row that can be created, `atomic` creates all rows or none.
    #[param(inline, value_type = Option<Mode>, nullable = false)]
    mode: Option<String>,
    /// How to treat rows whose mailbox occurs twice or already has an active invitation
    /// to the row's division. `skip` (the default) leaves them out, `create` creates
    /// them.
    #[param(inline, value_type = Option<OnDuplicates>, nullable = false)]
    duplicates: Option<String>,
}

impl QueryParams for OrderQuery {
    type Parsed = upload::Options;

    fn take(given: &mut Given) -> Self {
        let mut take = |name| given.take(name);
        Self { mode: take("mode"), duplicates: take("duplicates") }
    }

    fn parse(&self, errors: &mut QueryErrors) -> upload::Options {
        let mode = parse_mode(errors, self.mode.as_deref());
        let duplicates = parse_duplicates(errors, self.duplicates.as_deref());
        upload::Options { mode, duplicates }
    }
}

impl Web {
    /// Returns the imports, or 404 if the host serves none.
    pub(crate) fn served_imports(&self) -> Result<&Imports, Problem> {
        self.imports().ok_or_else(BatchId::not_found)
    }
}

impl From<ImportError> for Problem {
    /// Translates an error of an import, and logs a failure of the store or the spool.
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Service(error) => error.into(),
            ImportError::NotFound => BatchId::not_found(),
            ImportError::TooLarge { .. } => {
                Self::new(ProblemKind::TooLarge).with_detail(error.to_string())
            }
            ImportError::NotEnded | ImportError::Ended => {
                Self::new(ProblemKind::Conflict).with_detail(error.to_string())
            }
            ImportError::Spool(SpoolError::Missing) => Self::new(ProblemKind::Unavailable)
                .with_detail(error.to_string())
                .with_retry_after(SPOOL_DOWN),
            ImportError::Spool(SpoolError::Full) => Self::new(ProblemKind::Unavailable)
                .with_detail(error.to_string())
                .with_retry_after(SPOOL_FULL),
            other => {
                tracing::error!(error = other.source(), "an import failed: {other}");
                Self::new(ProblemKind::Unavailable).with_retry_after(SPOOL_DOWN)
            }
        }
    }
}

/// Orders the import of a CSV or JSON Lines file of any size. It runs in the background.
///
/// The file is read as by `POST /bulk`; JSON Lines has one object on each line. A form sends it as
/// the field `file`. The maximum size is that of the host, 500 MB by default. An atomic import
/// checks all rows first, and then creates all invitations in one step; on a store without
/// transactions this step has the maximum number of rows of `POST /bulk`.
///
/// A repeated request under the same `Idempotency-Key` returns the import that the first one
/// ordered.
#[utoipa::path(
    post,
    path = "/imports",
    operation_id = "order_import",
    params(OrderQuery, docs::Key),
    request_body(content(
        (String = "text/csv"),
        (String = "application/jsonl"),
        (upload::ImportForm = "multipart/form-data"),
    )),
    responses(
        (
            status = 202, description = "The import is ordered", body = ImportJobBody,
            headers(("Location" = String, description = "The URL path of the import")),
        ),
        docs::OnImports, docs::WithBody, docs::KeyReused, docs::InBulk,
    ),
)]
pub(crate) async fn order(
    State(web): State<Web>,
    Authorized(actor, options, _): Authorized<to::Bulk, OrderQuery>,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    OriginalUri(uri): OriginalUri,
    Extension(longer): Extension<LongerTime>,
    request: Request,
) -> Result<Response, Problem> {
    web.served_imports()?;
    let sending = sending::accepted(&request)?;
    let permit = web.bulk_permit()?;
    let file = (sending, request);
    let job = upload::receive(&web, actor, options, key, &longer, permit, file).await?;
    let body = ImportJobBody::of(&job);
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    set_location(&mut response, &uri, job.id());
    Ok(response)
}

/// Lists imports, newest first.
#[utoipa::path(
    get,
    path = "/imports",
    operation_id = "list_imports",
    params(PageQuery),
    responses(
        (status = 200, description = "A page", body = ImportJobPageBody),
        docs::OnImports,
    ),
)]
pub(crate) async fn list(
    State(web): State<Web>,
    Authorized(actor, paging, _): Authorized<to::Bulk, PageQuery>,
) -> Result<Json<ImportJobPageBody>, Problem> {
    let page = web.served_imports()?.list(web.service(), &actor, paging).await;
    ImportJobPageBody::answer(page, ImportJobBody::of)
}

/// Returns an import and its progress.
#[utoipa::path(
    get,
    path = "/imports/{import}",
    operation_id = "get_import",
    params(docs::Import),
    responses((status = 200, description = "The import", body = ImportJobBody), docs::OnImports),
)]
pub(crate) async fn get(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Bulk>,
    id: PathId<BatchId>,
) -> Result<Json<ImportJobBody>, Problem> {
    let imports = web.served_imports()?;
    let job = imports.get(web.service(), &actor, id.or_unissued()).await?;
    Ok(Json(ImportJobBody::of(&job)))
}

/// Ends an import. Invitations that are created stay: revoke them by their batch, which is the id of
/// the import. Repeating the request has no effect.
#[utoipa::path(
    post,
    path = "/imports/{import}/cancel",
    operation_id = "cancel_import",
    params(docs::Import),
    responses(
        (status = 200, description = "The import, which is cancelled", body = ImportJobBody),
        docs::OnImports, docs::WithBody, docs::ImportState,
    ),
)]
pub(crate) async fn cancel(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Bulk>,
    id: PathId<BatchId>,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Json<ImportJobBody>, Problem> {
    let imports = web.served_imports()?;
    let job = imports.cancel(web.service(), &actor, id.or_unissued()).await?;
    Ok(Json(ImportJobBody::of(&job)))
}
