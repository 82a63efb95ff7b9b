//! The endpoint that revokes all invitations of a filter.

use axum::{Json, extract::State};
use invitation_core::{Actor, Criteria, Error, Limits, Paging, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::docs;
use crate::{
    authorization::{Authorized, to},
    body,
    problem::{InputError, Problem},
    query::{FilterQuery, QueryErrors, QueryParams},
    web::Web,
};

/// The number of revocations after which a request ends, although more may follow.
const ENOUGH: usize = 200;

/// The number of pages after which a request ends, if it has revoked anything. A page may be short
/// or empty, if matches are rare.
const MAX_PAGES: usize = 1_000;

/// The filters of the invitations to revoke. At least one is required.
#[derive(Deserialize, ToSchema)]
#[schema(as = RevocationOfAll, min_properties = 1)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeAllBody {
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
    /// The reason, for the audit trail. It may have line breaks, and no other characters that
    /// cannot be seen. A blank reason counts as none.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// The result of revoking all invitations of a filter.
#[derive(Serialize, ToSchema)]
#[schema(as = RevokedAll)]
pub(crate) struct RevokedAllBody {
    /// The number of invitations that this request revoked.
    pub(crate) revoked: usize,
    /// Whether all are revoked. If not, send the same request again. `revoked` is then above 0, so
    /// repeated requests come to an end.
    pub(crate) done: bool,
}

/// Revokes the invitations of a filter that have uses left, expired ones included. One request
/// revokes some hundred of them: send it again while `done` is false. A request that finds none of
/// them within the time limit of requests is answered with 503, as any slow request is.
#[utoipa::path(
    post,
    path = "/revoke",
    operation_id = "revoke_invitations",
    request_body = RevokeAllBody,
    responses(
        (status = 200, description = "The number of revoked invitations", body = RevokedAllBody),
        docs::Common, docs::WithBody,
    ),
)]
pub(crate) async fn revoke_all(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Revoke>,
    body::Json(body): body::Json<RevokeAllBody>,
) -> Result<Json<RevokedAllBody>, Problem> {
    let RevokeAllBody { inviter, division, batch, role, reason } = body;
    if [&inviter, &division, &batch, &role].iter().all(|filter| filter.is_none()) {
        let message = "must have inviter, division, batch or role";
        return Err(Problem::invalid([InputError::in_body("", message)]));
    }
    let query = FilterQuery { role, division, inviter, batch, ..FilterQuery::default() };
    let mut errors = QueryErrors::default();
    let criteria = query.parse(&mut errors);
    errors.into_result().map_err(Problem::about_the_body)?;
    Ok(Json(revoked(&web, &actor, &criteria, reason.as_deref()).await?))
}

/// Revokes active invitations, then expired ones. Revoked invitations leave these lists, so a
/// repeated request begins behind them.
pub(crate) async fn revoked(
    web: &Web,
    actor: &Actor,
    criteria: &Criteria,
    reason: Option<&str>,
) -> Result<RevokedAllBody, Error> {
    let first = Paging::first(Limits::MAX_PAGE)?;
    let (mut revoked, mut pages) = (0, 0);
    for status in [Status::Active, Status::Expired] {
        let criteria = criteria.clone().with_status(status);
        let mut paging = first;
        loop {
            let page = web.service().revoke_all(actor, &criteria, reason, paging).await?;
            revoked += page.revoked().len();
            pages += 1;
            let Some(next) = page.next() else { break };
            if is_enough(revoked, pages) {
                return Ok(RevokedAllBody { revoked, done: false });
            }
            paging = first.after(next);
        }
    }
    Ok(RevokedAllBody { revoked, done: true })
}

/// Whether a request ends although more may follow.
///
/// A repeated request begins at the first page again. It gets further only because revoked
/// invitations have left the lists. A request that has revoked nothing therefore continues, and the
/// time limit of requests ends it.
const fn is_enough(revoked: usize, pages: usize) -> bool {
    revoked >= ENOUGH || (revoked > 0 && pages >= MAX_PAGES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_that_revoked_nothing_never_ends_before_the_last_page() {
        for pages in [1, MAX_PAGES - 1, MAX_PAGES, MAX_PAGES + 1, usize::MAX] {
            assert!(!is_enough(0, pages), "{pages} pages");
        }
        for (revoked, pages, expected) in [
            (1, MAX_PAGES - 1, false),
            (1, MAX_PAGES, true),
            (ENOUGH - 1, 1, false),
            (ENOUGH, 1, true),
        ] {
            assert_eq!(is_enough(revoked, pages), expected, "{revoked} in {pages} pages");
        }
    }
}
