//! The filters of invitations.

use invitation_core::{Criteria, Division, Role, Status};
use utoipa::IntoParams;

use super::{Given, QueryErrors, QueryParams, StatusFilter};

/// The filters of a list or an export of invitations.
#[derive(Default, Debug)]
pub(crate) struct ListQuery {
    pub(crate) status: StatusQuery,
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

/// The filters of a list, an export or a count of invitations.
#[derive(Default, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterQuery {
    /// A search: a whole e-mail address, search terms, or the beginning of a code with at least its
    /// first group. A search term is a run of letters and digits. Either each term begins a term of
    /// the e-mail address, or each begins a term of *Used By*. A term of one character must match a
    /// whole term. Do not put a whole code into a URL: send only as much of it as the search
    /// needs.
    #[param(min_length = 1, max_length = 200, nullable = false)]
    pub(crate) search: Option<String>,
    /// Only invitations with this role.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    pub(crate) role: Option<String>,
    /// Only invitations of this division.
    #[param(min_length = 1, max_length = 64, nullable = false)]
    pub(crate) division: Option<String>,
}

impl QueryParams for ListQuery {
    type Parsed = Criteria;

    fn take(given: &mut Given) -> Self {
        let status = StatusQuery { status: given.take("status") };
        Self { status, filter: FilterQuery::take(given) }
    }

    fn parse(&self, errors: &mut QueryErrors) -> Criteria {
        let criteria = self.filter.parse(errors);
        let status = self.status.status.as_deref().filter(|status| *status != "all");
        match errors.check("status", status, str::parse::<Status>) {
            Some(status) => criteria.with_status(status),
            None => criteria,
        }
    }
}

impl QueryParams for FilterQuery {
    type Parsed = Criteria;

    fn take(given: &mut Given) -> Self {
        let mut take = |name| given.take(name);
        Self { search: take("search"), role: take("role"), division: take("division") }
    }

    fn parse(&self, errors: &mut QueryErrors) -> Criteria {
        let mut criteria = Criteria::new();
        if let Some(role) = errors.check("role", self.role.as_deref(), Role::new) {
            criteria = criteria.with_role(role);
        }
        if let Some(division) = errors.check("division", self.division.as_deref(), Division::new) {
            criteria = criteria.in_division(division);
        }
        if let Some(search) = &self.search {
            criteria = criteria.matching(search);
        }
        criteria
    }
}
