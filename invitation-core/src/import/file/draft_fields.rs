//! A new invitation, as the fields of a JSON object or the cells of a CSV row describe it.

use std::num::NonZeroU32;

use serde::Deserialize;

use super::metadata_text::MetadataText;
use crate::{
    draft::Draft,
    email::{Email, EmailDomain},
    field_error::FieldError,
    limits::Expiry,
    text::{Division, Role},
    time::Timestamp,
};

/// The fields of a new invitation, as they were sent. Fields that are left out have the defaults
/// of a [`Draft`].
///
/// It is read from JSON, where unknown fields are refused.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::import::file::DraftFields;
///
/// let fields: DraftFields = serde_json::from_str(r#"{"email": "anna", "max_uses": 0}"#)?;
/// let mistakes = fields.into_draft().unwrap_err();
/// let fields: Vec<_> = mistakes.iter().map(|mistake| mistake.field()).collect();
/// assert_eq!(fields, ["email", "max_uses"]);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DraftFields {
    /// The only address that may redeem the code.
    pub email: Option<String>,
    /// The only domain whose addresses may redeem the code. Not together with `email`.
    pub email_domain: Option<String>,
    /// The role that the new user gets.
    pub role: Option<String>,
    /// The division that the new user joins.
    pub division: Option<String>,
    /// The instant of expiry, as RFC 3339.
    pub expires_at: Option<String>,
    /// The lifetime in days. Not together with `expires_at`.
    pub expires_in_days: Option<u32>,
    /// The number of uses.
    pub max_uses: Option<u32>,
    /// Data to store with the invitation. It must not have an integer beyond 64 bits, nor a key twice
    /// in one object: they could not be kept as they are.
    pub metadata: Option<MetadataText>,
}

impl DraftFields {
    /// The names of the fields.
    pub const NAMES: [&str; 8] = [
        "email",
        "email_domain",
        "role",
        "division",
        "expires_at",
        "expires_in_days",
        "max_uses",
        "metadata",
    ];

    /// Returns the draft.
    ///
    /// # Errors
    ///
    /// Every mistake in the fields. The bounds of a [`Limits`](crate::Limits) are not checked.
    pub fn into_draft(self) -> Result<Draft, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut draft = Draft::new();
        let mut note = |error: FieldError| wrong.push(error);

        if let Some(email) = &self.email {
            match Email::parse(email) {
                Ok(email) => draft = draft.for_email(email),
                Err(error) => note(error),
            }
        }
        if let Some(domain) = &self.email_domain {
            match EmailDomain::parse(domain) {
                Ok(domain) => draft = draft.for_domain(domain),
                Err(error) => note(error),
            }
        }
        if let Some(role) = &self.role {
            match Role::new(role) {
                Ok(role) => draft = draft.with_role(role),
                Err(error) => note(error),
            }
        }
        if let Some(division) = &self.division {
            match Division::new(division) {
                Ok(division) => draft = draft.in_division(division),
                Err(error) => note(error),
            }
        }
        if let Some(metadata) = self.metadata {
            match metadata.read() {
                Ok(metadata) => draft = draft.with_metadata(metadata),
                Err(error) => note(error),
            }
        }
        if let Some(at) = &self.expires_at {
            match at.parse::<Timestamp>() {
                Ok(at) => draft = draft.expiring(Expiry::At(at)),
                Err(_) => note(FieldError::new("expires_at", Timestamp::SYNTAX)),
            }
        }
        if let Some(days) = self.expires_in_days {
            draft = draft.expiring(Expiry::InDays(days));
        }
        if let Some(uses) = self.max_uses {
            match NonZeroU32::new(uses) {
                Some(uses) => draft = draft.for_uses(uses),
                None => note(FieldError::new("max_uses", "must be 1 or more")),
            }
        }
        if self.email.is_some() && self.email_domain.is_some() {
            note(FieldError::new("email_domain", "must not be given together with email"));
        }
        if self.expires_at.is_some() && self.expires_in_days.is_some() {
            note(FieldError::new("expires_in_days", "must not be given together with expires_at"));
        }
        if wrong.is_empty() { Ok(draft) } else { Err(wrong) }
    }
}
