//! The paths of requests: the mount point of the dashboard, and the name of a change.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, NestedPath, OriginalUri, RawPathParams},
    http::request::Parts,
};

/// Returns the path at which the host has nested the dashboard, without a slash at its end.
///
/// It is the path of the request without the part that the dashboard's router sees. axum's
/// `NestedPath` is the host's pattern instead, in which `{tenant}` stands for a value.
pub(super) fn nested_path(parts: &Parts) -> &str {
    let inner = parts.uri.path();
    let outer = parts.extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri.path());
    let base = match inner {
        // The path of the list has no slash at its end.
        "" | "/" => outer,
        _ => outer.and_then(|outer| outer.strip_suffix(inner)),
    };
    // A host that rewrites paths in between leaves only the pattern.
    let pattern = || parts.extensions.get::<NestedPath>().map_or("", NestedPath::as_str);
    base.unwrap_or_else(pattern).trim_end_matches('/')
}

/// The name of a change, which is the last segment of the path. It is empty if the path has none, or
/// if the segment is not UTF-8.
#[derive(Debug)]
pub(super) struct ChangeName(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for ChangeName {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Ok(params) = RawPathParams::from_request_parts(parts, state).await else {
            return Ok(Self(String::new()));
        };
        // The last one: the path at which the host mounts the routes may have one of this name, too.
        let last = params.iter().filter(|(name, _)| *name == "change").last();
        Ok(Self(last.map_or_else(String::new, |(_, text)| text.to_owned())))
    }
}
