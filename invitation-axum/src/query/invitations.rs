//! The filters and the order of lists of invitations.

use invitation_core::{
    BatchId, Criteria, Division, FieldError, Role, Status, TimeRange, Timestamp, UserId,
};
use utoipa::IntoParams;

use super::{Given, QueryErrors, QueryParams, SortOrder, StatusFilter};

/// The filters and the order of a list or an export of invitations.
#[derive(Default, Debug)]
pub(crate) struct ListQuery {
    pub(crate) status: StatusQuery,
    pub(crate) sort: SortQuery,
    pub(crate) filter: FilterQuery,
}

/// The filter by status.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatusQuery {
    /// Only invitations with this status at the time of the first page, or of the export.
    #[param(inline, value_type = Option<StatusFilter>, nullable = false)]
    pub(crate) status: Option<String>,
}

/// The order of a list.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SortQuery {
    /// The order: `created`, the default, lists the newest first. `expires` lists the soonest to
    /// expire first. It goes with the status `active` only, which is then the default. An
    /// invitation whose expiry changes between two pages may appear twice or not at all.
    #[param(inline, value_type = Option<SortOrder>, nullable = false)]
    pub(crate) sort: Option<String>,
}

/// The filters of a list, an export or a count of invitations.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterQuery {
    /// A search: a whole e-mail address, search terms, or the beginning of a code with at least its
    /// first group. A search term is a run of letters and digits. Either each term begins a term of
    /// the e-mail address, or each begins a term of the name of one redeemer. A term of one character
    /// must match a whole term. Do not put a whole code into a URL: send only as much of it as the search
    /// needs.
    #[param(min_length = 1, max_length = 200, nullable = false)]
    pub(crate) search: Option<String>,
    /// Only invitations with this role.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    pub(crate) role: Option<String>,
    /// Only invitations of this division.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    pub(crate) division: Option<String>,
    /// Only invitations that the user with this id created.
    #[param(min_length = 1, max_length = 128, nullable = false)]
    pub(crate) inviter: Option<String>,
    /// Only invitations that the call with this id created.
    #[param(format = Uuid, nullable = false)]
    pub(crate) batch: Option<String>,
    /// Only invitations created at this instant or later.
    #[param(format = DateTime, nullable = false)]
    pub(crate) created_after: Option<String>,
    /// Only invitations created before this instant.
    #[param(format = DateTime, nullable = false)]
    pub(crate) created_before: Option<String>,
    /// Only invitations that expire at this instant or later.
    #[param(format = DateTime, nullable = false)]
    pub(crate) expires_after: Option<String>,
    /// Only invitations that expire before this instant.
    #[param(format = DateTime, nullable = false)]
    pub(crate) expires_before: Option<String>,
}

impl QueryParams for ListQuery {
    type Parsed = Criteria;

    fn take(given: &mut Given) -> Self {
        let status = StatusQuery { status: given.take("status") };
        let sort = SortQuery { sort: given.take("sort") };
        Self { status, sort, filter: FilterQuery::take(given) }
    }

    fn parse(&self, errors: &mut QueryErrors) -> Criteria {
        let mut criteria = self.filter.parse(errors);
        let named = self.status.status.as_deref();
        let status = named.filter(|status| *status != "all");
        if let Some(status) = errors.check("status", status, str::parse::<Status>) {
            criteria = criteria.with_status(status);
        }
        let order = |sort: &str| match sort {
            "created" => Ok(false),
            // The core would not notice that all statuses are wanted, only that none is named.
            "expires" if named == Some("all") => {
                Err(FieldError::new("sort", "by expiry goes with the status active only"))
            }
            "expires" => Ok(true),
            _ => Err(FieldError::new("sort", "must be created or expires")),
        };
        match errors.check("sort", self.sort.sort.as_deref(), order) {
            Some(true) => criteria.soonest_expiry_first(),
            Some(false) | None => criteria,
        }
    }
}

impl QueryParams for FilterQuery {
    type Parsed = Criteria;

    fn take(given: &mut Given) -> Self {
        let mut take = |name| given.take(name);
        Self {
            search: take("search"),
            role: take("role"),
            division: take("division"),
            inviter: take("inviter"),
            batch: take("batch"),
            created_after: take("created_after"),
            created_before: take("created_before"),
            expires_after: take("expires_after"),
            expires_before: take("expires_before"),
        }
    }

    fn parse(&self, errors: &mut QueryErrors) -> Criteria {
        let mut criteria = Criteria::new();
        if let Some(role) = errors.check("role", self.role.as_deref(), Role::new) {
            criteria = criteria.with_role(role);
        }
        if let Some(division) = errors.check("division", self.division.as_deref(), Division::new) {
            criteria = criteria.in_division(division);
        }
        if let Some(inviter) = errors.check("inviter", self.inviter.as_deref(), UserId::new) {
            criteria = criteria.by_inviter(inviter);
        }
        let batch = self.batch.as_deref();
        if let Some(batch) = errors.check("batch", batch, str::parse::<BatchId>) {
            criteria = criteria.in_batch(batch);
        }
        let mut at = |name, given: &Option<String>| {
            errors.check(name, given.as_deref(), str::parse::<Timestamp>)
        };
        let created = TimeRange {
            from: at("created_after", &self.created_after),
            until: at("created_before", &self.created_before),
        };
        let expires = TimeRange {
            from: at("expires_after", &self.expires_after),
            until: at("expires_before", &self.expires_before),
        };
        criteria = criteria.created_within(created).expiring_within(expires);
        match &self.search {
            Some(search) => criteria.matching(search),
            None => criteria,
        }
    }
}
