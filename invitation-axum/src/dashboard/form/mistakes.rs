//! The mistakes of a form, to be put beside its fields.

use invitation_core::{FieldError, ValidationErrors};

use super::{super::Strings, Field};
use crate::query::QueryErrors;

/// The mistakes of one form, by field.
#[derive(Default, Debug)]
pub(in super::super) struct Mistakes(Vec<Mistake>);

#[derive(Debug)]
struct Mistake {
    field: &'static str,
    message: String,
    /// Whether the value is a parameter of a list, which may have no field.
    is_parameter: bool,
}

impl Mistakes {
    pub(in super::super) fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(Mistake { field, message: message.into(), is_parameter: false });
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a value that was accepted, and records the mistake otherwise.
    pub(in super::super) fn check<T>(
        &mut self,
        t: &Strings,
        value: Result<T, FieldError>,
    ) -> Option<T> {
        value.map_err(|invalid| self.add(invalid.field(), (t.sentence)(invalid.message()))).ok()
    }

    pub(in super::super) fn add_all(&mut self, t: &Strings, input: &ValidationErrors) {
        for invalid in input.errors() {
            self.add(invalid.field(), (t.sentence)(invalid.message()));
        }
    }

    /// Adds the mistakes in the parameters of a list. One without a field, such as the cursor, has its
    /// name before the message.
    pub(in super::super) fn add_query(&mut self, t: &Strings, errors: &QueryErrors) {
        for error in errors.iter() {
            let message = (t.sentence)(error.message());
            self.0.push(Mistake { field: error.field(), message, is_parameter: true });
        }
    }

    /// Puts each mistake beside its field, and returns those that belong to no field.
    pub(in super::super) fn beside(self, fields: &mut [Field]) -> Option<String> {
        let mut others = Vec::new();
        for Mistake { field: name, message, is_parameter } in self.0 {
            match fields.iter_mut().find(|field| field.name == name) {
                Some(field) => field.error = Some(message),
                None if is_parameter => others.push(format!("{name}: {message}")),
                None => others.push(message),
            }
        }
        if let Some(first) = fields.iter_mut().find(|field| field.error.is_some()) {
            first.is_first_mistake = true;
        }
        (!others.is_empty()).then(|| others.join(" "))
    }
}
