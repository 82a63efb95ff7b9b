//! Requests to the dashboard.

use axum::http::{Method, request::Builder};

use crate::harness::request_to;
pub(crate) use crate::harness::{Answer, DASHBOARD as MOUNT, Harness, person};

/// Builds a request to a path below the mount point. An empty `who` sends no user.
pub(crate) fn request(method: Method, who: &str, path: &str) -> Builder {
    request_to(MOUNT, method, who, path)
}
