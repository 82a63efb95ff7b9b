//! Reads query strings. An unknown or repeated parameter, or one with an invalid value, is an
//! error.

mod deliveries;
mod errors;
mod events;
mod funnel;
mod given;
mod invitations;
mod page;
mod schemas;

use invitation_core::Error;

pub(crate) use self::{
    deliveries::DeliveryQuery,
    errors::QueryErrors,
    events::EventQuery,
    funnel::FunnelParams,
    given::Given,
    invitations::{FilterQuery, ListQuery, SortQuery, StatusQuery},
    page::PageQuery,
    schemas::{
        DeliveryPurposeChoice, DeliveryStateChoice, EndpointStateChoice, EventKind, FailureChoice,
        Outcome, OutcomeChoice, SortOrder, StatusFilter,
    },
};
use crate::problem::Problem;

/// Parameters that belong together, as the client sent them. The JSON API and the dashboard
/// share these descriptions, their parsers and their messages; each route names the
/// parameters that it accepts.
pub(crate) trait QueryParams: Sized {
    /// The parsed value of the parameters.
    type Parsed;

    /// Takes these parameters out of all parameters of the request.
    fn take(given: &mut Given) -> Self;

    /// Parses all parameters, and adds each mistake to `errors`.
    fn parse(&self, errors: &mut QueryErrors) -> Self::Parsed;
}

impl<A: QueryParams, B: QueryParams> QueryParams for (A, B) {
    type Parsed = (A::Parsed, B::Parsed);

    fn take(given: &mut Given) -> Self {
        (A::take(given), B::take(given))
    }

    fn parse(&self, errors: &mut QueryErrors) -> Self::Parsed {
        (self.0.parse(errors), self.1.parse(errors))
    }
}

/// The parameters of a route that takes none.
#[derive(Debug)]
pub(crate) struct NoParams;

impl QueryParams for NoParams {
    type Parsed = ();

    fn take(_: &mut Given) -> Self {
        Self
    }

    fn parse(&self, _: &mut QueryErrors) {}
}

/// Reads a query string. Refuses a parameter that is unknown, repeated or invalid.
pub(crate) fn read<T: QueryParams>(query: &str) -> Result<T::Parsed, Problem> {
    let mut given = Given::of_query(query)?;
    let params = T::take(&mut given);
    given.nothing_else()?;
    let mut errors = QueryErrors::default();
    let parsed = params.parse(&mut errors);
    errors.into_result()?;
    Ok(parsed)
}

/// Returns the service's answer. An error about a value says that the value was in the query, not
/// in the body as usual.
pub(crate) fn with_errors_in_query<T>(answer: Result<T, Error>) -> Result<T, Problem> {
    answer.map_err(|error| Problem::from(error).about_the_query())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ProblemKind;

    fn pointers(problem: &Problem) -> Vec<&str> {
        problem.errors().iter().map(|error| error.pointer.as_str()).collect()
    }

    #[test]
    fn names_are_known_and_given_once() {
        assert!(read::<PageQuery>("").is_ok());
        assert!(read::<PageQuery>("limit=%35").is_ok());
        for (query, expected) in [
            ("limit=1&limit=1", &["/limit"][..]),
            ("limi=1", &["/limi"]),
            ("=", &["/"]),
            ("b=1&limit=0&a=1", &["/a", "/b"]),
        ] {
            let problem = read::<PageQuery>(query).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Invalid);
            assert_eq!(pointers(&problem), expected, "{query}");
        }
        for query in ["limit=%ff", "%c3=1", "limit=%c3&%a4=1", "limit=%ed%a0%80"] {
            assert_eq!(read::<PageQuery>(query).unwrap_err().kind(), ProblemKind::Malformed);
        }
    }

    #[test]
    fn route_without_parameters_takes_an_empty_query_only() {
        assert!(read::<NoParams>("").is_ok());
        let problem = read::<NoParams>("dry_run=true").unwrap_err();
        assert_eq!(problem.kind(), ProblemKind::Invalid);
        assert_eq!(pointers(&problem), ["/dry_run"]);
    }

    #[test]
    fn every_wrong_value_is_named() {
        let problem = read::<(ListQuery, PageQuery)>("cursor=zz&limit=%2B5&status=x&role=");
        assert_eq!(pointers(&problem.unwrap_err()), ["/role", "/status", "/limit", "/cursor"]);
    }
}
