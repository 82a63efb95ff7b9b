//! Reading one invitation, and sharing its code.

use axum::{body::Body, http::Method};
use serde_json::{Value, json};

use crate::support::{Harness, request};

#[tokio::test]
async fn an_invitation_is_shown_with_its_version_as_etag() {
    let harness = Harness::api();
    let created = harness.create("sales-manager", &json!({"email": "anna@example.com"})).await;
    let id = created["id"].as_str().unwrap();
    let looked = harness.get("sales-manager", &format!("/{id}")).await;
    assert_eq!(looked.status, 200);
    assert_eq!(looked.header("etag"), "\"1\"");
    assert_eq!(looked.json(), created);
    let by_admin = harness.get("admin", &format!("/{id}")).await.json();
    let may = json!(["copy", "amend", "rotate", "revoke", "delete"]);
    assert_eq!(by_admin["actions"], may, "what an administrator may do");

    let fields: Vec<_> = created.as_object().unwrap().keys().map(String::as_str).collect();
    for field in [
        "id",
        "code",
        "email",
        "role",
        "division",
        "status",
        "expires_at",
        "used_by",
        "used_at",
        "uses",
        "max_uses",
        "created_by",
        "created_at",
        "version",
        "actions",
    ] {
        assert!(fields.contains(&field), "{field}");
    }
}

#[tokio::test]
async fn sharing_gives_code_and_link_and_is_on_record() {
    let harness = Harness::api();
    let created = harness.create("sales-manager", &json!({})).await;
    let (id, code) = (created["id"].as_str().unwrap(), created["code"].as_str().unwrap());
    let path = format!("/{id}/copy");
    let bare = request(Method::POST, "sales-manager", &path).body(Body::empty()).unwrap();
    let copied = harness.send(bare).await.json();
    assert_eq!(
        copied,
        json!({"code": code, "link": format!("https://example.com/register#{code}")})
    );

    let events = harness.get("admin", &format!("/events?invitation={id}&kind=copy")).await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    assert_eq!(events["items"][0]["actor"], "sales-manager");
    assert!(!events.to_string().contains(code));

    harness.post_json("sales-manager", &path, &json!({"to": "ben"})).await.invalid(&["/to"]);
}

#[tokio::test]
async fn a_used_invitation_says_by_whom() {
    let harness = Harness::api();
    let created = harness.create("sales-manager", &json!({})).await;
    harness.redeem(created["code"].as_str().unwrap(), "anna").await.expect("a good code");
    let path = format!("/{}", created["id"].as_str().unwrap());
    let used = harness.get("sales-manager", &path).await.json();
    assert_eq!((&used["status"], &used["used_by"]), (&json!("used"), &json!("anna")));
    assert!(used["used_at"].is_string());
    assert_eq!(used["uses"], 1);
    assert_eq!(used["version"], 1, "uses are no changes of terms");
}

#[tokio::test]
async fn a_foreign_invitation_is_as_a_missing_one_to_the_byte() {
    let harness = Harness::api();
    let created = harness.create("sales-manager", &json!({})).await;
    let foreign = created["id"].as_str().unwrap().to_owned();
    let missing = "01890000-0000-7000-8000-000000000000";
    let deleted =
        harness.create("admin", &json!({"role": "staff", "division": "operations"})).await;
    let deleted = deleted["id"].as_str().unwrap();
    let path = format!("/{deleted}");
    let delete = request(Method::DELETE, "admin", &path).body(Body::empty()).unwrap();
    assert_eq!(harness.send(delete).await.status, 204);
    for (method, tail) in [(Method::GET, ""), (Method::HEAD, ""), (Method::POST, "/copy")] {
        let mut answers = Vec::new();
        for id in [&foreign, missing, deleted, "nonsense", "%00", "..%2f"] {
            let path = format!("/{id}{tail}");
            let asked = request(method.clone(), "operations-manager", &path);
            let asked = asked.header("x-request-id", "r").body(Body::empty()).unwrap();
            answers.push(harness.send(asked).await);
        }
        for answer in &answers {
            assert_eq!(answer.status, 404);
            assert_eq!(answer.bytes, answers[0].bytes);
            assert_eq!(answer.headers, answers[0].headers);
        }
    }
    let after = harness.get("sales-manager", &format!("/{foreign}")).await.json();
    assert_eq!(after, created, "and nothing has changed");
    let denied =
        harness.get("admin", &format!("/events?invitation={foreign}&outcome=denied")).await;
    let reasons: Vec<Value> = denied.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["reason"].clone())
        .collect();
    assert_eq!(reasons, vec![json!("out_of_scope"); 3], "but it is on record");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let harness = Harness::api();
    let created = harness.create("sales-manager", &json!({})).await;
    let path = format!("/{}", created["id"].as_str().unwrap());
    for path in [path.as_str(), "", "/counts"] {
        let got = harness.get("sales-manager", path).await;
        let head = request(Method::HEAD, "sales-manager", path).body(Body::empty()).unwrap();
        let head = harness.send(head).await;
        assert_eq!((head.status, head.bytes.len()), (got.status, 0));
        assert_eq!(head.header("etag"), got.header("etag"));
    }
    let all = harness.get("admin", "/events").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "the creation, and no other event");
}
