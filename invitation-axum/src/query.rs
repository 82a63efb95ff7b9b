//! Query strings: every name known and given once.

use axum::{extract::FromRequestParts, http::request::Parts};
use invitation_core::{Cursor, Invalid, Paging};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::{
    problem::{FieldError, Problem, ProblemKind},
    web::Web,
};

/// The parameters of a query string. A parameter that is not known, or given twice, is
/// refused.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Web> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
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
            errors.push(FieldError::in_query(&name, "must be given once"));
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    // All values are text, so what fails is a name.
    serde_path_to_error::deserialize(Value::Object(given)).map_err(|error| {
        let name = error.path().to_string();
        Problem::invalid([FieldError::in_query(&name, "is no parameter of this")])
    })
}

/// Collects what is wrong with the values of parameters.
#[derive(Debug, Default)]
pub(crate) struct Wrong(Vec<FieldError>);

impl Wrong {
    /// The value that `read` makes of a parameter, if it is given and right.
    pub(crate) fn read<'a, T>(
        &mut self,
        name: &str,
        given: Option<&'a str>,
        read: impl FnOnce(&'a str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let refused = match read(given?) {
            Ok(value) => return Some(value),
            Err(refused) => refused,
        };
        self.0.push(FieldError::in_query(name, refused.message()));
        None
    }

    /// The page that `limit` and `cursor` say.
    pub(crate) fn paging(&mut self, limit: Option<&str>, cursor: Option<&str>) -> Paging {
        let number = |text: &str| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            Paging::first(text.parse().ok().filter(|_| digits).unwrap_or(0))
        };
        let paging = self.read("limit", limit, number).unwrap_or_default();
        let cursor = self.read("cursor", cursor, str::parse::<Cursor>);
        cursor.map_or(paging, |cursor| paging.after(cursor))
    }

    /// Nothing, or the problem.
    pub(crate) fn none(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: Option<String>,
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
        let _ = wrong.paging(Some("+5"), Some("zz"));
        let problem = wrong.none().unwrap_err();
        let pointers: Vec<_> = problem.errors().iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/limit", "/cursor"]);
    }
}
