//! The ids of resources in the path: an extractor, the response for an id of nothing, and the path of a
//! new resource.

use std::{convert::Infallible, fmt};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderValue, Uri, header, request::Parts},
    response::Response,
};
use invitation_core::{
    BatchId, Error, InvitationId, Refusal, delivery::DeliveryId, documents::DocumentName,
};

use crate::problem::{Problem, ProblemKind};

/// The id of a resource that has a path of its own.
pub(crate) trait ResourceId: Sized {
    /// The name of the parameter in the path.
    const PARAMETER: &'static str;

    /// Reads the id; `None` if no id has this text.
    fn read(text: &str) -> Option<Self>;

    /// Returns an id that no resource ever has. For a UUID it is the nil one, which has no version.
    fn unissued() -> Self;

    /// Returns the response for a resource that does not exist or is out of reach, and for an id
    /// that cannot exist.
    fn not_found() -> Problem;

    /// Translates an error about this resource. The core refuses a call about any kind of missing
    /// resource in the same way.
    fn problem(error: Error) -> Problem {
        match error.refusal() {
            Some(Refusal::NotFound) => Self::not_found(),
            _ => error.into(),
        }
    }
}

impl ResourceId for InvitationId {
    const PARAMETER: &'static str = "id";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn unissued() -> Self {
        Self::from_bytes([0; 16])
    }

    fn not_found() -> Problem {
        Problem::no_such_invitation()
    }
}

impl ResourceId for BatchId {
    const PARAMETER: &'static str = "import";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn unissued() -> Self {
        Self::from_bytes([0; 16])
    }

    fn not_found() -> Problem {
        Problem::new(ProblemKind::NotFound)
    }
}

impl ResourceId for DeliveryId {
    const PARAMETER: &'static str = "delivery";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn unissued() -> Self {
        Self::from_bytes([0; 16])
    }

    fn not_found() -> Problem {
        Problem::new(ProblemKind::NotFound).with_detail("there is no such delivery")
    }
}

/// The name of an endpoint of webhooks.
impl ResourceId for DocumentName {
    const PARAMETER: &'static str = "endpoint";

    fn read(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }

    fn unissued() -> Self {
        // A new name is not empty.
        Self::from_stored("")
    }

    fn not_found() -> Problem {
        Problem::new(ProblemKind::NotFound).with_detail("there is no such endpoint")
    }
}

/// The id of a resource in the path; `None` if the path has no such parameter, or if its text is
/// not an id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathId<T = InvitationId>(pub(crate) Option<T>);

impl<T: ResourceId> PathId<T> {
    /// Returns the id, or the problem 404 if there is none.
    pub(crate) fn id(self) -> Result<T, Problem> {
        self.0.ok_or_else(T::not_found)
    }

    /// Returns the id, or one that no resource ever has. The core refuses a call about that one in the
    /// order of its checks: a value that is not valid, and a role that the actor may not grant, come
    /// before 404.
    pub(crate) fn or_unissued(self) -> T {
        self.0.unwrap_or_else(T::unissued)
    }
}

impl<S: Send + Sync, T: ResourceId> FromRequestParts<S> for PathId<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Ok(params) = RawPathParams::from_request_parts(parts, state).await else {
            return Ok(Self(None));
        };
        // The last one: the path at which the host mounts the routes may have one of this name, too.
        let last = params.iter().filter(|(name, _)| *name == T::PARAMETER).last();
        Ok(Self(last.and_then(|(_, text)| T::read(text))))
    }
}

/// Sets the header `Location` to the path of a new resource, which is one segment below the path of the
/// request.
pub(crate) fn set_location(response: &mut Response, request: &Uri, segment: impl fmt::Display) {
    let path = format!("{}/{segment}", request.path().trim_end_matches('/'));
    if let Ok(path) = HeaderValue::from_str(&path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
}
