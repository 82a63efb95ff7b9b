//! Requests to the JSON API.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, Request, request::Builder},
};
use invitation_core::MemoryStore;
use invitation_delivery::webhook::{Transport, Webhooks};
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

/// Returns a host with every route.
pub(crate) fn with_every_route() -> Harness {
    let store = Arc::new(MemoryStore::new());
    let harness = Harness::on(MOUNT, Arc::<MemoryStore>::clone(&store));
    add_every_route(harness, &store)
}

/// Adds the routes of further parts of a host. `store` is that of the host's service.
pub(crate) fn add_every_route(harness: Harness, store: &Arc<MemoryStore>) -> Harness {
    let webhooks = Webhooks::new(Arc::clone(store), &Transport::default()).expect("a client");
    let store = || Arc::<MemoryStore>::clone(store);
    harness.with_web(|web| {
        web.with_deliveries(store()).with_funnel(store(), store()).with_webhooks(webhooks)
    })
}
