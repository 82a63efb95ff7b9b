//! Tests of listing, filtering, searching and counting.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Harness;

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// Creates an invitation of each status in sales, and an active one in operations.
async fn one_of_each(harness: &Harness) -> Vec<Value> {
    let days = |n: u32, email: &str| json!({"email": email, "expires_in_days": n});
    let expired = harness.create("sales-manager", &days(1, "ed@example.com")).await;
    harness.clock.advance(time::Duration::days(2));
    let used = harness.create("sales-manager", &json!({})).await;
    harness.redeem(used["code"].as_str().expect("it is there"), "una").await.expect("a good code");
    let revoked = harness.create("sales-manager", &days(9, "rob@example.com")).await;
    let path = format!("/{}/revoke", revoked["id"].as_str().expect("it is there"));
    assert_eq!(harness.post_json("admin", &path, &json!({})).await.status, 200);
    let active = harness.create("sales-manager", &days(9, "anna.lind@example.com")).await;
    harness.create("operations-manager", &json!({})).await;
    vec![active, used, expired, revoked]
}

#[tokio::test]
async fn a_status_filter_shows_those_of_the_status() {
    let harness = Harness::api();
    let all = one_of_each(&harness).await;
    for (status, one) in ["active", "used", "expired", "revoked"].into_iter().zip(&all) {
        let page = harness.get("sales-manager", &format!("?status={status}")).await.json();
        assert_eq!(ids(&page), [one["id"].as_str().unwrap()], "{status}");
        assert_eq!(page["items"][0]["status"], status);
        assert_eq!(page["next_cursor"], Value::Null);
    }
    for query in ["", "?status=all", "?division=sales", "?role=staff&limit=200"] {
        let page = harness.get("sales-manager", query).await.json();
        assert_eq!(ids(&page).len(), 4, "{query}");
    }
    assert_eq!(ids(&harness.get("admin", "").await.json()).len(), 5);
    assert_eq!(ids(&harness.get("admin", "?division=operations").await.json()).len(), 1);
    assert_eq!(ids(&harness.get("admin", "?role=manager").await.json()).len(), 0);
    harness.get("sales-manager", "?division=operations").await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_search_finds_by_words_and_by_the_beginning_of_a_code() {
    let harness = Harness::api();
    let all = one_of_each(&harness).await;
    let active = all[0]["id"].as_str().unwrap();
    let code = all[0]["code"].as_str().unwrap().to_lowercase();
    for search in ["anna", "LIND", "anna%20lind", &code[..4], &code[..9], &code] {
        let page = harness.get("sales-manager", &format!("?search={search}")).await.json();
        assert_eq!(ids(&page), [active], "{search}");
    }
    let used = harness.get("sales-manager", "?search=una").await.json();
    assert_eq!(ids(&used), [all[1]["id"].as_str().unwrap()], "used by");
    let foreign = harness.get("operations-manager", &format!("?search={code}")).await.json();
    assert!(ids(&foreign).is_empty());
    for search in ["a", "%E6%9D%8E", "um%20un%20up%20us%20ut%20ux", "nobody%40example.com"] {
        let none = harness.get("sales-manager", &format!("?search={search}")).await.json();
        assert!(ids(&none).is_empty(), "{search}");
    }
    for search in ["", "@", "%20", "%25", "%E2%80%8B", &"a".repeat(201)] {
        let answer = harness.get("sales-manager", &format!("?search={search}")).await;
        assert_eq!(answer.invalid(&["/search"])["errors"][0]["in"], "query", "{search}");
    }
}

#[tokio::test]
async fn a_search_in_the_body_finds_what_one_in_the_address_does() {
    let harness = Harness::api();
    let all = one_of_each(&harness).await;
    let code = all[0]["code"].as_str().unwrap();
    let link = format!("https://example.com/register#{code}");
    for search in ["anna", code, &code[..9], &link] {
        let page =
            harness.post_json("sales-manager", "/search", &json!({"search": search})).await.json();
        assert_eq!(ids(&page), [all[0]["id"].as_str().unwrap()], "{search}");
    }
    let post = async |body: Value| harness.post_json("sales-manager", "/search", &body).await;
    assert_eq!(post(json!({})).await.json(), harness.get("sales-manager", "").await.json());
    let page = post(json!({"status": "all", "role": "staff", "division": "sales", "limit": 3}));
    let page = page.await.json();
    assert_eq!(ids(&page).len(), 3);
    let rest = post(json!({"limit": 3, "cursor": page["next_cursor"]})).await.json();
    assert_eq!((ids(&rest).len(), &rest["next_cursor"]), (1, &Value::Null));

    let wrong = json!({"status": "x", "role": "", "limit": 0, "cursor": "x"});
    let problem = post(wrong).await.invalid(&["/role", "/status", "/limit", "/cursor"]);
    assert!(problem["errors"].as_array().unwrap().iter().all(|error| error["in"] == "body"));
    assert_eq!(post(json!({"search": "@"})).await.invalid(&["/search"])["errors"][0]["in"], "body");
    post(json!({"limit": -1})).await.invalid(&["/limit"]);
    post(json!({"who": 1})).await.invalid(&["/who"]);
    post(json!({"division": "operations"})).await.problem(403, "forbidden");
    harness.get("sales-manager", "/search").await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn pages_lead_through_everything_once() {
    let harness = Harness::api();
    for _ in 0..7 {
        harness.create("sales-manager", &json!({})).await;
        harness.create("operations-manager", &json!({})).await;
    }
    let mut seen = BTreeSet::new();
    let (mut query, mut pages) = ("?limit=3".to_owned(), 0);
    loop {
        let page = harness.get("sales-manager", &query).await.json();
        assert!(page["items"].as_array().unwrap().len() <= 3);
        for id in ids(&page) {
            assert!(seen.insert(id), "twice");
        }
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        // A cursor grants no rights: another actor who uses it sees only the own
        // division.
        let other = harness.get("operations-manager", &format!("?cursor={cursor}")).await.json();
        for item in other["items"].as_array().unwrap() {
            assert_eq!(item["division"], "operations");
        }
        query = format!("?limit=3&cursor={cursor}");
        assert!(pages < 10, "pages come to an end");
    }
    assert_eq!((seen.len(), pages), (7, 3));

    let first = harness.get("admin", "/events?limit=1").await.json();
    let of_events = first["next_cursor"].as_str().unwrap();
    harness.get("admin", &format!("?cursor={of_events}")).await.invalid(&["/cursor"]);
}

#[tokio::test]
async fn what_no_parameter_is_or_may_be_is_refused() {
    let harness = Harness::api();
    for (query, pointer) in [
        ("?limit=0", "/limit"),
        ("?limit=201", "/limit"),
        ("?limit=-1", "/limit"),
        ("?limit=%2b5", "/limit"),
        ("?limit=", "/limit"),
        ("?limit=99999999999999999999", "/limit"),
        ("?status=Active", "/status"),
        ("?status=", "/status"),
        ("?cursor=", "/cursor"),
        ("?cursor=abc", "/cursor"),
        ("?role=", "/role"),
        ("?division=%00", "/division"),
        ("?offset=1", "/offset"),
        ("?status=all&status=used", "/status"),
    ] {
        harness.get("sales-manager", query).await.invalid(&[pointer]);
    }
    harness
        .get("sales-manager", "?limit=0&cursor=x&status=y")
        .await
        .invalid(&["/status", "/limit", "/cursor"]);
    harness.get("sales-manager", "?search=%ff").await.problem(400, "malformed");
    harness.get("sales-manager", "/counts?status=used").await.invalid(&["/status"]);
}

#[tokio::test]
async fn counts_are_of_each_status_within_reach() {
    let harness = Harness::api();
    one_of_each(&harness).await;
    let each = |active: u32| json!({"active": active, "used": 1, "expired": 1, "revoked": 1, "capped": []});
    assert_eq!(harness.get("sales-manager", "/counts").await.json(), each(1));
    assert_eq!(harness.get("admin", "/counts").await.json(), each(2));
    let anna = harness.get("admin", "/counts?search=anna&division=sales&role=staff").await.json();
    let expected = json!({"active": 1, "used": 0, "expired": 0, "revoked": 0, "capped": []});
    assert_eq!(anna, expected);
    harness.get("sales-manager", "/counts?division=operations").await.problem(403, "forbidden");
}
