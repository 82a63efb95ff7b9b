//! Tests of revoking all invitations of a filter.

use serde_json::{Value, json};

use crate::support::Harness;

async fn revoke(harness: &Harness, body: Value) -> Value {
    let answer = harness.post_json("admin", "/revoke", &body).await;
    assert_eq!(answer.status, 200, "{body}");
    answer.json()
}

async fn create(harness: &Harness, who: &str, role: &str, days: u32) -> Value {
    let division = if who == "admin" { json!("sales") } else { Value::Null };
    let body = json!({"role": role, "division": division, "expires_in_days": days});
    harness.create(who, &body).await
}

#[tokio::test]
async fn revoke_all_revokes_what_the_filters_match() {
    let harness = Harness::api();
    let expired = create(&harness, "sales-manager", "staff", 1).await;
    harness.clock.advance(time::Duration::days(2));
    let used = create(&harness, "sales-manager", "staff", 9).await;
    harness.redeem(used["code"].as_str().expect("a code"), "una").await.expect("a good code");
    create(&harness, "sales-manager", "staff", 9).await;
    create(&harness, "admin", "manager", 9).await;
    create(&harness, "operations-manager", "staff", 9).await;
    let batch = json!([{"division": "hr", "role": "staff"}, {"division": "hr", "role": "staff"}]);
    let bulk = harness.post_json("admin", "/bulk", &batch).await.json();

    let reason = json!({"batch": bulk["batch"], "reason": "sent to the wrong list"});
    for (body, expected) in [
        (reason, 2),
        (json!({"division": "operations"}), 1),
        (json!({"inviter": expired["created_by"], "role": "staff"}), 2),
        (json!({"division": "sales", "role": "staff"}), 0),
        (json!({"role": "manager"}), 1),
    ] {
        let again = body.clone();
        assert_eq!(revoke(&harness, body).await, json!({"revoked": expected, "done": true}));
        assert_eq!(revoke(&harness, again).await, json!({"revoked": 0, "done": true}));
    }
    let counts = harness.get("admin", "/counts").await.json();
    let expected = json!({"active": 0, "used": 1, "expired": 0, "revoked": 6, "capped": []});
    assert_eq!(counts, expected);
    let events = harness.get("admin", "/events?kind=revoke&limit=200").await.json();
    let reasons = events["items"].as_array().expect("events").iter();
    let reasons = reasons.filter(|event| event["detail"]["reason"] == "sent to the wrong list");
    assert_eq!(reasons.count(), 2);
}

#[tokio::test]
async fn revoke_all_without_a_filter_is_refused() {
    let harness = Harness::api();
    create(&harness, "sales-manager", "staff", 9).await;
    for body in [json!({}), json!({"reason": "all"}), json!({"role": null})] {
        harness.post_json("admin", "/revoke", &body).await.invalid(&[""]);
    }
    for (body, pointer) in [
        (json!({"role": ""}), "/role"),
        (json!({"batch": "x"}), "/batch"),
        (json!({"inviter": ""}), "/inviter"),
        (json!({"division": "\u{0}"}), "/division"),
        (json!({"role": "staff", "status": "active"}), "/status"),
        (json!({"role": "staff", "reason": "a".repeat(501)}), "/reason"),
    ] {
        let problem = harness.post_json("admin", "/revoke", &body).await.invalid(&[pointer]);
        assert_eq!(problem["errors"][0]["in"], "body", "{body}");
    }
    let counts = harness.get("admin", "/counts").await.json();
    assert_eq!((&counts["active"], &counts["revoked"]), (&json!(1), &json!(0)));
    harness.get("admin", "/revoke").await.problem(405, "method-not-allowed");
    let body = json!({"role": "staff"});
    harness.post_json("sales-manager", "/revoke", &body).await.problem(403, "forbidden");
}

#[tokio::test]
async fn revoke_all_of_many_ends_with_repeated_requests() {
    let harness = Harness::api();
    let rows = vec![json!({"division": "sales", "role": "staff"}); 450];
    let bulk = harness.post_json("admin", "/bulk", &json!(rows)).await.json();
    let (mut revoked, mut requests) = (0, 0);
    loop {
        let answer = revoke(&harness, json!({"batch": bulk["batch"]})).await;
        revoked += answer["revoked"].as_u64().expect("a number");
        requests += 1;
        if answer["done"] == true {
            break;
        }
        assert!(answer["revoked"].as_u64() > Some(0), "each request leads further");
        assert!(requests < 10, "the requests must end");
    }
    assert!((revoked, requests) == (450, 3), "{revoked} in {requests}");
}
