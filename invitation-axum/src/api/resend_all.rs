//! The endpoint that sends all invitations of a filter again.

use axum::{Json, extract::State};
use invitation_core::{
    Error, Refusal,
    delivery::{Resend, ResendOutcome, ResentInvitation, ResentPage},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{deliveries::DeliveryBody, docs};
use crate::{
    authorization::{Authorized, to},
    body,
    headers::IdempotencyKeyHeader,
    problem::{InputError, Problem},
    query::{
        FilterQuery, ListQuery, PageQuery, QueryErrors, QueryParams, StatusFilter, StatusQuery,
    },
    web::Web,
};

/// The filters of the invitations to send again, and the page. At least one of `inviter`,
/// `division`, `batch` and `role` is required.
#[derive(Deserialize, ToSchema)]
#[schema(as = ResendOfAll, min_properties = 1)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendAllBody {
    /// Only invitations that the user with this id created.
    #[schema(min_length = 1, max_length = 128)]
    inviter: Option<String>,
    /// Only invitations of this division.
    #[schema(min_length = 1, max_length = 64)]
    division: Option<String>,
    /// Only invitations that the call with this id created.
    #[schema(format = Uuid)]
    batch: Option<String>,
    /// Only invitations with this role.
    #[schema(min_length = 1, max_length = 64)]
    role: Option<String>,
    /// Only invitations with this status at the time of the first page. With `active`, ended ones
    /// are not listed as left out.
    #[schema(value_type = Option<StatusFilter>)]
    status: Option<String>,
    /// Whether each code is replaced before. This needs the right to replace codes.
    #[serde(default)]
    #[schema(required = false, default = false)]
    rotate: bool,
    /// The maximum number of invitations; 50 by default.
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// Whether the mail of an invitation is queued.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResendOutcome)]
pub(crate) enum OutcomeBody {
    /// The mail is queued. Under an idempotency key, an earlier request may have queued it.
    Queued,
    /// The invitation was left out.
    LeftOut,
}

/// What became of one invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = ResentInvitation)]
pub(crate) struct ResentBody {
    /// The id of the invitation.
    #[schema(format = Uuid)]
    invitation: String,
    outcome: OutcomeBody,
    /// The mail, if it is queued.
    #[schema(required)]
    delivery: Option<DeliveryBody>,
    /// Why the invitation was left out: what the request for it alone would be answered with.
    #[schema(required)]
    problem: Option<LeftOutBody>,
}

/// Why an invitation was left out.
#[derive(Serialize, ToSchema)]
#[schema(as = LeftOut)]
pub(crate) struct LeftOutBody {
    /// The kind of the problem, as a URN that never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:invitation:problem:conflict")]
    kind: String,
    /// The details.
    #[schema(example = "the invitation is not for an address")]
    detail: String,
    /// The time until the mail is possible, in seconds; `null` if the cause is not a limit.
    #[schema(required)]
    retry_after: Option<u64>,
}

/// A page of invitations that were to be sent again, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ResentPage)]
pub(crate) struct ResentPageBody {
    /// The items of the page. A page may hold fewer than `limit` although more follow.
    items: Vec<ResentBody>,
    /// The number of items whose mail is queued.
    queued: usize,
    /// The cursor of the next page; `null` if nothing follows.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl ResentPageBody {
    fn of(page: &ResentPage) -> Self {
        Self {
            items: page.invitations().iter().map(ResentBody::of).collect(),
            queued: page.queued(),
            next_cursor: page.next().map(|cursor| cursor.to_string()),
        }
    }
}

impl ResentBody {
    fn of(ResentInvitation { invitation, outcome }: &ResentInvitation) -> Self {
        let invitation = invitation.to_string();
        match outcome {
            ResendOutcome::Queued(delivery) => Self {
                invitation,
                outcome: OutcomeBody::Queued,
                delivery: Some(DeliveryBody::of(delivery)),
                problem: None,
            },
            ResendOutcome::LeftOut(refused) => {
                let problem = Problem::of(&Error::Refused(refused.clone()));
                let retry_after = match refused.refusal() {
                    Refusal::MailLimit { retry_after } => {
                        Some(retry_after.unsigned_abs().as_secs())
                    }
                    _ => None,
                };
                let (kind, detail) = (problem.kind().urn(), refused.to_string());
                Self {
                    invitation,
                    outcome: OutcomeBody::LeftOut,
                    delivery: None,
                    problem: Some(LeftOutBody { kind, detail, retry_after }),
                }
            }
        }
    }
}

/// Sends the invitations of a filter to their addresses again, one page at a time. Each is a step
/// of its own, under the same limits as a request for it alone, and is left out with the reason if
/// it cannot be sent. Repeat the request with `next_cursor` as its `cursor`, until that is `null`.
///
/// Under one `Idempotency-Key`, an invitation whose mail was queued is not sent twice. So use the
/// same key for all pages: a request without an answer can be repeated, and so can all of them.
#[utoipa::path(
    post,
    path = "/resend",
    operation_id = "resend_invitations",
    params(docs::Key),
    request_body = ResendAllBody,
    responses(
        (status = 200, description = "What became of each", body = ResentPageBody),
        docs::Common, docs::WithBody,
    ),
)]
pub(crate) async fn resend_all(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Resend>,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    body::Json(body): body::Json<ResendAllBody>,
) -> Result<Json<ResentPageBody>, Problem> {
    let ResendAllBody { inviter, division, batch, role, status, rotate, limit, cursor } = body;
    if [&inviter, &division, &batch, &role].iter().all(|filter| filter.is_none()) {
        let message = "must have inviter, division, batch or role";
        return Err(Problem::invalid([InputError::in_body("", message)]));
    }
    let filter = FilterQuery { role, division, inviter, batch, ..FilterQuery::default() };
    let query = ListQuery { status: StatusQuery { status }, filter, ..ListQuery::default() };
    let page = PageQuery { limit: limit.map(|limit| limit.to_string()), cursor };
    let mut errors = QueryErrors::default();
    let (criteria, paging) = (query, page).parse(&mut errors);
    errors.into_result().map_err(Problem::about_the_body)?;
    let resend = key.map_or_else(Resend::new, |key| Resend::new().with_key(key));
    let resend = if rotate { resend.with_new_code() } else { resend };
    let page = web.deliveries()?.resend_all(&actor, &criteria, resend, paging).await?;
    Ok(Json(ResentPageBody::of(&page)))
}
