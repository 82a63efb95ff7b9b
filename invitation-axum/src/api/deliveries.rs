//! The endpoints about mails with the codes of invitations.

use axum::{Json, extract::State, http::StatusCode};
use invitation_core::{
    Reason,
    delivery::{
        Delivery, DeliveryFailure, DeliveryId, DeliveryPurpose, DeliveryState, FailureKind, Resend,
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{docs, page_body::page_body};
use crate::{
    authorization::{Authorized, to},
    body::{MaybeJson, Nothing},
    headers::IdempotencyKeyHeader,
    path::{PathId, ResourceId},
    problem::Problem,
    query::{DeliveryPurposeChoice, DeliveryQuery, DeliveryStateChoice, FailureChoice, PageQuery},
    web::Web,
};

/// A mail with the code of an invitation, and what became of it. It contains neither the code
/// nor the address.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryBody {
    #[schema(format = Uuid)]
    id: String,
    /// The id of the invitation.
    #[schema(format = Uuid)]
    invitation: String,
    #[schema(value_type = DeliveryPurposeChoice)]
    purpose: DeliveryPurpose,
    /// Whether the mail was asked for with a new code. It is not sent with the old one.
    rotated: bool,
    #[schema(value_type = DeliveryStateChoice)]
    state: DeliveryState,
    /// The time at which the mail was asked for.
    #[schema(format = DateTime)]
    queued_at: String,
    /// The number of attempts since the mail was queued or retried.
    attempts: u32,
    /// The earliest time of the next attempt; `null` if there is no further one.
    #[schema(required, format = DateTime)]
    next_attempt_at: Option<String>,
    /// The time at which the mail was sent, failed or was cancelled.
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    /// The failure of the latest attempt that failed; `null` once the mail is sent.
    #[schema(required)]
    failure: Option<FailureBody>,
    /// The reason for which the mail was cancelled.
    #[schema(value_type = Option<String>, required)]
    reason: Option<Reason>,
    /// The Message-ID of the mail that was sent.
    #[schema(required)]
    message_id: Option<String>,
}

/// Why an attempt failed.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryFailure)]
pub(crate) struct FailureBody {
    #[schema(value_type = FailureChoice)]
    kind: FailureKind,
    /// The reply code of the mail server, such as 550; `null` if there was no reply.
    #[schema(required, example = 550)]
    reply: Option<u16>,
}

impl FailureBody {
    fn of(failure: DeliveryFailure) -> Self {
        Self { kind: failure.kind(), reply: failure.reply() }
    }
}

impl DeliveryBody {
    pub(super) fn of(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id().to_string(),
            invitation: delivery.invitation().to_string(),
            purpose: delivery.purpose(),
            rotated: delivery.is_rotated(),
            state: delivery.state(),
            queued_at: delivery.queued_at().to_string(),
            attempts: delivery.attempts(),
            next_attempt_at: delivery.next_attempt().map(|at| at.to_string()),
            ended_at: delivery.ended_at().map(|at| at.to_string()),
            failure: delivery.failure().map(FailureBody::of),
            reason: delivery.reason(),
            message_id: delivery.message_id().map(|id| id.to_string()),
        }
    }
}

page_body! {
    /// A page of deliveries, newest first.
    DeliveryPageBody as DeliveryPage of DeliveryBody
}

/// Lists the mails of an invitation, newest first.
#[utoipa::path(
    get,
    path = "/{id}/deliveries",
    operation_id = "list_deliveries_of_invitation",
    params(docs::Id, PageQuery),
    responses(
        (status = 200, description = "A page", body = DeliveryPageBody),
        docs::OnOne,
    ),
)]
pub(crate) async fn of_invitation(
    State(web): State<Web>,
    Authorized(actor, paging, _): Authorized<to::View, PageQuery>,
    id: PathId,
) -> Result<Json<DeliveryPageBody>, Problem> {
    let page = web.deliveries()?.of_invitation(&actor, id.or_unissued(), paging).await;
    DeliveryPageBody::answer(page, DeliveryBody::of)
}

/// Lists the mails within the actor's reach, newest first; with `state=failed` those that a
/// person may retry.
#[utoipa::path(
    get,
    path = "/deliveries",
    operation_id = "list_deliveries",
    params(DeliveryQuery, PageQuery),
    responses(
        (status = 200, description = "A page", body = DeliveryPageBody),
        docs::Common,
    ),
)]
pub(crate) async fn list(
    State(web): State<Web>,
    Authorized(actor, (state, paging), _): Authorized<to::Resend, (DeliveryQuery, PageQuery)>,
) -> Result<Json<DeliveryPageBody>, Problem> {
    let page = web.deliveries()?.list(&actor, state, paging).await;
    DeliveryPageBody::answer(page, DeliveryBody::of)
}

/// Queues a failed mail again, with all attempts before it. A mail that has not failed stays as
/// it is.
#[utoipa::path(
    post,
    path = "/deliveries/{delivery}/retry",
    operation_id = "retry_delivery",
    params(docs::DeliveryPath),
    responses(
        (status = 200, description = "The delivery", body = DeliveryBody),
        docs::OnDelivery, docs::WithBody, docs::Sending,
    ),
)]
pub(crate) async fn retry(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Resend>,
    id: PathId<DeliveryId>,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Json<DeliveryBody>, Problem> {
    let id = id.or_unissued();
    let retried = web.deliveries()?.retry(&actor, id).await.map_err(DeliveryId::problem)?;
    Ok(Json(DeliveryBody::of(&retried)))
}

/// How an invitation is sent again.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Resend)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendBody {
    /// Whether the code is replaced before. The old code is then worth nothing. This needs the
    /// right to replace codes.
    #[serde(default)]
    #[schema(required = false, default = false)]
    rotate: bool,
}

/// Sends an active invitation to its address again. A repeated request under the same
/// `Idempotency-Key` returns the first delivery and sends nothing more. If the first request could
/// not replace the code, the repeated one does.
#[utoipa::path(
    post,
    path = "/{id}/resend",
    operation_id = "resend_invitation",
    params(docs::Id, docs::Key),
    request_body(content = Option<ResendBody>),
    responses(
        (status = 202, description = "The mail is queued", body = DeliveryBody),
        docs::OnOne, docs::WithBody, docs::Sending, docs::UnderMailLimit,
    ),
)]
pub(crate) async fn resend(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Resend>,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    id: PathId,
    MaybeJson(body): MaybeJson<ResendBody>,
) -> Result<(StatusCode, Json<DeliveryBody>), Problem> {
    let resend = key.map_or_else(Resend::new, |key| Resend::new().with_key(key));
    let resend = if body.rotate { resend.with_new_code() } else { resend };
    let delivery = web.deliveries()?.resend(&actor, id.or_unissued(), resend).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryBody::of(&delivery))))
}
