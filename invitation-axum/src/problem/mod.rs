//! Errors as clients get them, in the format of RFC 9457.

mod kind;
mod table;

use std::{borrow::Cow, time::Duration};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::kind::ProblemKind;

/// The end of the detail of a problem after which it is unknown whether a change was made.
pub(crate) const OUTCOME_UNKNOWN: &str = "whether it was done is unknown";

/// An error response: an `application/problem+json` (RFC 9457) whose `type` is
/// `urn:invitation:problem:<name>`.
///
/// [`of`](Self::of) translates errors of the service for users who manage invitations,
/// [`of_redeeming`](Self::of_redeeming) for the new user who holds a code. Neither ever
/// reveals a code or the address that it is for.
///
/// A response that was made from a problem carries it among its extensions. A host can
/// use it, as the dashboard does, to show the problem in another way.
///
/// ```
/// # mod invitation { pub use invitation_axum as web; }
/// use axum::response::IntoResponse;
/// use invitation::web::{Problem, ProblemKind};
///
/// let response = Problem::new(ProblemKind::NotFound).into_response();
/// assert_eq!(response.status(), 404);
/// assert_eq!(response.headers()["content-type"], "application/problem+json");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Problem {
    kind: ProblemKind,
    detail: Option<Cow<'static, str>>,
    errors: Vec<InputError>,
    retry_after: Option<Duration>,
}

/// A value that was not accepted, and its location in the request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[non_exhaustive]
pub struct InputError {
    /// The part of the request that holds the value.
    #[serde(rename = "in")]
    pub place: Place,
    /// JSON pointer (RFC 6901) to the value: within the body, or `/` and the name of the
    /// parameter or header.
    #[schema(example = "/email")]
    pub pointer: String,
    /// The reason why the value was not accepted.
    #[schema(example = "must be one e-mail address, as in anna@example.com")]
    pub message: String,
}

/// A part of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// The body of the request.
    Body,
    /// The query string of the request.
    Query,
    /// A header of the request.
    Header,
}

impl InputError {
    /// Returns the error of a value in the body, by its JSON pointer.
    ///
    /// Pointer and message are shortened if they are long: they may repeat text that a
    /// client sent.
    #[must_use]
    pub fn in_body(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Place::Body, pointer.into(), message.into())
    }

    /// Returns the error of the query parameter of this name.
    #[must_use]
    pub fn in_query(name: &str, message: impl Into<String>) -> Self {
        Self::new(Place::Query, pointer_to(name), message.into())
    }

    /// Returns the error of the header of this name.
    #[must_use]
    pub fn in_header(name: &str, message: impl Into<String>) -> Self {
        Self::new(Place::Header, pointer_to(name), message.into())
    }

    fn new(place: Place, pointer: String, message: String) -> Self {
        Self { place, pointer: cut(pointer, MAX_POINTER), message: cut(message, MAX_MESSAGE) }
    }
}

/// The longest pointer and message of an error, in bytes.
const MAX_POINTER: usize = 256;
const MAX_MESSAGE: usize = 512;

/// The largest number of errors that one problem lists. Without a limit, a small request
/// could produce a large response. A client that has fixed a hundred errors sends the
/// request again anyway.
const MAX_ERRORS: usize = 100;

/// Cuts a text that is longer than `max` bytes, and marks the cut with an ellipsis.
fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        let end = (0..=max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// Returns the JSON pointer to a name at the top level.
pub(crate) fn pointer_to(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The body of every error.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// The kind of the problem, as a URN that never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:invitation:problem:not-found")]
    kind: String,
    /// A short description of the kind.
    #[schema(example = "Not found")]
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The details of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<&'a str>,
    /// All values that were not accepted.
    #[serde(skip_serializing_if = "<[InputError]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [InputError],
}

impl Problem {
    /// Creates a problem of this kind, without further details.
    pub const fn new(kind: ProblemKind) -> Self {
        Self { kind, detail: None, errors: Vec::new(), retry_after: None }
    }

    /// Sets the details of this occurrence. The client gets them.
    pub fn with_detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Creates a problem (422) about values that are well formed but not valid. It lists
    /// the first 100, and its detail gives the number of the rest.
    pub fn invalid(errors: impl IntoIterator<Item = InputError>) -> Self {
        let mut errors = errors.into_iter();
        let listed = errors.by_ref().take(MAX_ERRORS).collect();
        let problem = Self { errors: listed, ..Self::new(ProblemKind::Invalid) };
        match errors.count() {
            0 => problem,
            more => problem.with_detail(format!("and {more} more")),
        }
    }

    /// Marks the errors as being about parameters of the query.
    pub(crate) fn about_the_query(self) -> Self {
        self.about(Place::Query)
    }

    /// Marks the errors as being about fields of the body.
    pub(crate) fn about_the_body(self) -> Self {
        self.about(Place::Body)
    }

    fn about(mut self, place: Place) -> Self {
        for error in &mut self.errors {
            error.place = place;
        }
        self
    }

    /// Sets the time after which the client may try again, in whole seconds: rounded up, and at
    /// least 1. The header `Retry-After` has it.
    pub fn with_retry_after(self, wait: Duration) -> Self {
        // A client that waits for it must not be refused again.
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        Self { retry_after: Some(Duration::from_secs(seconds.max(1))), ..self }
    }

    /// Returns the kind of the problem.
    #[must_use]
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// Returns the details of this occurrence.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Returns the time after which the client may try again, in whole seconds, if it is known. A host that shows the
    /// problem on a page of its own sends it as `Retry-After`, as the problem's own response does.
    ///
    /// ```
    /// # mod invitation { pub use invitation_axum as web; }
    /// use std::time::Duration;
    ///
    /// use invitation::web::{Problem, ProblemKind};
    ///
    /// let problem = Problem::new(ProblemKind::Unavailable);
    /// assert_eq!(problem.retry_after(), None);
    /// let problem = problem.with_retry_after(Duration::from_secs(5));
    /// assert_eq!(problem.retry_after(), Some(Duration::from_secs(5)));
    /// ```
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the values that were not accepted.
    #[must_use]
    pub fn errors(&self) -> &[InputError] {
        &self.errors
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let body = ProblemBody {
            kind: self.kind.urn(),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: self.detail(),
            errors: &self.errors,
        };
        // Strings and numbers can always be serialized.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, content_type, body).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        if self.kind == ProblemKind::Unauthenticated {
            // RFC 9110, 11.6.1: a 401 names a way to sign in. Only the host knows the
            // real one.
            let challenge = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (59_200, "60")] {
            let problem = Problem::new(ProblemKind::TooManyRequests);
            let problem = problem.with_retry_after(Duration::from_millis(millis));
            let wait = problem.retry_after().expect("a wait");
            assert_eq!(wait.as_secs().to_string(), seconds);
            let response = problem.into_response();
            assert_eq!(response.headers()["retry-after"], seconds, "{millis} ms");
        }
    }
}
