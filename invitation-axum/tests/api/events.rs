//! Tests of the audit trail's endpoint.

use axum::http::Method;
use invitation_core::{Division, Draft, Role, SystemActor};
use serde_json::{Value, json};

use crate::support::{Harness, json};

fn kinds(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|event| event["kind"].as_str().expect("a kind")).collect()
}

#[tokio::test]
async fn every_step_is_there_and_can_be_filtered() {
    let harness = Harness::api();
    let mut request = json(Method::POST, "sales-manager", "", &json!({}));
    request.headers_mut().insert("x-request-id", "req-7".parse().unwrap());
    let created = harness.send(request).await;
    assert_eq!(created.header("x-request-id"), "req-7");
    let created = created.json();
    let (id, code) = (created["id"].as_str().unwrap(), created["code"].as_str().unwrap());
    harness.redeem(code, "anna").await.expect("a good code");
    harness.get("sales-staff", &format!("/{id}")).await.problem(403, "forbidden");
    harness.get("operations-manager", &format!("/{id}")).await.problem(404, "not-found");

    let all = harness.get("admin", "/events").await.json();
    assert_eq!(kinds(&all), ["view", "view", "redeem", "create"]);
    assert!(!all.to_string().contains(code));
    let first = &all["items"][3];
    assert_eq!(first["correlation_id"], "req-7");
    assert_eq!(first["actor"], "sales-manager");
    assert_eq!(first["actor_role"], "manager");
    assert_eq!(first["division"], "sales");
    assert_eq!(first["outcome"], "succeeded");
    assert_eq!(first["detail"]["role"], "staff");
    assert_eq!(all["items"][2]["username"], "anna");
    assert_eq!(all["items"][1]["reason"], "right_missing");

    for (query, expected) in [
        (format!("?invitation={id}"), vec!["view", "view", "redeem", "create"]),
        ("?actor=sales-manager".into(), vec!["create"]),
        ("?actor=u-anna".into(), vec!["redeem"]),
        ("?kind=view".into(), vec!["view", "view"]),
        ("?outcome=denied&division=sales".into(), vec!["view", "view"]),
        ("?outcome=not_succeeded".into(), vec!["view", "view"]),
        ("?division=operations".into(), vec![]),
        ("?correlation_id=req-7".into(), vec!["create"]),
        ("?correlation_id=req".into(), vec![]),
        (format!("?invitation={}", uuid::Uuid::from_u128(9)), vec![]),
    ] {
        let page = harness.get("admin", &format!("/events{query}")).await.json();
        assert_eq!(kinds(&page), expected, "{query}");
    }
    let page = harness.get("admin", "/events?limit=3").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = harness.get("admin", &format!("/events?limit=3&cursor={cursor}")).await.json();
    assert_eq!((kinds(&next), &next["next_cursor"]), (vec!["create"], &Value::Null));
}

#[tokio::test]
async fn event_names_the_actor_or_the_job_where_the_host_gave_a_name() {
    let harness = Harness::api();
    harness.create("sales-manager", &json!({})).await;
    harness.create("operations-manager", &json!({})).await;
    let job = SystemActor::new("reminder").unwrap();
    let draft = Draft::new().with_role(Role::new("staff").unwrap());
    let draft = draft.in_division(Division::new("sales").unwrap());
    harness.service().create(&job, draft).await.unwrap();
    let all = harness.get("admin", "/events").await.json();
    let expected = [
        json!([null, null, "reminder"]),
        json!(["operations-manager", "manager", "Olga Meier"]),
        json!(["sales-manager", "manager", null]),
    ];
    for (event, expected) in all["items"].as_array().unwrap().iter().zip(expected) {
        assert_eq!(json!([event["actor"], event["actor_role"], event["actor_name"]]), expected);
        assert_eq!(event["username"], Value::Null);
    }
}

#[tokio::test]
async fn request_id_of_an_answer_finds_the_events_of_the_request() {
    let harness = Harness::api();
    let created = harness.create("sales-manager", &json!({})).await;
    let path = format!("/{}", created["id"].as_str().unwrap());
    let denied = harness.get("sales-staff", &path).await;
    let id = denied.header("x-request-id").to_owned();
    harness.get("sales-staff", &path).await;
    let page = harness.get("admin", &format!("/events?correlation_id={id}")).await.json();
    assert_eq!(kinds(&page), ["view"]);
    assert_eq!(page["items"][0]["correlation_id"], id);
}

#[tokio::test]
async fn what_is_no_filter_is_refused() {
    let harness = Harness::api();
    for (query, pointer) in [
        ("?invitation=7", "/invitation"),
        ("?actor=", "/actor"),
        ("?kind=Create", "/kind"),
        ("?outcome=yes", "/outcome"),
        ("?correlation_id=", "/correlation_id"),
        ("?limit=0", "/limit"),
        ("?cursor=7", "/cursor"),
        ("?since=7", "/since"),
    ] {
        harness.get("admin", &format!("/events{query}")).await.invalid(&[pointer]);
    }
}

/// A request id with other characters is replaced.
#[tokio::test]
async fn a_request_id_is_a_plain_word() {
    let harness = Harness::api();
    for given in ["a b", "<script>", &"x".repeat(129), ""] {
        let mut request = json(Method::POST, "sales-manager", "", &json!({}));
        request.headers_mut().insert("x-request-id", given.parse().unwrap());
        let answer = harness.send(request).await;
        assert_eq!(answer.header("x-request-id").len(), 36, "a new one instead of {given:.20}");
    }
}
