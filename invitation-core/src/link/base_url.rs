//! The public URL of the host, from which links are built.

use std::{fmt, str::FromStr};

use url::Url;

use crate::field_error::FieldError;

/// The public URL of the host, as in `https://example.com` or
/// `https://example.com/app`. It is configured and never taken from a request.
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::delivery::BaseUrl;
///
/// let base = BaseUrl::parse("https://Example.com/app/")?;
/// assert_eq!(base.to_string(), "https://example.com/app");
/// assert_eq!(base.origin(), "https://example.com");
/// assert!(BaseUrl::parse("javascript:alert(1)").is_err());
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseUrl {
    origin: String,
    path: String,
}

impl BaseUrl {
    /// Parses an `http` or `https` URL without user, query and fragment.
    ///
    /// # Errors
    ///
    /// [`FieldError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let invalid = || {
            FieldError::new(
                "base_url",
                "must be an http or https address without query and fragment",
            )
        };
        let url = Url::parse(text).map_err(|_| invalid())?;
        let bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare || !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid());
        }
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Returns scheme, host and port, as browsers write them in `Origin`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

impl FromStr for BaseUrl {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_taken() {
        for text in [
            "",
            "example.com",
            "//example.com",
            "ftp://example.com",
            "data:text/html,hi",
            "https://anna@example.com",
            "https://example.com?a=b",
            "https://example.com/#a",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_port_is_kept_unless_it_goes_without_saying() {
        let origin = |text: &str| BaseUrl::parse(text).unwrap().origin().to_owned();
        assert_eq!(origin("http://127.0.0.1:3000/"), "http://127.0.0.1:3000");
        assert_eq!(origin("https://example.com:443"), "https://example.com");
    }
}
