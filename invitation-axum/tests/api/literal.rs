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
async fn metadata_that_would_be_kept_otherwise_is_refused() {
    let harness = Harness::api();
    for metadata in [
        "{\"id\": 18446744073709551616}",
        "{\"id\": [-9223372036854775809]}",
        "{\"id\": 1, \"id\": 2}",
        "{\"a\": {\"id\": 1, \"id\": 1}}",
    ] {
        let draft = with(&format!("\"metadata\": {metadata}"));
        send(&harness, "", "application/json", draft.clone()).await.invalid(&["/metadata"]);
        let rows = format!("[{draft}]");
        send(&harness, "/bulk", "application/json", rows).await.invalid(&["/0/metadata"]);
        let cell = metadata.replace('"', "\"\"");
        let file = format!("role,division,metadata\nstaff,sales,\"{cell}\"\n");
        send(&harness, "/bulk", "text/csv", file).await.invalid(&["/2/metadata"]);
    }
    let metadata = "{\"id\":18446744073709551615,\"text\":\"18446744073709551616\"}";
    let draft = with(&format!("\"metadata\": {metadata}"));
    let created = send(&harness, "", "application/json", draft).await.is(201);
    assert!(created.text().contains(metadata), "{}", created.text());
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
