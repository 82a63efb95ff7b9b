//! Tests of sending all invitations of a filter again.

use std::num::NonZeroU32;

use axum::{body::Body, http::Method};
use invitation_core::Limits;
use invitation_testkit::Answer;
use serde_json::{Value, json};

use crate::{deliveries::Host, support};

/// Creates a batch of invitations of sales, and returns its id and theirs.
async fn batch_of(host: &Host, addresses: &[Value]) -> (Value, Vec<String>) {
    let row = |email| json!({"email": email, "division": "sales", "role": "staff"});
    let rows: Vec<_> = addresses.iter().map(row).collect();
    let bulk = host.harness.post_json("admin", "/bulk", &json!(rows)).await.json();
    let results = bulk["results"].as_array().expect("results").iter();
    let ids = results.map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
    (bulk["batch"].clone(), ids)
}

async fn resend_under(host: &Host, key: &str, body: &Value) -> Answer {
    let request = support::request(Method::POST, "admin", "/resend");
    let request = request.header("content-type", "application/json");
    let request = request.header("idempotency-key", key);
    host.harness.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

#[tokio::test]
async fn batch_is_sent_again_page_by_page_and_each_left_out_has_its_reason() {
    let host = Host::new();
    let addresses = [json!("a@example.com"), json!(null), json!("c@example.com")];
    let (batch, ids) = batch_of(&host, &addresses).await;
    let revoke = format!("/{}/revoke", ids[2]);
    host.harness.post_json("admin", &revoke, &json!({})).await.is(200);

    // The whole twice, as after a lost answer: under the same key it is the same.
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let (mut items, mut cursor, mut requests) = (Vec::new(), json!(null), 0);
        loop {
            let body = json!({"batch": batch, "limit": 2, "cursor": cursor});
            let page = resend_under(&host, "k-1", &body).await.is(200).json();
            items.extend(page["items"].as_array().expect("items").clone());
            (cursor, requests) = (page["next_cursor"].clone(), requests + 1);
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!((items.len(), requests), (3, 2));
        rounds.push(items);
    }
    assert_eq!(rounds[0], rounds[1]);
    let of = |id: &str| rounds[0].iter().find(|item| item["invitation"] == id).expect("an item");
    let queued = of(&ids[0]);
    assert_eq!((&queued["outcome"], &queued["problem"]), (&json!("queued"), &Value::Null));
    let state = (&queued["delivery"]["state"], &queued["delivery"]["purpose"]);
    assert_eq!(state, (&json!("queued"), &json!("resent")));
    for (id, detail) in [
        (&ids[1], "the invitation is not for an address"),
        (&ids[2], "the invitation has been revoked"),
    ] {
        let item = of(id);
        assert_eq!((&item["outcome"], &item["delivery"]), (&json!("left_out"), &Value::Null));
        let problem = json!({
            "type": "urn:invitation:problem:conflict", "detail": detail, "retry_after": null,
        });
        assert_eq!(item["problem"], problem);
    }
    assert_eq!(host.deliveries_of(&ids[0]).await.len(), 1, "one mail");

    let active = json!({"batch": batch, "status": "active"});
    let page = resend_under(&host, "k-2", &active).await.is(200).json();
    assert_eq!((&page["queued"], page["items"].as_array().map(Vec::len)), (&json!(1), Some(2)));
}

#[tokio::test]
async fn limit_of_mails_leaves_out_the_rest_with_the_time_to_wait() {
    let limits = Limits::default().with_resends_per_actor(NonZeroU32::MIN).expect("a limit");
    let host = Host::with_limits(limits);
    let (batch, _) = batch_of(&host, &[json!("a@example.com"), json!("b@example.com")]).await;
    let page = resend_under(&host, "k", &json!({"batch": batch})).await.is(200).json();
    assert_eq!(page["queued"], 1);
    let left_out = &page["items"][1]["problem"];
    assert_eq!(left_out["type"], "urn:invitation:problem:too-many-requests");
    assert_eq!(left_out["retry_after"], 3600);
}

#[tokio::test]
async fn resend_all_without_a_filter_or_a_right_is_refused() {
    let host = Host::new();
    let (batch, ids) = batch_of(&host, &[json!("a@example.com")]).await;
    for body in [json!({}), json!({"status": "active"}), json!({"role": null})] {
        host.harness.post_json("admin", "/resend", &body).await.invalid(&[""]);
    }
    for (body, pointer) in [
        (json!({"role": "staff", "status": "x"}), "/status"),
        (json!({"batch": "x"}), "/batch"),
        (json!({"role": "staff", "limit": 201}), "/limit"),
        (json!({"role": "staff", "cursor": "x"}), "/cursor"),
        (json!({"role": "staff", "to": "x"}), "/to"),
    ] {
        let problem = host.harness.post_json("admin", "/resend", &body).await.invalid(&[pointer]);
        assert_eq!(problem["errors"][0]["in"], "body", "{body}");
    }
    let body = json!({"batch": batch});
    host.harness.post_json("sales-manager", "/resend", &body).await.problem(403, "forbidden");
    assert!(host.deliveries_of(&ids[0]).await.is_empty());
    host.harness.post_json("admin", "/resend", &body).await.is(200);
    assert_eq!(host.deliveries_of(&ids[0]).await.len(), 1);
}
