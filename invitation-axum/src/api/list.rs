//! The endpoints that list and count invitations.

use axum::{Json, extract::State};
use invitation_core::Status;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    docs,
    invitation::{InvitationBody, StatusSchema},
    page_body::page_body,
};
use crate::{
    authorization::{Authorized, to},
    body,
    problem::Problem,
    query::{
        FilterQuery, ListQuery, PageQuery, QueryErrors, QueryParams, SortOrder, SortQuery,
        StatusFilter, StatusQuery, with_errors_in_query,
    },
    web::Web,
};

page_body! {
    /// A page of invitations, in the order of the list.
    PageBody as InvitationPage of InvitationBody
}

/// Lists the invitations within the actor's reach: newest first, or by `sort`.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "list_invitations",
    params(StatusQuery, SortQuery, FilterQuery, PageQuery),
    responses((status = 200, description = "A page", body = PageBody), docs::Common),
)]
pub(crate) async fn list(
    State(web): State<Web>,
    Authorized(actor, (criteria, paging), _): Authorized<to::View, (ListQuery, PageQuery)>,
) -> Result<Json<PageBody>, Problem> {
    PageBody::answer(web.service().list(&actor, &criteria, paging).await, InvitationBody::of)
}

/// A search that must not appear in a URL, because proxies and browsers store URLs.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Search)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchBody {
    /// A search, as in the parameter `search` of `GET /`.
    #[schema(max_length = 200)]
    search: Option<String>,
    /// Only invitations with this status at the time of the first page.
    #[schema(value_type = Option<StatusFilter>)]
    status: Option<String>,
    /// Only invitations with this role.
    #[schema(min_length = 1, max_length = 64)]
    role: Option<String>,
    /// Only invitations of this division.
    #[schema(min_length = 1, max_length = 64)]
    division: Option<String>,
    /// Only invitations that the user with this id created.
    #[schema(min_length = 1, max_length = 128)]
    inviter: Option<String>,
    /// Only invitations that the call with this id created.
    #[schema(format = Uuid)]
    batch: Option<String>,
    /// Only invitations created at this instant or later.
    #[schema(format = DateTime)]
    created_after: Option<String>,
    /// Only invitations created before this instant.
    #[schema(format = DateTime)]
    created_before: Option<String>,
    /// Only invitations that expire at this instant or later.
    #[schema(format = DateTime)]
    expires_after: Option<String>,
    /// Only invitations that expire before this instant.
    #[schema(format = DateTime)]
    expires_before: Option<String>,
    /// The order, as in the parameter `sort` of `GET /`.
    #[schema(value_type = Option<SortOrder>)]
    sort: Option<String>,
    /// The maximum number of items; 50 by default.
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl SearchBody {
    /// Returns the fields as query parameters, whose parsers read them.
    fn into_query(self) -> (ListQuery, PageQuery) {
        let filter = FilterQuery {
            search: self.search,
            role: self.role,
            division: self.division,
            inviter: self.inviter,
            batch: self.batch,
            created_after: self.created_after,
            created_before: self.created_before,
            expires_after: self.expires_after,
            expires_before: self.expires_before,
        };
        let (status, sort) = (StatusQuery { status: self.status }, SortQuery { sort: self.sort });
        let limit = self.limit.map(|limit| limit.to_string());
        (ListQuery { status, sort, filter }, PageQuery { limit, cursor: self.cursor })
    }
}

/// Lists the invitations within the actor's reach as `GET /` does, with the search in the body. Use
/// it for searches that must not appear in a URL.
#[utoipa::path(
    post,
    path = "/search",
    operation_id = "search_invitations",
    request_body = SearchBody,
    responses((status = 200, description = "A page", body = PageBody), docs::Common, docs::WithBody),
)]
pub(crate) async fn search(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::View>,
    body::Json(body): body::Json<SearchBody>,
) -> Result<Json<PageBody>, Problem> {
    let (query, page) = body.into_query();
    let mut errors = QueryErrors::default();
    let (criteria, paging) = (query, page).parse(&mut errors);
    errors.into_result().map_err(Problem::about_the_body)?;
    let page = web.service().list(&actor, &criteria, paging).await?;
    Ok(PageBody::of(&page, InvitationBody::of))
}

/// The number of invitations of each status. A number is exact, or a lower bound.
#[derive(Serialize, ToSchema)]
#[schema(as = Counts)]
pub(crate) struct CountsBody {
    #[schema(maximum = 10_000)]
    active: u32,
    #[schema(maximum = 10_000)]
    used: u32,
    #[schema(maximum = 10_000)]
    expired: u32,
    #[schema(maximum = 10_000)]
    revoked: u32,
    /// The statuses whose number is a lower bound: those with more than 10,000 invitations, and
    /// those of a search with so many candidates that not all were examined.
    #[schema(value_type = Vec<StatusSchema>)]
    capped: Vec<Status>,
}

/// Counts the invitations within the actor's reach by status.
#[utoipa::path(
    get,
    path = "/counts",
    operation_id = "count_invitations",
    params(FilterQuery),
    responses((status = 200, description = "The counts", body = CountsBody), docs::Common),
)]
pub(crate) async fn counts(
    State(web): State<Web>,
    Authorized(actor, criteria, _): Authorized<to::View, FilterQuery>,
) -> Result<Json<CountsBody>, Problem> {
    let counts = with_errors_in_query(web.service().counts(&actor, &criteria).await)?;
    Ok(Json(CountsBody {
        active: counts.of(Status::Active),
        used: counts.of(Status::Used),
        expired: counts.of(Status::Expired),
        revoked: counts.of(Status::Revoked),
        capped: Status::ALL.iter().copied().filter(|status| !counts.is_exact(*status)).collect(),
    }))
}
