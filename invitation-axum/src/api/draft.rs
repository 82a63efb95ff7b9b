//! A new invitation, as JSON describes it.

use std::num::NonZeroU32;

use invitation_core::{Division, Draft, Email, EmailDomain, Expiry, FieldError, Role, Timestamp};
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::ToSchema;

use super::metadata::MetadataBody;
use crate::problem::{InputError, pointer_to};

/// A new invitation. Defaults fill in what is left out: the role, if the actor may grant
/// only one; the actor's division; 7 days; one use; no binding.
#[derive(Clone, Default, Debug, Deserialize, ToSchema)]
#[schema(as = NewInvitation)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftBody {
    /// The only address that may redeem the code.
    #[schema(max_length = 254, format = Email, example = "anna@example.com")]
    pub(crate) email: Option<String>,
    /// The only domain whose addresses may redeem the code, each address once. Not together with
    /// `email`.
    #[schema(max_length = 254, example = "example.com")]
    pub(crate) email_domain: Option<String>,
    /// The role that the new user gets.
    #[schema(min_length = 1, max_length = 64, example = "staff")]
    pub(crate) role: Option<String>,
    /// The division that the new user joins.
    #[schema(min_length = 1, max_length = 64, example = "sales")]
    pub(crate) division: Option<String>,
    /// The instant at which the invitation expires, 1 hour to 365 days from now.
    #[schema(format = DateTime)]
    pub(crate) expires_at: Option<String>,
    /// The lifetime in days. Not together with `expires_at`.
    #[schema(minimum = 1, maximum = 365)]
    pub(crate) expires_in_days: Option<u32>,
    /// The number of people who may redeem the code. With `email` it must be 1.
    #[schema(minimum = 1, maximum = 100_000)]
    pub(crate) max_uses: Option<u32>,
    /// Data to store with the invitation: at most 4 KB, and 3 levels deep.
    #[schema(value_type = Option<Object>)]
    pub(crate) metadata: Option<MetadataBody>,
}

impl DraftBody {
    /// Returns the draft, or every mistake in it. `at` is the JSON pointer to the object
    /// within the body.
    pub(crate) fn read(self, at: &str) -> Result<Draft, Vec<InputError>> {
        let mut wrong = Vec::new();
        let mut draft = Draft::new();
        let mut note = |field: &str, message: &str| {
            wrong.push(InputError::in_body(format!("{at}{}", pointer_to(field)), message));
        };
        let mut refused = |refused: &FieldError| note(refused.field(), refused.message());

        if let Some(email) = &self.email {
            match Email::parse(email) {
                Ok(email) => draft = draft.for_email(email),
                Err(error) => refused(&error),
            }
        }
        if let Some(domain) = &self.email_domain {
            match EmailDomain::parse(domain) {
                Ok(domain) => draft = draft.for_domain(domain),
                Err(error) => refused(&error),
            }
        }
        if let Some(role) = &self.role {
            match Role::new(role) {
                Ok(role) => draft = draft.with_role(role),
                Err(error) => refused(&error),
            }
        }
        if let Some(division) = &self.division {
            match Division::new(division) {
                Ok(division) => draft = draft.in_division(division),
                Err(error) => refused(&error),
            }
        }
        if let Some(metadata) = self.metadata {
            match metadata.read() {
                Ok(metadata) => draft = draft.with_metadata(metadata),
                Err(error) => refused(&error),
            }
        }
        if let Some(at) = &self.expires_at {
            match instant(at) {
                Some(at) => draft = draft.expiring(Expiry::At(at)),
                None => note("expires_at", INSTANT),
            }
        }
        if let Some(days) = self.expires_in_days {
            draft = draft.expiring(Expiry::InDays(days));
        }
        if let Some(uses) = self.max_uses {
            match NonZeroU32::new(uses) {
                Some(uses) => draft = draft.for_uses(uses),
                None => note("max_uses", "must be 1 or more"),
            }
        }
        if self.email.is_some() && self.email_domain.is_some() {
            note("email_domain", "must not be given together with email");
        }
        if self.expires_at.is_some() && self.expires_in_days.is_some() {
            note("expires_in_days", "must not be given together with expires_at");
        }
        if wrong.is_empty() { Ok(draft) } else { Err(wrong) }
    }
}

/// The message about a text that is not an instant.
pub(crate) const INSTANT: &str = "must be an instant, as in 2027-01-04T08:00:00Z";

/// Parses an RFC 3339 instant.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    OffsetDateTime::parse(text, &Rfc3339).ok().and_then(|instant| Timestamp::try_from(instant).ok())
}
