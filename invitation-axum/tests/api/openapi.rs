//! Tests of the OpenAPI document.

use std::num::NonZeroU32;

use axum::http::Method;
use invitation_core::Limits;
use serde_json::{Value, json};
use time::Duration;

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
            for status in ["400", "401", "403", "414", "422", "431", "503"] {
                assert!(responses.contains_key(status), "{named}: {status}");
            }
            let may_be_missing = path.contains('{') || path.contains("/imports");
            assert!(may_be_missing == responses.contains_key("404"), "{named}");
            for (status, response) in responses {
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert_eq!(is_problem, status.as_str() >= "400", "{named}: {status}");
                for (header, statuses) in
                    [("Retry-After", &["429", "503"][..]), ("WWW-Authenticate", &["401"])]
                {
                    let has_header = response["headers"][header].is_object();
                    let expected = statuses.contains(&status.as_str());
                    assert_eq!(has_header, expected, "{named}: {status}: {header}");
                }
            }
            // A body may be refused by its type and size, and a code may not be kept.
            for (is_such, status) in [
                (operation["requestBody"].is_object(), "413"),
                (operation["requestBody"].is_object(), "415"),
                (path.ends_with("/copy"), "409"),
            ] {
                assert!(!is_such || responses.contains_key(status), "{named}: {status}");
            }
        }
    }
    assert_eq!(operations, 37);
}

#[tokio::test]
async fn limits_of_the_host_are_described() {
    let schemas = |document: &Value| document["components"]["schemas"].clone();
    let rows = |document: &Value| {
        let body = &document["paths"]["/api/invitations/bulk"]["post"]["requestBody"];
        (
            body["content"]["application/json"]["schema"]["maxItems"].clone(),
            body["description"].clone(),
        )
    };
    let defaults = document(&Harness::api()).await;
    let new = &schemas(&defaults)["NewInvitation"];
    assert_eq!(new["additionalProperties"], false);
    let days = &new["properties"]["expires_in_days"];
    assert_eq!((&days["minimum"], &days["maximum"]), (&json!(1), &json!(365)));
    assert_eq!(new["properties"]["max_uses"]["maximum"], 100_000);
    assert_eq!(rows(&defaults), (json!(1_000), json!("1 to 1000 rows.")));

    let limits = Limits::default()
        .with_lifetimes(Duration::hours(25), Duration::days(3), Duration::days(30))
        .expect("limits")
        .with_max_uses(NonZeroU32::MIN.saturating_add(4))
        .with_batch(NonZeroU32::MIN.saturating_add(49));
    let harness = Harness::api().with_service(|service| service.with_limits(limits));
    let own = document(&harness).await;
    let schemas = schemas(&own);
    let new = &schemas["NewInvitation"]["properties"];
    let days = &new["expires_in_days"];
    assert_eq!((&days["minimum"], &days["maximum"]), (&json!(2), &json!(30)));
    assert_eq!(new["max_uses"]["maximum"], 5);
    assert_eq!(rows(&own), (json!(50), json!("1 to 50 rows.")));
    for (schema, also) in [("NewInvitation", "3d from now"), ("Amendment", "")] {
        let text = &schemas[schema]["properties"]["expires_at"]["description"];
        let text = text.as_str().expect("a text");
        assert!(text.contains("30d from now") && text.contains(also), "{text}");
        assert!(!text.contains("365"), "{text}");
    }
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
