//! The endpoints about one invitation: reading it, copying its code, and the changes that
//! administrators make.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use invitation_core::{Actor, Invitation, InvitationView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{docs, invitation::InvitationBody};
use crate::{
    authorization::{Authorized, to},
    body::{MaybeJson, Nothing},
    headers::IfMatch,
    path::PathId,
    problem::Problem,
    secret::Secret,
    web::Web,
};

/// Returns an invitation.
#[utoipa::path(
    get,
    path = "/{id}",
    operation_id = "get_invitation",
    params(docs::Id),
    responses(docs::One, docs::OnOne)
)]
pub(crate) async fn get(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::View>,
    id: PathId,
) -> Result<Response, Problem> {
    let view = web.service().get(&actor, id.or_unissued()).await?;
    Ok(tagged(&view, InvitationBody::of(&view)))
}

/// A code to share.
#[derive(Serialize, ToSchema)]
#[schema(as = SharedCode)]
pub(crate) struct Shared {
    /// The code to share with the new user.
    #[schema(value_type = String)]
    code: Secret,
    /// The URL of the host's registration page with the code as its fragment; `null`
    /// if the host has not configured its base URL.
    #[schema(value_type = Option<String>, required)]
    link: Option<Secret>,
}

/// Returns the code, for sharing it. The audit trail records the copy.
#[utoipa::path(
    post,
    path = "/{id}/copy",
    operation_id = "copy_code",
    params(docs::Id),
    responses(
        (status = 200, description = "The code", body = Shared),
        docs::OnOne, docs::WithBody, docs::Copying,
    ),
)]
pub(crate) async fn copy(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Copy>,
    id: PathId,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Json<Shared>, Problem> {
    let code = web.service().copy(&actor, id.or_unissued()).await?;
    Ok(Json(Shared {
        link: web.link(&code).map(|link| link.into_text().into()),
        code: code.reveal().into(),
    }))
}

/// The revocation of an invitation.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Revocation)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeBody {
    /// The reason, for the audit trail. It may have line breaks, and no other characters that
    /// cannot be seen. A blank reason counts as none.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Revokes an invitation that has uses left.
#[utoipa::path(
    post,
    path = "/{id}/revoke",
    operation_id = "revoke_invitation",
    params(docs::Id, docs::Version),
    request_body(content = Option<RevokeBody>),
    responses(docs::One, docs::OnOne, docs::WithBody, docs::Changing),
)]
pub(crate) async fn revoke(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Revoke>,
    IfMatch(version): IfMatch,
    id: PathId,
    MaybeJson(body): MaybeJson<RevokeBody>,
) -> Result<Response, Problem> {
    let reason = body.reason.as_deref();
    let changed = web.service().revoke(&actor, id.or_unissued(), reason, version).await?;
    Ok(as_changed(&web, &actor, changed))
}

/// Undoes a revocation. The invitation is then active or expired, depending on the
/// current time.
#[utoipa::path(
    post,
    path = "/{id}/reinstate",
    operation_id = "reinstate_invitation",
    params(docs::Id, docs::Version),
    responses(docs::One, docs::OnOne, docs::WithBody, docs::Changing, docs::UnderQuota)
)]
pub(crate) async fn reinstate(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Reinstate>,
    IfMatch(version): IfMatch,
    id: PathId,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Response, Problem> {
    let changed = web.service().reinstate(&actor, id.or_unissued(), version).await?;
    Ok(as_changed(&web, &actor, changed))
}

/// Replaces the code. The old code stops working at once.
#[utoipa::path(
    post,
    path = "/{id}/rotate",
    operation_id = "rotate_code",
    params(docs::Id, docs::Version),
    responses(docs::One, docs::OnOne, docs::WithBody, docs::Changing)
)]
pub(crate) async fn rotate(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Rotate>,
    IfMatch(version): IfMatch,
    id: PathId,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Response, Problem> {
    let rotated = web.service().rotate(&actor, id.or_unissued(), version).await?;
    let view = web.service().view_of(&actor, rotated.invitation().clone());
    Ok(tagged(&view, InvitationBody::with(&view, Some(rotated.code()))))
}

/// Deletes an invitation. Its events stay.
#[utoipa::path(
    delete,
    path = "/{id}",
    operation_id = "delete_invitation",
    params(docs::Id, docs::Version),
    responses((status = 204, description = "Removed"), docs::OnOne, docs::Changing),
)]
pub(crate) async fn delete(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Delete>,
    IfMatch(version): IfMatch,
    id: PathId,
) -> Result<StatusCode, Problem> {
    web.service().delete(&actor, id.or_unissued(), version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the response to a change: the current state of the invitation, without its
/// code.
pub(crate) fn as_changed(web: &Web, actor: &Actor, changed: Invitation) -> Response {
    let view = web.service().view_of(actor, changed);
    tagged(&view, InvitationBody::without_code(&view))
}

/// Returns the response with the version as `ETag`.
pub(crate) fn tagged(view: &InvitationView, body: InvitationBody) -> Response {
    let version = view.invitation().version();
    let mut response = Json(body).into_response();
    // Cannot fail: a number in quotes is always a valid header value.
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
