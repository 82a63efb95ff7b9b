//! The page about a request that was not carried out.

use std::{future, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    body::{Body, Bytes},
    http::{Method, Request},
};
use invitation_axum::WebLimits;
use invitation_core::{
    Intercept, Interceptor, MemoryStore, Operation, StoreCall, StoreError, StoreErrorKind,
};

use crate::support::{Answer, Harness, MOUNT, request};

const RETRY: &str = "Nothing was lost. Please try again in a moment.";
const LOOK: &str = "Please look first whether it was done. Try again only if it was not.";

/// Posts a body of this type.
async fn post(harness: &Harness, path: &str, kind: &str, body: Body) -> Answer {
    let request = request(Method::POST, "admin", path).header("content-type", kind);
    harness.send(request.body(body).expect("a request")).await
}

#[tokio::test]
async fn request_that_cannot_be_read_is_answered_with_the_reason() {
    let form = "application/x-www-form-urlencoded";
    let upload = "multipart/form-data; boundary=b";
    let limits = WebLimits::default().with_body_time(Duration::from_millis(1));
    let harness = Harness::dashboard();
    let hasty = Harness::dashboard().with_web(|web| web.with_limits(limits));
    let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
    let import = post(&harness, "/import", upload, Body::from(vec![b'a'; 6_000_000])).await;
    let large = post(&harness, "/new", form, Body::from(vec![b'a'; 1_000_001])).await;
    let json = post(&harness, "/new", "application/json", Body::from("{}")).await;
    let late = post(&hasty, "/new", form, Body::from_stream(never)).await;
    let long = harness.get("admin", &format!("?search={}", "x".repeat(9_000))).await;
    let head = request(Method::GET, "admin", "").header("x-long", "x".repeat(17_000));
    let head: Request<Body> = head.body(Body::empty()).expect("a request");
    let head = harness.send(head).await;
    let method = request(Method::PUT, "admin", "/new").body(Body::empty()).expect("a request");
    let method = harness.send(method).await;
    for (answer, status, reason) in [
        (import, 413, "The body must not be larger than 5000000 bytes"),
        (large, 413, "The body must not be larger than 1000000 bytes"),
        (json, 415, "The body must be that of a form"),
        (late, 408, "The request took too long"),
        (long, 414, "URI too long"),
        (head, 431, "Headers too large"),
        (method, 405, "Method not allowed"),
    ] {
        let page = answer.is(status).says("<h1>That could not be read</h1>");
        page.says(&format!("<p>{reason}</p>")).says("<p>Go back, and try it once more.</p>");
    }
}

/// A store whose changes fail.
#[derive(Debug)]
struct FailingChanges(StoreErrorKind);

#[async_trait]
impl Interceptor for FailingChanges {
    async fn intercept(&self, of: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        if of == Operation::Insert {
            return Err(StoreError::new(self.0, "insert"));
        }
        _ = call.await;
        Ok(())
    }
}

/// A store that does not answer.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Interceptor for Silent {
    async fn intercept(&self, _: Operation, _: StoreCall<'_>) -> Result<(), StoreError> {
        future::pending().await
    }
}

const NEW: [(&str, &str); 3] = [("role", "staff"), ("division", "sales"), ("key", "once")];

#[tokio::test]
async fn failure_with_an_unknown_outcome_has_advice_of_its_own() {
    for (kind, advice, other) in
        [(StoreErrorKind::OutcomeUnknown, LOOK, RETRY), (StoreErrorKind::Unavailable, RETRY, LOOK)]
    {
        let store = Arc::new(Intercept::new(MemoryStore::new(), FailingChanges(kind)));
        let harness = Harness::on(MOUNT, store);
        let page = harness.post_form("admin", "/new", &NEW).await.is(503);
        let page = page.says(advice).says_nothing_of(other);
        let is_unknown = page.text().contains("<p>Whether it was done is unknown</p>");
        assert_eq!(is_unknown, advice == LOOK, "{}", page.text());
    }
}

#[tokio::test]
async fn change_that_takes_too_long_has_an_unknown_outcome() {
    let limits = WebLimits::default().with_request_time(Duration::from_millis(1));
    let store = Arc::new(Intercept::new(MemoryStore::new(), Silent));
    let harness = Harness::on(MOUNT, store).with_web(|web| web.with_limits(limits));
    let page = harness.post_form("admin", "/new", &NEW).await.is(503).says(LOOK);
    page.says("<p>It took too long, and whether it was done is unknown</p>");
    // A page that only shows something has no outcome.
    harness.get("admin", "").await.is(503).says(RETRY).says_nothing_of("unknown");
}
