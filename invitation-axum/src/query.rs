//! Query strings: every name is known and given once, every value is parsed.

use axum::{extract::FromRequestParts, http::request::Parts};
use invitation_core::{Cursor, Error, FieldError, Paging};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use url::form_urlencoded;
use utoipa::IntoParams;

use crate::{
    problem::{InputError, Problem, ProblemKind},
    web::Web,
};

/// The parameters of a query string, as they were typed.
pub(crate) trait QueryParams: DeserializeOwned {
    /// The parsed value of the parameters.
    type Parsed;

    /// Parses all parameters, and adds each mistake to `wrong`.
    fn read(self, wrong: &mut Wrong) -> Self::Parsed;
}

/// An extractor for a query string. Refuses a parameter that is unknown, repeated or
/// invalid.
#[derive(Debug)]
pub(crate) struct Query<T: QueryParams>(pub(crate) T::Parsed);

impl<T: QueryParams> FromRequestParts<Web> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        let asked: T = known(given(parts)?)?;
        let mut wrong = Wrong::default();
        let meaning = asked.read(&mut wrong);
        wrong.none()?;
        Ok(Self(meaning))
    }
}

/// An extractor for the query string of a list, with the page parameters.
#[derive(Debug)]
pub(crate) struct Paged<T: QueryParams>(pub(crate) T::Parsed, pub(crate) Paging);

impl<T: QueryParams> FromRequestParts<Web> for Paged<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        let mut given = given(parts)?;
        let page =
            PageQuery { limit: take(&mut given, "limit"), cursor: take(&mut given, "cursor") };
        let asked: T = known(given)?;
        let mut wrong = Wrong::default();
        let (meaning, paging) = (asked.read(&mut wrong), page.read(&mut wrong));
        wrong.none()?;
        Ok(Self(meaning, paging))
    }
}

/// The page parameters of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// The maximum number of items; 50 by default.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, nullable = false)]
    pub(crate) limit: Option<String>,
    /// The `next_cursor` of the previous page.
    #[param(nullable = false)]
    pub(crate) cursor: Option<String>,
}

impl QueryParams for PageQuery {
    type Parsed = Paging;

    fn read(self, wrong: &mut Wrong) -> Paging {
        let number = |text: &str| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            Paging::first(text.parse().ok().filter(|_| digits).unwrap_or(0))
        };
        let paging = wrong.read("limit", self.limit.as_deref(), number).unwrap_or_default();
        let cursor = wrong.read("cursor", self.cursor.as_deref(), str::parse::<Cursor>);
        cursor.map_or(paging, |cursor| paging.after(cursor))
    }
}

/// Returns the service's answer. Its errors about values refer to the query.
pub(crate) fn answered<T>(answer: Result<T, Error>) -> Result<T, Problem> {
    answer.map_err(|error| Problem::from(error).about_the_query())
}

/// Returns all parameters. Refuses repeated ones.
fn given(parts: &Parts) -> Result<Map<String, Value>, Problem> {
    let query = parts.uri.query().unwrap_or_default();
    let mut given = Map::new();
    let mut errors = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return Err(
                Problem::new(ProblemKind::Malformed).with_detail("the query string is not UTF-8")
            );
        }
        let name = name.into_owned();
        let text = Value::String(value.into_owned());
        if given.insert(name.clone(), text).is_some() {
            errors.push(InputError::in_query(&name, "must be given once"));
        }
    }
    if errors.is_empty() { Ok(given) } else { Err(Problem::invalid(errors)) }
}

fn take(given: &mut Map<String, Value>, name: &str) -> Option<String> {
    given.remove(name).and_then(|value| value.as_str().map(str::to_owned))
}

/// Parses the parameters by name. Refuses unknown ones.
fn known<T: DeserializeOwned>(given: Map<String, Value>) -> Result<T, Problem> {
    // All values are text, so only a name can be at fault.
    serde_path_to_error::deserialize(Value::Object(given)).map_err(|error| {
        let name = error.path().to_string();
        Problem::invalid([InputError::in_query(&name, "is no parameter of this")])
    })
}

/// A collector for mistakes in the values of parameters.
#[derive(Debug, Default)]
pub(crate) struct Wrong(Vec<InputError>);

impl Wrong {
    /// Parses a parameter with `read`. Returns `None` if it is missing or invalid, and
    /// records the mistake.
    pub(crate) fn read<'a, T>(
        &mut self,
        name: &str,
        given: Option<&'a str>,
        read: impl FnOnce(&'a str) -> Result<T, FieldError>,
    ) -> Option<T> {
        let refused = match read(given?) {
            Ok(value) => return Some(value),
            Err(refused) => refused,
        };
        self.0.push(InputError::in_query(name, refused.message()));
        None
    }

    /// Returns a problem if any mistake was recorded.
    pub(crate) fn none(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: Option<String>,
    }

    fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
        let request = axum::http::Request::get(format!("/?{query}")).body(()).unwrap();
        known(given(&request.into_parts().0)?)
    }

    #[test]
    fn known_names_once() {
        assert_eq!(parse::<Sample>("").unwrap().name, None);
        assert_eq!(parse::<Sample>("name=a%20b").unwrap().name.as_deref(), Some("a b"));
        for (query, pointer) in [("name=a&name=a", "/name"), ("nam=a", "/nam"), ("=", "/")] {
            let problem = parse::<Sample>(query).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::Invalid);
            assert_eq!(problem.errors()[0].pointer, pointer, "{query}");
        }
        assert_eq!(parse::<Sample>("name=%ff").unwrap_err().kind(), ProblemKind::Malformed);
    }

    #[test]
    fn every_wrong_value_is_named() {
        let mut wrong = Wrong::default();
        let _ = parse::<PageQuery>("limit=%2B5&cursor=zz").unwrap().read(&mut wrong);
        let problem = wrong.none().unwrap_err();
        let pointers: Vec<_> = problem.errors().iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/limit", "/cursor"]);
    }
}
