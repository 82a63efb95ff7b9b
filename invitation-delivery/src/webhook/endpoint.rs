//! Endpoints: the receivers of webhooks.

use std::fmt;

use invitation_core::{
    Division, FieldError, Timestamp,
    audit::EventId,
    documents::DocumentName,
    feed::{CursorName, FeedPosition},
    webhook::EndpointState,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::stored::CURSORS;

/// The longest URL, in bytes.
const MAX_URL: usize = 2_048;

/// The longest name, in bytes: the name of the endpoint's cursor contains it.
const MAX_NAME: usize = CursorName::MAX_BYTES - CURSORS.len();

/// A receiver of webhooks that is to be registered.
///
/// ```
/// # mod invitation { pub use invitation_delivery as delivery; }
/// use invitation::delivery::webhook::NewEndpoint;
///
/// assert!(NewEndpoint::new("crm", "https://crm.example/hooks").is_ok());
/// let refused = NewEndpoint::new("crm", "ftp://crm.example/").unwrap_err();
/// assert_eq!(refused.to_string(), "url: must begin with https:// or http://");
/// ```
#[derive(Clone)]
pub struct NewEndpoint {
    pub(super) name: DocumentName,
    pub(super) url: Url,
    pub(super) division: Option<Division>,
    pub(super) since: Option<Timestamp>,
    pub(super) names: bool,
}

impl NewEndpoint {
    /// Creates an endpoint with the name by which the host refers to it. It gets the events of all
    /// divisions from its registration on.
    ///
    /// The URL may contain a secret of the receiver in its path or query. It is stored readable,
    /// and neither errors nor `Debug` show more than its host.
    ///
    /// # Errors
    ///
    /// [`FieldError`] when the name cannot be a [`DocumentName`], is `.` or `..`, or is longer than
    /// 56 bytes, or when the URL
    ///
    /// - is malformed, or longer than 2,048 bytes;
    /// - begins with neither `https` nor `http`, which [`Addresses`](super::Addresses) restrict;
    /// - contains a user, a password or a fragment.
    pub fn new(name: impl AsRef<str>, url: &str) -> Result<Self, FieldError> {
        Self::checked(name.as_ref(), url).map_err(|mut errors| errors.swap_remove(0))
    }

    /// Creates an endpoint, or returns all errors: at least one.
    pub(super) fn checked(name: &str, url: &str) -> Result<Self, Vec<FieldError>> {
        match (checked_name(name), checked_url(url)) {
            (Ok(name), Ok(url)) => {
                Ok(Self { name, url, division: None, since: None, names: false })
            }
            (name, url) => Err(name.err().into_iter().chain(url.err()).collect()),
        }
    }

    /// Restricts the endpoint to the events of one division.
    #[must_use]
    pub fn in_division(self, division: Division) -> Self {
        Self { division: Some(division), ..self }
    }

    /// Sets the time from which on the endpoint gets events, by the clock of the service that
    /// writes them. It may lie in the past.
    #[must_use]
    pub fn with_events_since(self, since: Timestamp) -> Self {
        Self { since: Some(since), ..self }
    }

    /// Adds the names of users and the source of the request to the messages. Without them, a
    /// message names users by their ids only.
    #[must_use]
    pub fn with_names(self) -> Self {
        Self { names: true, ..self }
    }
}

impl fmt::Debug for NewEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("NewEndpoint");
        shown.field("name", &self.name).field("host", &self.url.host_str());
        shown.field("division", &self.division).field("since", &self.since);
        shown.field("names", &self.names).finish()
    }
}

fn checked_name(text: &str) -> Result<DocumentName, FieldError> {
    if text.len() > MAX_NAME {
        return Err(FieldError::new("name", format!("must have at most {MAX_NAME} bytes")));
    }
    // As a segment of a path it would mean another page.
    if matches!(text, "." | "..") {
        return Err(FieldError::new("name", "must not consist of dots"));
    }
    DocumentName::new(text)
}

fn checked_url(text: &str) -> Result<Url, FieldError> {
    let wrong = |message| Err(FieldError::new("url", message));
    if text.len() > MAX_URL {
        return wrong("must have at most 2048 bytes");
    }
    let Ok(url) = Url::parse(text) else { return wrong("must be an absolute URL") };
    if !matches!(url.scheme(), "https" | "http") {
        return wrong("must begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must contain neither a user nor a password");
    }
    if url.fragment().is_some() {
        return wrong("must contain no fragment");
    }
    // Escapes can make a URL longer than its text.
    if url.as_str().len() > MAX_URL {
        return wrong("must have at most 2048 bytes");
    }
    Ok(url)
}

/// A registered receiver of webhooks.
#[derive(Clone)]
#[non_exhaustive]
pub struct Endpoint {
    /// The name of the endpoint.
    pub name: DocumentName,
    /// The URL that gets the messages.
    pub url: String,
    /// The division whose events the endpoint gets; none if it gets all.
    pub division: Option<Division>,
    /// The time from which on the endpoint gets events.
    pub since: Timestamp,
    /// Whether the messages contain names.
    pub has_names: bool,
    /// Whether the endpoint gets messages. If it is stopped, the last attempt for an event has
    /// failed, and the endpoint waits for a person: [`retry`](super::Webhooks::retry) or
    /// [`skip`](super::Webhooks::skip). If it is disabled, [`enable`](super::Webhooks::enable) lets
    /// it go on.
    pub state: EndpointState,
    /// The position of the last event of the feed that the endpoint has accepted, or does not get;
    /// none before the first.
    pub position: Option<FeedPosition>,
    /// The time of the last message that the receiver accepted; none before the first.
    pub last_success: Option<Timestamp>,
    /// The event whose last attempt failed; none if no attempt has failed since the last success.
    pub failure: Option<Failure>,
    /// The time of the next attempt; none if the endpoint is stopped or disabled.
    pub next_attempt: Option<Timestamp>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = Url::parse(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let mut shown = f.debug_struct("Endpoint");
        shown.field("name", &self.name).field("host", &host).field("division", &self.division);
        shown.field("state", &self.state).field("failure", &self.failure);
        shown.field("next_attempt", &self.next_attempt).finish_non_exhaustive()
    }
}

/// An event that an endpoint has not accepted yet. It blocks the events behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The id of the event.
    pub event: EventId,
    /// The number of failed attempts.
    pub attempts: u32,
    /// The time of the first failed attempt.
    pub since: Timestamp,
    /// The time of the last attempt.
    pub at: Timestamp,
    /// The cause of the last failure.
    pub cause: FailureCause,
}

/// The cause of a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureCause {
    /// The receiver answered with this status. Only 200 to 299 accept an event; a redirect is not
    /// followed.
    Status(u16),
    /// The receiver did not answer in time.
    TimedOut,
    /// The host of the URL has no address that webhooks may connect to. See
    /// [`Addresses`](super::Addresses).
    AddressNotAllowed,
    /// No connection: the name was not found, the receiver does not listen, or its certificate was
    /// not accepted.
    NotConnected,
    /// The connection broke, or the answer was not HTTP.
    Broken,
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the receiver answered with status {status}"),
            Self::TimedOut => f.write_str("the receiver did not answer in time"),
            Self::AddressNotAllowed => f.write_str("the address is not allowed"),
            Self::NotConnected => f.write_str("no connection to the receiver"),
            Self::Broken => f.write_str("the connection to the receiver broke"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsuitable_url_is_refused_by_the_name_of_the_field() {
        let long = format!("https://a.example/{}", "ä".repeat(1_000));
        for url in [
            "",
            "crm.example",
            "/hooks",
            "ftp://a.example/",
            "file:///etc/passwd",
            "https://",
            "https://user@a.example/",
            "https://:pass@a.example/",
            "https://a.example/#x",
            &long,
        ] {
            assert_eq!(NewEndpoint::new("crm", url).unwrap_err().field(), "url", "{url}");
        }
        let long = "n".repeat(MAX_NAME + 1);
        for name in ["", ".", "..", &*long] {
            assert_eq!(NewEndpoint::new(name, "https://a.example/").unwrap_err().field(), "name");
        }
        assert!(NewEndpoint::new(&long[1..], "https://a.example/").is_ok());
    }

    #[test]
    fn debug_shows_the_host_and_no_secret_in_the_path() {
        let endpoint = NewEndpoint::new("crm", "https://a.example/T0KEN?k=T0KEN").unwrap();
        let shown = format!("{endpoint:?}");
        assert!(shown.contains("a.example") && !shown.contains("T0KEN"), "{shown}");
    }
}
