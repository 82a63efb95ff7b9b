//! The query parameters of the host's own API. A parameter that is unknown or repeated is refused: a
//! client that sends `?dry_run=true` must not get a registration instead.

use std::{borrow::Cow, collections::BTreeMap};

use axum::{extract::FromRequestParts, http::request::Parts};
use invitation::web::{InputError, Problem, ProblemKind};
use percent_encoding::percent_decode_str;

/// The values of a request's parameters, by their names.
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads the query string of a request. Returns 400 for one that is not UTF-8, and 422 for a
    /// repeated parameter.
    pub(crate) fn of(request: &Parts) -> Result<Self, Problem> {
        let query = request.uri.query().unwrap_or_default();
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8().map(Cow::into_owned).map_err(|_| {
                Problem::new(ProblemKind::Malformed).with_detail("the query string is not UTF-8")
            })
        };
        let (mut values, mut errors) = (BTreeMap::new(), Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?;
            if values.insert(name.clone(), decoded(value)?).is_some() {
                errors.push(InputError::in_query(&name, "must be given once"));
            }
        }
        if errors.is_empty() { Ok(Self(values)) } else { Err(Problem::invalid(errors)) }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Returns 422 if there are parameters that were not taken.
    pub(crate) fn nothing_else(self) -> Result<(), Problem> {
        let unknown = |name: &String| InputError::in_query(name, "is no parameter of this");
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0.keys().map(unknown))) }
    }
}

/// The extractor of a handler that takes no parameters. It rejects any with 422, before the body is
/// read.
pub(crate) struct NoParams;

impl<S: Sync> FromRequestParts<S> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Params::of(parts)?.nothing_else()?;
        Ok(Self)
    }
}
