//! How recipients refuse reminders.

use std::{error::Error as StdError, fmt, time::Duration};

use async_trait::async_trait;
use invitation_core::{Email, FieldError, Invitation};
use url::Url;

/// The address by which a recipient refuses reminders: a value of the header
/// `List-Unsubscribe` (RFC 2369).
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_delivery as delivery; }
/// use invitation::delivery::mail::UnsubscribeUrl;
///
/// let url = UnsubscribeUrl::parse("https://example.com/stop?i=7")?;
/// assert_eq!(url.as_str(), "https://example.com/stop?i=7");
/// assert!(UnsubscribeUrl::parse("javascript:alert(1)").is_err());
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnsubscribeUrl(String);

impl UnsubscribeUrl {
    /// The maximum length, in bytes. A header line has at most 998 (RFC 5322, section 2.1.1).
    pub const MAX_BYTES: usize = 900;

    /// Parses an `https`, `http` or `mailto` URL.
    ///
    /// # Errors
    ///
    /// [`FieldError`] for any other text, or if the URL is longer than
    /// [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let invalid = |message: &str| FieldError::new("unsubscribe", message);
        let url = Url::parse(text).map_err(|_| invalid("must be a URL"))?;
        if !matches!(url.scheme(), "https" | "http" | "mailto") {
            return Err(invalid("must be an https, http or mailto address"));
        }
        let url = url.to_string();
        // The header puts it between angle brackets.
        if url.contains(['<', '>', ' ']) || !url.is_ascii() || url.len() > Self::MAX_BYTES {
            return Err(invalid("must be short, without brackets and spaces"));
        }
        Ok(Self(url))
    }

    /// Returns the URL in ASCII, without white space and angle brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The error of a host's list of recipients who refused reminders.
#[derive(Debug, thiserror::Error)]
#[error("it is unknown whether the recipient wants reminders")]
pub struct UnsubscribeError(#[source] Box<dyn StdError + Send + Sync>);

impl UnsubscribeError {
    /// Creates the error from its cause.
    #[must_use]
    pub fn new(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// The time within which the list of recipients who refused reminders must answer: 5 s.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The host's list of recipients who refused reminders.
#[async_trait]
pub trait Unsubscribe: fmt::Debug + Send + Sync {
    /// Returns the URL by which the recipient of this invitation refuses further reminders.
    fn url(&self, invitation: &Invitation) -> UnsubscribeUrl;

    /// Returns whether this recipient has refused reminders. None is then sent.
    ///
    /// The worker waits at most 5 s, and then drops the future: one
    /// list that does not answer must not hold up all mails.
    ///
    /// # Errors
    ///
    /// [`UnsubscribeError`] when this is unknown. The reminder is then tried again later.
    async fn is_unsubscribed(&self, recipient: &Email) -> Result<bool, UnsubscribeError>;

    /// Returns after `time`, by the timer of the host's runtime. The library, which has no
    /// runtime, bounds `is_unsubscribed` by it.
    async fn sleep(&self, time: Duration);
}
