//! The changes that administrators make to an invitation.

use axum::{
    body::Body,
    http::{Method, Request},
};
use invitation_core::{Cap, Limits, Policy, Right, Rights, Role};
use serde_json::{Value, json};

use crate::support::{Answer, Harness, json, request};

fn staff() -> Value {
    json!({"role": "staff", "division": "sales", "email": "anna@example.com"})
}

async fn created(harness: &Harness) -> (String, String) {
    let created = harness.create("admin", &staff()).await;
    (
        created["id"].as_str().expect("it is there").to_owned(),
        created["code"].as_str().expect("it is there").to_owned(),
    )
}

async fn patch(harness: &Harness, id: &str, body: &Value) -> Answer {
    harness.send(json(Method::PATCH, "admin", &format!("/{id}"), body)).await
}

async fn redeemed(harness: &Harness) -> String {
    let open = harness.create("admin", &json!({"role": "staff", "division": "sales"})).await;
    harness.redeem(open["code"].as_str().expect("it is there"), "anna").await.expect("a good code");
    open["id"].as_str().expect("it is there").to_owned()
}

#[tokio::test]
async fn amending_changes_what_is_said_and_nothing_else() {
    let harness = Harness::api();
    let (id, code) = created(&harness).await;
    let before = harness.get("admin", &format!("/{id}")).await.json();
    let answer = patch(&harness, &id, &json!({"email": "ben@example.com"})).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    let amended = answer.json();
    assert_eq!(amended["email"], "ben@example.com");
    assert_eq!(amended["code"], Value::Null, "answers to changes do not repeat the code");
    let after = harness.get("admin", &format!("/{id}")).await.json();
    assert_eq!(after["code"], code, "which stays the same");
    for field in ["role", "division", "expires_at", "max_uses", "created_at"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let all = json!({"email": null, "role": "manager", "expires_at": "2027-03-01T00:00:00Z"});
    let amended = patch(&harness, &id, &all).await.json();
    assert_eq!(amended["email"], Value::Null);
    assert_eq!(amended["role"], "manager");
    assert_eq!(amended["expires_at"], "2027-03-01T00:00:00Z");
    assert_eq!(amended["version"], 3);
}

#[tokio::test]
async fn an_amendment_that_is_not_accepted_changes_nothing() {
    let harness = Harness::api();
    let (id, _) = created(&harness).await;
    for (body, pointers) in [
        (json!({}), &[""][..]),
        (json!({"max_uses": 3}), &["/max_uses"]),
        (json!({"version": 1}), &["/version"]),
        (json!({"division": "operations"}), &["/division"]),
        (
            json!({"email": "x", "role": null, "expires_at": null}),
            &["/email", "/expires_at", "/role"],
        ),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), &["/expires_at"]),
        (json!({"expires_at": "2020-01-01"}), &["/expires_at"]),
        (json!({"role": ""}), &["/role"]),
    ] {
        patch(&harness, &id, &body).await.invalid(pointers);
    }
    let for_two = json!({"role": "staff", "division": "sales", "max_uses": 2});
    let for_two = harness.create("admin", &for_two).await;
    let other = for_two["id"].as_str().expect("it is there");
    patch(&harness, other, &json!({"email": "anna@example.com"})).await.invalid(&["/email"]);
    patch(&harness, &id, &json!({"role": "root"})).await.problem(403, "forbidden");
    let after = harness.get("admin", &format!("/{id}")).await.json();
    assert_eq!(after["version"], 1);
}

fn matching(request: Request<Body>, version: &str) -> Request<Body> {
    let mut request = request;
    request.headers_mut().insert("if-match", version.parse().expect("a header"));
    request
}

#[tokio::test]
async fn a_change_for_another_version_is_412() {
    let harness = Harness::api();
    let (id, _) = created(&harness).await;
    let soon = json!({"expires_at": "2027-02-01T00:00:00Z"});
    let changes = || {
        [
            json(Method::PATCH, "admin", &format!("/{id}"), &soon),
            json(Method::POST, "admin", &format!("/{id}/revoke"), &json!({})),
            json(Method::POST, "admin", &format!("/{id}/rotate"), &json!({})),
            json(Method::DELETE, "admin", &format!("/{id}"), &json!({})),
        ]
    };
    for version in ["\"2\"", "W/\"1\"", "\"x\"", "\"0\""] {
        for change in changes() {
            harness.send(matching(change, version)).await.problem(412, "version-mismatch");
        }
    }
    for change in changes() {
        harness.send(matching(change, "1")).await.invalid(&["/If-Match"]);
    }
    let patched = matching(json(Method::PATCH, "admin", &format!("/{id}"), &soon), "\"1\"");
    assert_eq!(harness.send(patched).await.header("etag"), "\"2\"");
    let revoke = json(Method::POST, "admin", &format!("/{id}/revoke"), &json!({}));
    assert_eq!(harness.send(matching(revoke, "\"2\"")).await.header("etag"), "\"3\"");
    let reinstate = || json(Method::POST, "admin", &format!("/{id}/reinstate"), &json!({}));
    harness.send(matching(reinstate(), "\"1\"")).await.problem(412, "version-mismatch");
    assert_eq!(harness.send(matching(reinstate(), "*")).await.header("etag"), "\"4\"");
    let missing = format!("/{}", uuid::Uuid::from_u128(7));
    let change = json(Method::PATCH, "admin", &missing, &soon);
    harness.send(matching(change, "\"9\"")).await.problem(404, "not-found");
}

#[tokio::test]
async fn revoking_and_reinstating() {
    let harness = Harness::api();
    let (id, code) = created(&harness).await;
    let revoke = format!("/{id}/revoke");
    let answer =
        harness.post_json("admin", &revoke, &json!({"reason": "left\r\n<b>early</b>"})).await;
    let revoked = answer.json();
    assert_eq!((&revoked["status"], &revoked["code"]), (&json!("revoked"), &Value::Null));
    assert!(!answer.text().contains(&code));
    harness.post_json("admin", &revoke, &json!({})).await.problem(409, "conflict");
    let event = harness.get("admin", "/events?kind=revoke&outcome=succeeded").await.json();
    assert_eq!(event["items"][0]["detail"]["reason"], "left\n<b>early</b>");
    for reason in [json!("r".repeat(501)), json!("a\u{0}b"), json!(7)] {
        harness.post_json("admin", &revoke, &json!({"reason": reason})).await.invalid(&["/reason"]);
    }

    let reinstate = format!("/{id}/reinstate");
    let back = harness.post_json("admin", &reinstate, &json!({})).await.json();
    assert_eq!((&back["status"], &back["version"]), (&json!("active"), &json!(3)));
    harness.post_json("admin", &reinstate, &json!({})).await.problem(409, "conflict");
}

#[tokio::test]
async fn rotating_gives_a_new_code_and_kills_the_old_one() {
    let harness = Harness::api();
    let open = harness.create("admin", &json!({"role": "staff", "division": "sales"})).await;
    let (id, old) = (open["id"].as_str().unwrap(), open["code"].as_str().unwrap());
    let rotated = harness.post_json("admin", &format!("/{id}/rotate"), &json!({})).await.json();
    let new = rotated["code"].as_str().unwrap();
    assert_ne!(new, old);
    assert!(harness.redeem(old, "anna").await.is_err());
    assert!(harness.redeem(new, "anna").await.is_ok());
}

#[tokio::test]
async fn what_is_used_is_final() {
    let harness = Harness::api();
    let id = redeemed(&harness).await;
    let soon = json!({"expires_at": "2027-02-01T00:00:00Z"});
    patch(&harness, &id, &soon).await.problem(409, "conflict");
    for what in ["revoke", "reinstate", "rotate"] {
        harness
            .post_json("admin", &format!("/{id}/{what}"), &json!({}))
            .await
            .problem(409, "conflict");
    }
}

#[tokio::test]
async fn deleting_leaves_the_events() {
    let harness = Harness::api();
    let (id, _) = created(&harness).await;
    let path = format!("/{id}");
    let delete = || request(Method::DELETE, "admin", &path).body(Body::empty()).unwrap();
    let answer = harness.send(delete()).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (204, 0));
    harness.send(delete()).await.problem(404, "not-found");
    harness.get("admin", &path).await.problem(404, "not-found");
    let events = harness.get("admin", &format!("/events?invitation={id}&outcome=succeeded")).await;
    assert_eq!(events.json()["items"].as_array().unwrap().len(), 2, "created and deleted");
}

#[tokio::test]
async fn a_quota_counts_what_is_brought_back() {
    let one = Cap::AtMost(std::num::NonZeroU32::MIN);
    let limits = Limits::default().with_pending_per_division(one);
    let harness = Harness::api().with_service(|service| service.with_limits(limits));
    let (id, _) = created(&harness).await;
    assert_eq!(harness.post_json("admin", &format!("/{id}/revoke"), &json!({})).await.status, 200);
    created(&harness).await;
    let answer = harness.post_json("admin", &format!("/{id}/reinstate"), &json!({})).await;
    answer.problem(429, "quota-exceeded");
    harness.clock.advance(time::Duration::days(8));
    let (second, _) = created(&harness).await;
    assert!(!second.is_empty(), "there is room again");
}

/// A role may have the right to change invitations, but not to create codes for several
/// people or for a domain. It must not obtain such codes by changing an administrator's
/// invitation.
#[tokio::test]
async fn changing_an_invitation_needs_the_rights_to_create_it() {
    let role = |name| Role::new(name).expect("a role");
    let rights = [Right::View, Right::Copy, Right::Amend, Right::Rotate, Right::Reinstate];
    let editors = Rights::none().may(rights).granting([role("staff")]);
    let policy = Policy::default().with_role(role("manager"), editors);
    let harness = Harness::api().with_service(|service| service.with_policy(policy));
    for (form, is_within) in [
        (json!({}), true),
        (json!({"email": "anna@example.com"}), true),
        (json!({"max_uses": 1000}), false),
        (json!({"email_domain": "example.com"}), false),
        (json!({"email_domain": "example.com", "max_uses": 2}), false),
    ] {
        let mut draft = json!({"role": "staff", "division": "sales"});
        draft.as_object_mut().expect("an object").extend(form.as_object().expect("one").clone());
        let created = harness.create("admin", &draft).await;
        let id = created["id"].as_str().expect("it is there").to_owned();
        let path = format!("/{id}");
        let before = harness.get("sales-manager", &path).await.json();
        let actions = if is_within { json!(["copy", "amend", "rotate"]) } else { json!(["copy"]) };
        assert_eq!(before["actions"], actions, "{form}");

        let by_manager = async |method: Method, path: String, body: Value| {
            harness.send(json(method, "sales-manager", &path, &body)).await
        };
        let changes = [
            (Method::PATCH, "", json!({"expires_at": "2027-03-01T00:00:00Z"})),
            (Method::PATCH, "", json!({"email": "mallory@example.com"})),
            (Method::PATCH, "", json!({"email": null})),
            (Method::POST, "/rotate", json!({})),
        ];
        for (method, end, body) in changes {
            let answer = by_manager(method, format!("{path}{end}"), body.clone()).await;
            if is_within {
                assert_eq!(answer.status.as_u16(), 200, "{form}: {end} {body}");
            } else {
                answer.problem(403, "forbidden");
            }
        }
        let revoked = harness.post_json("admin", &format!("{path}/revoke"), &json!({})).await;
        assert_eq!(revoked.status.as_u16(), 200, "{form}");
        let answer = by_manager(Method::POST, format!("{path}/reinstate"), json!({})).await;
        assert_eq!(answer.status.as_u16(), if is_within { 200 } else { 403 }, "{form}");
        if !is_within {
            let after = harness.get("sales-manager", &path).await.json();
            assert_eq!((&after["status"], &after["code"]), (&json!("revoked"), &created["code"]));
            let events = harness.get("admin", &format!("/events?invitation={id}")).await.json();
            let items = events["items"].as_array().expect("a list");
            let denied = items.iter().filter(|event| event["outcome"] == "denied");
            assert_eq!(denied.count(), 5, "{form}: one event for each denial");
        }
    }
}
