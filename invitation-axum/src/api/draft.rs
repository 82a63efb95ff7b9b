//! A new invitation, as JSON describes it.

use invitation_core::{Draft, import::file::DraftFields};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::problem::{InputError, pointer_to};

/// A new invitation. Defaults fill in what is left out: the role, if the actor may grant
/// only one; the actor's division; the default lifetime; one use; no binding.
// `utoipa` describes unknown fields as serde treats them.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewInvitation)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used; `DraftFields` is read")]
pub(crate) struct DraftBody {
    /// The only address that may redeem the code.
    #[schema(max_length = 254, format = Email, example = "anna@example.com")]
    email: Option<String>,
    /// The only domain whose addresses may redeem the code, each address once. Not together with
    /// `email`.
    #[schema(max_length = 254, example = "example.com")]
    email_domain: Option<String>,
    /// The role that the new user gets.
    #[schema(min_length = 1, max_length = 64, example = "staff")]
    role: Option<String>,
    /// The division that the new user joins.
    #[schema(min_length = 1, max_length = 64, example = "sales")]
    division: Option<String>,
    /// The instant at which the invitation expires.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The lifetime in days. Not together with `expires_at`.
    #[schema(minimum = 1)]
    expires_in_days: Option<u32>,
    /// The number of people who may redeem the code. With `email` it must be 1.
    #[schema(minimum = 1)]
    max_uses: Option<u32>,
    /// Data to store with the invitation: at most 4 KB, and 3 levels deep, without integers beyond 64
    /// bits and without a key that occurs twice in one object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<serde_json::Value>,
}

/// Returns the draft of these fields, or every mistake in them. `at` is the JSON pointer to their
/// object within the body.
pub(crate) fn draft(fields: DraftFields, at: &str) -> Result<Draft, Vec<InputError>> {
    fields.into_draft().map_err(|errors| {
        let error = |error: &invitation_core::FieldError| {
            let pointer = format!("{at}{}", pointer_to(error.field()));
            InputError::in_body(pointer, error.message())
        };
        errors.iter().map(error).collect()
    })
}

#[cfg(test)]
mod tests {
    use utoipa::{
        PartialSchema,
        openapi::{RefOr, Schema},
    };

    use super::*;

    #[test]
    fn schema_has_the_fields_that_are_read() {
        let RefOr::T(Schema::Object(schema)) = DraftBody::schema() else { panic!("no object") };
        let mut names: Vec<_> = schema.properties.keys().map(String::as_str).collect();
        let mut read = DraftFields::NAMES;
        names.sort_unstable();
        read.sort_unstable();
        assert_eq!(names, read);
    }
}
