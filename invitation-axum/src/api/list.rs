//! The endpoints that list and count invitations.

use axum::{Json, extract::State};
use invitation_core::{Criteria, Division, InvitationView, Page, Role, Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    docs,
    invitation::{InvitationBody, StatusWord},
};
use crate::{
    authorization::{Authorized, to},
    body,
    problem::Problem,
    query::{PageQuery, Paged, Query, QueryParams, Wrong, answered},
    web::Web,
};

/// The filters of a list of invitations.
#[derive(Default, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only invitations with this status at the time of the first page, or of the export.
    #[param(inline, value_type = Option<StatusFilter>, nullable = false)]
    status: Option<String>,
    /// A search: a whole e-mail address, search terms, or the beginning of a code with at least its
    /// first group. A search term is a run of letters and digits. Either each term begins a term of
    /// the e-mail address, or each begins a term of *Used By*. A term of one character must match a
    /// whole term. Do not put a whole code into an address: send only as much of it as the search
    /// needs.
    #[param(min_length = 1, max_length = 200, nullable = false)]
    search: Option<String>,
    /// Only invitations with this role.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    role: Option<String>,
    /// Only invitations of this division.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    division: Option<String>,
}

/// A status, or all of them.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the words of a parameter")]
pub(crate) enum StatusFilter {
    All,
    Active,
    Used,
    Expired,
    Revoked,
}

/// The filters of a count of invitations.
#[derive(Default, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountQuery {
    /// A search, as in `GET /`.
    #[param(min_length = 1, max_length = 200, nullable = false)]
    search: Option<String>,
    /// Only invitations with this role.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    role: Option<String>,
    /// Only invitations of this division.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    division: Option<String>,
}

impl QueryParams for ListQuery {
    type Parsed = Criteria;

    fn read(self, wrong: &mut Wrong) -> Criteria {
        let Self { status, search, role, division } = self;
        let criteria = CountQuery { search, role, division }.read(wrong);
        let status = status.as_deref().filter(|status| *status != "all");
        match wrong.read("status", status, str::parse::<Status>) {
            Some(status) => criteria.with_status(status),
            None => criteria,
        }
    }
}

impl QueryParams for CountQuery {
    type Parsed = Criteria;

    fn read(self, wrong: &mut Wrong) -> Criteria {
        let mut criteria = Criteria::new();
        if let Some(role) = wrong.read("role", self.role.as_deref(), Role::new) {
            criteria = criteria.with_role(role);
        }
        if let Some(division) = wrong.read("division", self.division.as_deref(), Division::new) {
            criteria = criteria.in_division(division);
        }
        if let Some(search) = &self.search {
            criteria = criteria.matching(search);
        }
        criteria
    }
}

/// A page of invitations, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = InvitationPage)]
pub(crate) struct PageBody {
    /// The items of the page. A page may hold fewer than `limit` although more follow.
    items: Vec<InvitationBody>,
    /// The cursor of the next page; `null` if nothing follows.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl PageBody {
    fn of(page: &Page<InvitationView>) -> Self {
        Self {
            items: page.items().iter().map(InvitationBody::of).collect(),
            next_cursor: page.next().map(|cursor| cursor.to_string()),
        }
    }
}

/// Lists the invitations within the actor's reach, newest first.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "list_invitations",
    params(ListQuery, PageQuery),
    responses((status = 200, description = "A page", body = PageBody), docs::Any, docs::WithValues),
)]
pub(crate) async fn list(
    State(web): State<Web>,
    Authorized(actor, _): Authorized<to::View>,
    Paged(criteria, paging): Paged<ListQuery>,
) -> Result<Json<PageBody>, Problem> {
    let page = answered(web.service().list(&actor, &criteria, paging).await)?;
    Ok(Json(PageBody::of(&page)))
}

/// A search that must not appear in an address, because proxies and browsers store
/// addresses.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Search)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchBody {
    /// A search, as in `GET /`.
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
    /// The maximum number of items; 50 by default.
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// Lists the invitations within the actor's reach as `GET /` does, with the search in the body. Use
/// it for searches that must not appear in an address.
#[utoipa::path(
    post,
    path = "/search",
    operation_id = "search_invitations",
    request_body = SearchBody,
    responses((status = 200, description = "A page", body = PageBody), docs::Any, docs::WithBody),
)]
pub(crate) async fn search(
    State(web): State<Web>,
    Authorized(actor, _): Authorized<to::View>,
    body::Json(body): body::Json<SearchBody>,
) -> Result<Json<PageBody>, Problem> {
    let SearchBody { search, status, role, division, limit, cursor } = body;
    let mut wrong = Wrong::default();
    let criteria = ListQuery { status, search, role, division }.read(&mut wrong);
    let limit = limit.map(|limit| limit.to_string());
    let paging = PageQuery { limit, cursor }.read(&mut wrong);
    wrong.none().map_err(Problem::about_the_body)?;
    let page = web.service().list(&actor, &criteria, paging).await?;
    Ok(Json(PageBody::of(&page)))
}

/// The number of invitations of each status. A number is exact up to 10,000.
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
    /// The statuses that have more than 10,000 invitations.
    #[schema(value_type = Vec<StatusWord>)]
    capped: Vec<Status>,
}

/// Counts the invitations within the actor's reach by status.
#[utoipa::path(
    get,
    path = "/counts",
    operation_id = "count_invitations",
    params(CountQuery),
    responses((status = 200, description = "The counts", body = CountsBody), docs::Any, docs::WithValues),
)]
pub(crate) async fn counts(
    State(web): State<Web>,
    Authorized(actor, _): Authorized<to::View>,
    Query(criteria): Query<CountQuery>,
) -> Result<Json<CountsBody>, Problem> {
    let counts = answered(web.service().counts(&actor, &criteria).await)?;
    Ok(Json(CountsBody {
        active: counts.of(Status::Active),
        used: counts.of(Status::Used),
        expired: counts.of(Status::Expired),
        revoked: counts.of(Status::Revoked),
        capped: Status::ALL.iter().copied().filter(|status| !counts.is_exact(*status)).collect(),
    }))
}
