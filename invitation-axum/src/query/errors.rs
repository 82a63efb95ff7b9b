//! A collector for the errors in a query string, so that a response lists all of them.

use invitation_core::FieldError;

use crate::problem::{InputError, Problem};

/// The invalid values found so far, each with the name of its parameter.
#[derive(Debug, Default)]
pub(crate) struct QueryErrors(Vec<FieldError>);

impl QueryErrors {
    /// Parses a parameter. Returns `None` if it is missing or invalid, and records an error if
    /// it is invalid.
    pub(crate) fn check<'a, T>(
        &mut self,
        name: &'static str,
        given: Option<&'a str>,
        parse: impl FnOnce(&'a str) -> Result<T, FieldError>,
    ) -> Option<T> {
        let refused = match parse(given?) {
            Ok(value) => return Some(value),
            Err(refused) => refused,
        };
        self.0.push(FieldError::new(name, refused.message()));
        None
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter()
    }

    /// Returns the problem 422 with all errors, if any was recorded.
    pub(crate) fn into_result(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let in_query = |error: &FieldError| InputError::in_query(error.field(), error.message());
        Err(Problem::invalid(self.iter().map(in_query)))
    }
}
