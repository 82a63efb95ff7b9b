//! Bodies whose exact text matters: encodings, numbers, repeated keys and times.

use axum::{body::Body, http::Method};
use serde_json::json;

use crate::support::{Answer, Harness, request};

async fn send(harness: &Harness, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
    let request = request(Method::POST, "admin", path).header("content-type", kind);
    harness.send(request.body(body.into()).expect("a request")).await
}

/// Returns a new invitation of sales with one more field, as JSON.
fn with(field: &str) -> String {
    format!("{{\"role\": \"staff\", \"division\": \"sales\", {field}}}")
}

#[tokio::test]
async fn time_without_a_t_between_date_and_time_is_refused() {
    let harness = Harness::api();
    for separator in ["x", "-", " ", "\\u0000"] {
        let draft = with(&format!("\"expires_at\": \"2027-02-01{separator}08:00:00Z\""));
        send(&harness, "", "application/json", draft).await.invalid(&["/expires_at"]);
    }
    let draft = with("\"expires_at\": \"2027-02-01t08:00:00z\"");
    let created = send(&harness, "", "application/json", draft).await.is(201).json();
    assert_eq!(created["expires_at"], json!("2027-02-01T08:00:00Z"));
}
