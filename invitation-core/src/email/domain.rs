//! The domains of addresses.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{MAX_BYTES, check_seen};
use crate::field_error::FieldError;

/// The domain of e-mail addresses, in its comparison form. A subdomain is a different
/// domain.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::{Email, EmailDomain};
///
/// let domain = EmailDomain::parse("Example.COM")?;
/// assert_eq!(domain.as_str(), "example.com");
/// assert_eq!(Email::parse("anna@example.com")?.domain(), domain);
/// assert_ne!(Email::parse("anna@mail.example.com")?.domain(), domain);
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailDomain(Arc<str>);

impl EmailDomain {
    /// Parses a domain name of two labels or more.
    ///
    /// # Errors
    ///
    /// Returns [`FieldError`] when the text is not such a name.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let invalid =
            || FieldError::new("email_domain", "must be a domain name, as in example.com");
        if text.len() > MAX_BYTES {
            return Err(invalid());
        }
        check_seen("email_domain", text)?;
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| invalid())?;
        let labels: Vec<&str> = ascii.split('.').collect();
        let named = labels.last().is_some_and(|top| !top.bytes().all(|b| b.is_ascii_digit()));
        if labels.len() < 2 || labels.iter().any(|label| label.is_empty()) || !named {
            return Err(invalid());
        }
        Ok(Self(Arc::from(ascii)))
    }

    /// Restores a domain from a store, as it was written there. It is not checked, so
    /// that values that an earlier release accepted stay readable.
    #[must_use]
    pub fn from_stored(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }

    /// Returns the domain in ASCII and lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for EmailDomain {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for EmailDomain {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::parse(&text)
    }
}

impl From<EmailDomain> for String {
    fn from(domain: EmailDomain) -> Self {
        domain.as_str().to_owned()
    }
}
