//! Log output at every level: it contains no code, address or token, and no text that a
//! user typed.

use axum::{body::Body, http::Method};
use invitation_testkit::Log;
use serde_json::json;
use tracing_subscriber::{filter::LevelFilter, fmt::format::FmtSpan};

use crate::support::{Harness, json, request};

#[tokio::test]
async fn no_secret_gets_into_a_span_or_a_line() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(log.writer())
        .with_ansi(false)
        .finish();
    // The subscriber covers the whole test program, so the log contains the output of
    // other tests, too.
    tracing::subscriber::set_global_default(subscriber).expect("the only one");

    let harness = Harness::api();
    let bound =
        json!({"email": "canary.mailbox@example.com", "role": "staff", "division": "sales"});
    let created = harness.create("admin", &bound).await;
    let (id, code) = (created["id"].as_str().unwrap(), created["code"].as_str().unwrap());
    harness.get("admin", &format!("/{id}")).await;
    harness.post_json("admin", &format!("/{id}/copy"), &json!({})).await;
    let rotated = harness.post_json("admin", &format!("/{id}/rotate"), &json!({})).await.json();
    let new = rotated["code"].as_str().unwrap();
    // Users put codes where they do not belong.
    for path in [format!("?search={new}"), format!("/{new}"), format!("?code={new}")] {
        harness.get("admin", &path).await;
    }
    harness.post_json("admin", "", &json!({"email": new, "role": new})).await;
    let revoke = format!("/{id}/revoke");
    harness.post_json("admin", &revoke, &json!({"reason": format!("leaked {new}")})).await;
    let keyed = json(Method::POST, "admin", "/bulk", &json!([bound, {"email": code}]));
    harness.send(keyed).await;
    let stranger = request(Method::GET, "canary-token", "").header("cookie", "s=canary-cookie");
    let last = harness.send(stranger.body(Body::empty()).unwrap()).await;

    let logged = log.text();
    assert!(logged.contains(last.header("x-request-id")), "requests are logged");
    let bare = |code: &str| code.replace('-', "");
    for secret in [code, new, &bare(code), &bare(new), "canary"] {
        assert!(!logged.contains(secret), "{secret} in the log");
    }
}
