//! The endpoint that creates one invitation.

use axum::{
    extract::{OriginalUri, State},
    http::StatusCode,
    response::Response,
};

use invitation_core::import::file::DraftFields;

use super::{
    docs,
    draft::{DraftBody, draft},
    invitation::InvitationBody,
    one::tagged,
};
use crate::{
    authorization::{Authorized, to},
    body::Json,
    headers::IdempotencyKeyHeader,
    path::set_location,
    problem::{Problem, ProblemKind},
    web::Web,
};

/// Creates an invitation. A repeated request under the same `Idempotency-Key` returns the
/// first response and creates nothing.
#[utoipa::path(
    post,
    path = "/",
    operation_id = "create_invitation",
    params(docs::Key),
    request_body = DraftBody,
    responses(docs::Created, docs::Common, docs::WithBody, docs::KeyReused, docs::UnderQuota),
)]
pub(crate) async fn create(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Create>,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    OriginalUri(uri): OriginalUri,
    Json(fields): Json<DraftFields>,
) -> Result<Response, Problem> {
    let draft = draft(fields, "").map_err(Problem::invalid)?;
    let created = match &key {
        Some(key) => web.service().create_once(&actor, key, draft).await?,
        None => web.service().create(&actor, draft).await?,
    };
    if created.invitation().deleted_at().is_some() {
        return Err(Problem::new(ProblemKind::Conflict)
            .with_detail("what was created under this idempotency key has been deleted"));
    }
    let view = web.service().view_of(&actor, created.invitation().clone());
    let mut response = tagged(&view, InvitationBody::with(&view, Some(created.code())));
    *response.status_mut() = StatusCode::CREATED;
    set_location(&mut response, &uri, view.invitation().id());
    Ok(response)
}
