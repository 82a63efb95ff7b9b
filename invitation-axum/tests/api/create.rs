//! Creating one invitation.

use axum::http::Method;
use invitation_core::{Cap, Limits};
use serde_json::{Value, json};

use crate::support::{Harness, MOUNT, json};

#[tokio::test]
async fn what_a_manager_leaves_out_is_filled_in() {
    let harness = Harness::api();
    let answer = harness.post_json("sales-manager", "", &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""));
    let created = answer.json();
    assert_eq!(answer.header("location"), format!("{MOUNT}/{}", created["id"].as_str().unwrap()));
    assert_eq!(created["code"].as_str().unwrap().len(), 29);
    let expected = json!({
        "email": null, "email_domain": null, "role": "staff", "division": "sales",
        "status": "active", "used_by": null, "used_at": null, "uses": 0, "max_uses": 1,
        "created_by": "sales-manager", "created_by_name": null,
        "created_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-22T08:00:00Z", "version": 1, "batch": null, "metadata": null,
        "actions": ["copy"],
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(created.get(field), Some(value), "{field}");
    }
    let named = harness.create("operations-manager", &json!({})).await;
    assert_eq!(named["created_by"], "operations-manager");
    assert_eq!(named["created_by_name"], "Olga Meier");
    // With a slash at the end, the location is the same.
    let slash = harness.post_json("sales-manager", "/", &json!({"email": null})).await;
    assert_eq!(slash.status, 201);
    let place = format!("{MOUNT}/{}", slash.json()["id"].as_str().unwrap());
    assert_eq!(slash.header("location"), place);
}

#[tokio::test]
async fn an_administrator_says_everything() {
    let harness = Harness::api();
    let created = harness
        .create(
            "admin",
            &json!({
                "email_domain": "Example.com", "role": "manager", "division": "operations",
                "expires_at": "2027-02-01T09:30:00+01:00", "max_uses": 100_000,
                "metadata": {"starts": "2027-02-01", "tags": ["a"]},
            }),
        )
        .await;
    assert_eq!(created["email_domain"], "example.com");
    assert_eq!(created["role"], "manager");
    assert_eq!(created["division"], "operations");
    assert_eq!(created["expires_at"], "2027-02-01T08:30:00Z");
    assert_eq!(created["max_uses"], 100_000);
    assert_eq!(created["metadata"], json!({"starts": "2027-02-01", "tags": ["a"]}));
    let bound = json!({"role": "staff", "division": "sales", "email": "Anna@Example.com", "expires_in_days": 365});
    let created = harness.create("admin", &bound).await;
    assert_eq!(created["email"], "Anna@Example.com");
    assert_eq!(created["expires_at"], "2028-01-15T08:00:00Z");
}

#[tokio::test]
async fn what_is_not_accepted_is_named_and_all_of_it() {
    let harness = Harness::api();
    let cases = [
        (json!({}), &["/role", "/division"][..]),
        (json!({"role": "staff"}), &["/division"]),
        (json!({"id": "1", "role": "staff", "division": "sales"}), &["/id"]),
        (json!({"status": "used"}), &["/status"]),
        (json!({"email": "anna", "role": " ", "division": ""}), &["/email", "/role", "/division"]),
        (json!({"email": ["a@example.com"]}), &["/email"]),
        (json!({"email": "a@example.com,b@example.com"}), &["/email"]),
        (json!({"email": "a@example.com\r\nBcc: b@example.com"}), &["/email"]),
        (json!({"email": "Anna <a@example.com>"}), &["/email"]),
        (json!({"email": format!("{}@example.com", "a".repeat(10_000))}), &["/email"]),
        (json!({"email": "a@example.com", "email_domain": "example.com"}), &["/email_domain"]),
        (json!({"expires_at": "tomorrow"}), &["/expires_at"]),
        (json!({"expires_in_days": 1.5}), &["/expires_in_days"]),
        (json!({"expires_in_days": -1}), &["/expires_in_days"]),
        (
            json!({"expires_in_days": 7, "expires_at": "2027-02-01T00:00:00Z"}),
            &["/expires_in_days"],
        ),
        (json!({"max_uses": 0}), &["/max_uses"]),
        (json!({"max_uses": 4_294_967_296_u64}), &["/max_uses"]),
        (json!({"metadata": "text"}), &["/metadata"]),
        (json!({"metadata": {"a": {"b": {"c": {"d": 1}}}}}), &["/metadata"]),
        (json!({"metadata": {"a": "x".repeat(5_000)}}), &["/metadata"]),
        (json!([]), &["/email"][..0]),
    ];
    for (body, pointers) in cases {
        let answer = harness.post_json("admin", "", &body).await;
        if pointers.is_empty() {
            answer.invalid(&[""]);
        } else {
            answer.invalid(pointers);
        }
    }
    let bounds = [
        json!({"expires_in_days": 0}),
        json!({"expires_in_days": 366}),
        json!({"expires_at": "2027-01-15T08:59:59Z"}),
        json!({"expires_at": "2020-01-01T00:00:00Z"}),
        json!({"max_uses": 100_001}),
    ];
    for mut body in bounds {
        let field = format!("/{}", body.as_object().unwrap().keys().next().unwrap());
        body["role"] = json!("staff");
        body["division"] = json!("sales");
        harness.post_json("admin", "", &body).await.invalid(&[&field]);
    }
    let for_two = json!({
        "role": "staff", "division": "sales", "email": "anna@example.com", "max_uses": 2,
    });
    harness.post_json("admin", "", &for_two).await.invalid(&["/max_uses"]);
    let list = harness.get("admin", "").await.json();
    assert_eq!(list["items"], json!([]), "nothing was created");
    let events = harness.get("admin", "/events").await.json();
    assert_eq!(events["items"], json!([]), "and nothing recorded");
}

#[tokio::test]
async fn a_manager_is_refused_what_is_an_administrators() {
    let harness = Harness::api();
    for (body, reason) in [
        (json!({"role": "manager"}), "role_not_grantable"),
        (json!({"role": "admin"}), "role_not_grantable"),
        (json!({"role": "Staff"}), "role_not_grantable"),
        (json!({"role": "staff,admin"}), "role_not_grantable"),
        (json!({"division": "operations"}), "division_not_allowed"),
        (json!({"max_uses": 2}), "multi_use_not_allowed"),
        (json!({"email_domain": "example.com"}), "domain_not_allowed"),
    ] {
        let answer = harness.post_json("sales-manager", "", &body).await;
        answer.problem(403, "forbidden");
        let last = harness.get("admin", "/events?limit=1").await.json()["items"][0].clone();
        assert_eq!(last["reason"], reason, "{body}");
        assert_eq!(last["outcome"], "denied");
    }
    assert_eq!(harness.get("admin", "").await.json()["items"], json!([]));
    // Explicit values within the actor's rights are accepted.
    harness
        .create("sales-manager", &json!({"role": "staff", "division": "sales", "max_uses": 1}))
        .await;
}

#[tokio::test]
async fn asking_again_under_the_same_key_creates_once() {
    let harness = Harness::api();
    let ask = async |key: &str, body: &Value| {
        let mut request = json(Method::POST, "sales-manager", "", body);
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        harness.send(request).await
    };
    let body = json!({"email": "anna@example.com"});
    let first = ask("k-1", &body).await;
    assert_eq!(first.status, 201);
    harness.clock.advance(time::Duration::hours(1));
    let again = ask("k-1", &body).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(again.header("location"), first.header("location"));
    ask("k-1", &json!({"email": "ben@example.com"})).await.problem(409, "idempotency-key-reused");
    assert_ne!(ask("k-2", &body).await.json()["id"], first.json()["id"]);
    for wrong in ["", "a b", &"k".repeat(129)] {
        let problem = ask(wrong, &body).await.invalid(&["/Idempotency-Key"]);
        assert_eq!(problem["errors"][0]["in"], "header");
    }
    let path = format!("/{}", first.json()["id"].as_str().unwrap());
    assert_eq!(harness.send(json(Method::DELETE, "admin", &path, &json!({}))).await.status, 204);
    ask("k-1", &body).await.problem(409, "conflict");
}

#[tokio::test]
async fn beyond_a_quota_it_is_429() {
    let one = Cap::AtMost(std::num::NonZeroU32::MIN);
    let limits = Limits::default().with_pending_per_inviter(one);
    let harness = Harness::api().with_service(|service| service.with_limits(limits));
    harness.create("sales-manager", &json!({})).await;
    let full = harness.post_json("sales-manager", "", &json!({})).await;
    full.problem(429, "quota-exceeded");
    assert_eq!(full.header("retry-after"), "60");
}
