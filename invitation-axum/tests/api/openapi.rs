//! Tests of the OpenAPI document.

use axum::http::Method;
use serde_json::Value;

use crate::support::{Harness, with_every_route};

async fn document(harness: &Harness) -> Value {
    let request = axum::http::Request::get("/openapi.json").body(axum::body::Body::empty());
    let answer = harness.send(request.expect("a request")).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

#[tokio::test]
async fn the_document_is_the_committed_one() {
    // To update the snapshot: `INSTA_UPDATE=always cargo test -p invitation-axum --test
    // api`.
    insta::assert_json_snapshot!("openapi", document(&with_every_route()).await);
}

#[tokio::test]
async fn document_is_only_read() {
    for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
        let request = axum::http::Request::builder().method(method).uri("/openapi.json");
        let answer = with_every_route()
            .send(request.body(axum::body::Body::empty()).expect("a request"))
            .await;
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), "GET,HEAD");
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn every_operation_says_how_it_can_fail() {
    let document = document(&with_every_route()).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["security"], serde_json::json!([{"host": []}]));
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let named = format!("{method} {path}");
            assert!(operation["operationId"].is_string(), "{named}");
            let responses = operation["responses"].as_object().unwrap();
            for status in ["401", "403", "503"] {
                assert!(responses.contains_key(status), "{named}: {status}");
            }
            let may_be_missing = path.contains('{') || path.contains("/imports");
            assert!(may_be_missing == responses.contains_key("404"), "{named}");
            for (status, response) in responses {
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert_eq!(is_problem, status.as_str() >= "400", "{named}: {status}");
            }
        }
    }
    assert_eq!(operations, 37);
}

/// Every reference in the document resolves within it.
#[tokio::test]
async fn no_reference_leads_nowhere() {
    let document = document(&with_every_route()).await;
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                if let Some(Value::String(to)) = fields.get("$ref") {
                    let found = document.pointer(to.strip_prefix('#').unwrap());
                    assert!(found.is_some(), "{to}");
                }
                open.extend(fields.values());
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn it_is_served_to_everybody_and_only_read() {
    let harness = with_every_route();
    let request = axum::http::Request::builder().method(Method::POST).uri("/openapi.json");
    let answer = harness.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 405);
}
