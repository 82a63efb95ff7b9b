//! The webhooks that the example sends to its own receiver.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::host::{Host, Store, answer, text};

const RECEIVED: &str = "/api/demo/webhooks";

/// Reads what the receiver got until there is a message about an invitation of each of these types.
async fn received(host: &Host, invitation: &Value, types: &[&str]) -> Vec<Value> {
    for _ in 0..300 {
        let got = answer(host.ask_as("admin", Method::GET, RECEIVED)).await.is(200).json();
        let all = got["items"].as_array().expect("items");
        let about = all.iter().filter(|one| one["invitation"] == *invitation);
        let about: Vec<_> = about.rev().cloned().collect();
        if types.iter().all(|kind| about.iter().any(|one| one["type"] == *kind)) {
            return about;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the messages {types:?} did not arrive");
}

/// The events of an invitation arrive in their order, verified, also after a restart. The page and
/// the dashboard show them, and a message with a wrong signature is not accepted.
pub(crate) async fn events_arrive_signed_and_in_order(store: &Store) {
    let mut host = store.start().await;
    let invited = host.invite(json!({})).await;
    host.register(&text(&invited["code"]), "nina").await.is(201);
    let types = ["invitation.created", "invitation.redeemed"];
    let got = received(&host, &invited["id"], &types).await;
    let kinds: Vec<_> = got.iter().map(|one| one["type"].as_str().expect("a type")).collect();
    let order = types.map(|kind| kinds.iter().position(|one| *one == kind));
    assert!(order.is_sorted(), "{kinds:?}");
    assert!(!format!("{got:?}").contains(&text(&invited["code"])));

    let page = answer(host.ask_as("admin", Method::GET, "/webhooks")).await.is(200);
    page.says("invitation.redeemed").says(&text(&invited["id"]));
    let endpoint = "/api/invitations/webhooks/demonstration";
    let shown = answer(host.ask_as("admin", Method::GET, endpoint)).await.is(200).json();
    assert_eq!((&shown["state"], &shown["failure"]), (&json!("active"), &Value::Null));
    let dashboard = answer(host.ask_as("admin", Method::GET, "/invitations/webhooks")).await;
    dashboard.is(200).says("demonstration").says(">Active<");

    for path in [RECEIVED, "/webhooks"] {
        answer(host.ask_as("sales-manager", Method::GET, path)).await.problem(403, "forbidden");
        answer(host.ask(Method::GET, path)).await.problem(401, "unauthenticated");
    }
    let forged = host.ask(Method::POST, "/api/demo/webhooks/receiver").json(&json!({}));
    let forged = forged.header("webhook-id", "x").header("webhook-timestamp", "1800000000");
    let forged = answer(forged.header("webhook-signature", "v1,AAAA")).await;
    forged.problem(401, "unauthenticated");
    let large = host.ask(Method::POST, "/api/demo/webhooks/receiver").body("x".repeat(70_000));
    answer(large).await.problem(413, "too-large");

    host.kill();
    let host = store.start().await;
    let invited = host.invite(json!({})).await;
    received(&host, &invited["id"], &types[..1]).await;
}
