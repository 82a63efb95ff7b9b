//! Whole HTTP responses, and what tests assert of them.

use http::{HeaderMap, StatusCode, response::Parts};
use serde_json::Value;

/// A whole response to an HTTP request.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests name all of it")]
pub struct Answer {
    /// The status of the response.
    pub status: StatusCode,
    /// The headers of the response.
    pub headers: HeaderMap,
    /// The body of the response.
    pub bytes: Vec<u8>,
}

#[expect(clippy::missing_panics_doc, reason = "these are assertions of tests")]
#[expect(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "an assertion needs no result"
)]
impl Answer {
    /// Returns the response of these parts.
    #[must_use]
    pub fn new(parts: Parts, bytes: impl Into<Vec<u8>>) -> Self {
        Self { status: parts.status, headers: parts.headers, bytes: bytes.into() }
    }

    /// Returns the body, which must be UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        str::from_utf8(&self.bytes).expect("text")
    }

    /// Returns the value of a header, which is empty if the response does not have it.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Asserts the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// Asserts that the body contains a text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.text().contains(text), "{text} is not in {}", self.text());
        self
    }

    /// Asserts that the body does not contain a text.
    #[track_caller]
    pub fn says_nothing_of(self, text: &str) -> Self {
        assert!(!self.text().contains(text), "{text} is in {}", self.text());
        self
    }

    /// Asserts that the response is a redirect to be followed by GET, and returns its
    /// target.
    #[track_caller]
    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text());
        self.header("location")
    }

    /// Asserts that the body is JSON, and returns it. The media type of an error must be
    /// that of a problem.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        let is_error = self.status.is_client_error() || self.status.is_server_error();
        let kind = if is_error { "application/problem+json" } else { "application/json" };
        assert_eq!(self.header("content-type"), kind, "{} {}", self.status, self.text());
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    /// Asserts that the response is this problem, with the same status in its body as in
    /// its head, and returns its JSON.
    #[track_caller]
    pub fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{} {self:?}", self.text());
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:invitation:problem:{name}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        problem
    }

    /// Asserts that exactly these fields, in this order, were not accepted.
    #[track_caller]
    pub fn invalid(&self, pointers: &[&str]) -> Value {
        let problem = self.problem(422, "invalid");
        let errors = problem["errors"].as_array().expect("errors");
        let found: Vec<_> = errors.iter().map(|e| e["pointer"].as_str().expect("text")).collect();
        assert_eq!(found, pointers, "{problem}");
        problem
    }
}
