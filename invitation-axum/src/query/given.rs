//! The values of parameters by name, before they are parsed.

use std::collections::BTreeMap;

use url::form_urlencoded;

use crate::{
    body::is_utf8,
    problem::{InputError, Problem, ProblemKind},
};

/// The values of parameters by name, as the client sent them.
#[derive(Default, Debug)]
pub(crate) struct Given(BTreeMap<String, String>);

impl Given {
    /// Returns all parameters of a query string. Refuses repeated ones.
    pub(crate) fn of_query(query: &str) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        let mut errors = Vec::new();
        if !is_utf8(query.as_bytes()) {
            return Err(
                Problem::new(ProblemKind::Malformed).with_detail("the query string is not UTF-8")
            );
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if given.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                errors.push(InputError::in_query(&name, "must be given once"));
            }
        }
        if errors.is_empty() { Ok(Self(given)) } else { Err(Problem::invalid(errors)) }
    }

    /// Returns the fields of a form. An empty field counts as missing, and of a repeated
    /// one the first value counts.
    pub(crate) fn of_form<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let mut given = BTreeMap::new();
        for (name, value) in fields {
            given.entry(name.to_owned()).or_insert_with(|| value.trim().to_owned());
        }
        given.retain(|_, value| !value.is_empty());
        Self(given)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Returns an error if a parameter was not taken: the route does not accept it.
    pub(crate) fn nothing_else(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let unknown = |name: &String| InputError::in_query(name, "is no parameter of this");
        Err(Problem::invalid(self.0.keys().map(unknown)))
    }
}
