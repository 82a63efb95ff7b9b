//! The mistakes in the values of parameters.

use invitation_core::FieldError;

use crate::problem::{InputError, Problem};

/// A collector for mistakes in the values of parameters, each with the parameter's name.
#[derive(Debug, Default)]
pub(crate) struct QueryErrors(Vec<FieldError>);

impl QueryErrors {
    /// Parses a parameter. Returns `None` if it is missing or invalid, and records the
    /// mistake.
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

    /// Returns a problem if any mistake was recorded.
    pub(crate) fn none(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let in_query = |error: &FieldError| InputError::in_query(error.field(), error.message());
        Err(Problem::invalid(self.iter().map(in_query)))
    }
}
