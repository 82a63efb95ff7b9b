//! Requests to the JSON API.

use axum::{
    body::Body,
    http::{Method, Request, request::Builder},
};
use serde_json::Value;

pub(crate) use crate::harness::{API as MOUNT, Answer, Harness};
use crate::harness::{request_to, with_json};

/// Builds a request to a path below the mount point. An empty `who` sends no token.
pub(crate) fn request(method: Method, who: &str, path: &str) -> Builder {
    request_to(MOUNT, method, who, path)
}

pub(crate) fn json(method: Method, who: &str, path: &str, body: &Value) -> Request<Body> {
    with_json(request(method, who, path), body)
}
