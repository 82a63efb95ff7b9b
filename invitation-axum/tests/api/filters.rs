//! Tests of the filters by inviter, batch, creation and expiry, and of the order by expiry.

use serde_json::{Value, json};

use crate::support::Harness;

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

fn text<'a>(invitation: &'a Value, field: &str) -> &'a str {
    invitation[field].as_str().expect("a text")
}

/// Creates invitations that expire in 9, 2, 5 and 2 days, an hour after each other. The third is
/// in operations, and the last is the administrator's.
async fn some(harness: &Harness) -> Vec<Value> {
    let mut all = Vec::new();
    for (who, days) in
        [("sales-manager", 9), ("sales-manager", 2), ("operations-manager", 5), ("admin", 2)]
    {
        let division = if who == "admin" { json!("sales") } else { Value::Null };
        let body = json!({"expires_in_days": days, "division": division, "role": "staff"});
        all.push(harness.create(who, &body).await);
        harness.clock.advance(time::Duration::HOUR);
    }
    all
}

#[tokio::test]
async fn each_filter_narrows_list_search_counts_and_export() {
    let harness = Harness::api();
    let all = some(&harness).await;
    let batch = json!([{"division": "sales", "role": "manager"}]);
    let bulk = harness.post_json("admin", "/bulk", &batch).await.json();
    let id = |n: usize| text(&all[n], "id");
    let of_batch = text(&bulk["results"][0], "id");
    let (created, expires) = (|n: usize| text(&all[n], "created_at"), text(&all[2], "expires_at"));
    for (name, value, expected) in [
        ("inviter", text(&all[0], "created_by"), vec![id(1), id(0)]),
        ("inviter", "u-nobody", vec![]),
        ("batch", text(&bulk, "batch"), vec![of_batch]),
        ("created_after", created(3), vec![of_batch, id(3)]),
        ("created_before", created(1), vec![id(0)]),
        ("expires_after", expires, vec![of_batch, id(2), id(0)]),
        ("expires_before", expires, vec![id(3), id(1)]),
    ] {
        let query = format!("?{name}={value}");
        assert_eq!(ids(&harness.get("admin", &query).await.json()), expected, "{query}");
        let body = json!({name: value});
        let found = harness.post_json("admin", "/search", &body).await.json();
        assert_eq!(ids(&found), expected, "{body}");
        let counts = harness.get("admin", &format!("/counts{query}")).await.json();
        assert_eq!(counts["active"], expected.len(), "{query}");
        let file = harness.get("admin", &format!("/export.csv{query}")).await;
        let lines: Vec<_> = file.text().lines().skip(1).collect();
        assert_eq!(lines.len(), expected.len(), "{query}");
        assert!(lines.iter().zip(&expected).all(|(line, id)| line.starts_with(id)), "{query}");
    }
    let both = format!("?created_after={}&expires_before={expires}", created(3));
    assert_eq!(ids(&harness.get("admin", &both).await.json()), [id(3)], "combined");
    let foreign = format!("?inviter={}", text(&all[2], "created_by"));
    let found = harness.get("sales-manager", &foreign).await.json();
    assert!(ids(&found).is_empty(), "within reach only");
}

#[tokio::test]
async fn sort_by_expiry_lists_the_soonest_first() {
    let harness = Harness::api();
    let all = some(&harness).await;
    let id = |n: usize| text(&all[n], "id");
    let revoke = format!("/{}/revoke", id(3));
    for (query, expected) in [
        ("?sort=expires", vec![id(1), id(3), id(2), id(0)]),
        ("?sort=expires&status=active&division=sales", vec![id(1), id(3), id(0)]),
        ("?sort=created", vec![id(3), id(2), id(1), id(0)]),
    ] {
        assert_eq!(ids(&harness.get("admin", query).await.json()), expected, "{query}");
        let file = harness.get("admin", &format!("/export.csv{query}")).await;
        let lines: Vec<_> = file.text().lines().skip(1).collect();
        assert!(lines.iter().zip(&expected).all(|(line, id)| line.starts_with(id)), "{query}");
    }
    let body = json!({"sort": "expires", "limit": 3});
    let page = harness.post_json("admin", "/search", &body).await.json();
    assert_eq!(ids(&page), [id(1), id(3), id(2)]);
    let cursor = text(&page, "next_cursor");
    let rest = harness.get("admin", &format!("?sort=expires&cursor={cursor}")).await.json();
    assert_eq!((ids(&rest), &rest["next_cursor"]), (vec![id(0)], &Value::Null));
    harness.get("admin", &format!("?cursor={cursor}")).await.invalid(&["/cursor"]);

    assert_eq!(harness.post_json("admin", &revoke, &json!({})).await.status, 200);
    harness.clock.advance(time::Duration::days(3));
    let left = harness.get("admin", "?sort=expires").await.json();
    assert_eq!(ids(&left), [id(2), id(0)], "active ones only");
}

#[tokio::test]
async fn sort_by_expiry_with_another_status_is_refused() {
    let harness = Harness::api();
    for status in ["all", "used", "expired", "revoked"] {
        for path in ["", "/export.csv"] {
            let query = format!("{path}?sort=expires&status={status}");
            let problem = harness.get("admin", &query).await.invalid(&["/sort"]);
            assert_eq!(problem["errors"][0]["in"], "query", "{query}");
        }
        let body = json!({"sort": "expires", "status": status});
        let problem = harness.post_json("admin", "/search", &body).await.invalid(&["/sort"]);
        assert_eq!(problem["errors"][0]["in"], "body", "{status}");
    }
}

#[tokio::test]
async fn invalid_filters_are_each_named() {
    let harness = Harness::api();
    let nul = "%00";
    for (query, pointer) in [
        ("sort=Expires", "/sort"),
        ("sort=", "/sort"),
        ("batch=7", "/batch"),
        ("created_after=yesterday", "/created_after"),
        ("created_before=2027-01-04", "/created_before"),
        ("expires_after=", "/expires_after"),
        ("expires_before=1", "/expires_before"),
    ] {
        harness.get("admin", &format!("?{query}")).await.invalid(&[pointer]);
        harness.get("admin", &format!("/export.csv?{query}")).await.invalid(&[pointer]);
    }
    harness.get("admin", &format!("?inviter={nul}")).await.invalid(&["/inviter"]);
    harness.get("admin", "/counts?batch=x").await.invalid(&["/batch"]);
    harness.get("admin", "/counts?sort=created").await.invalid(&["/sort"]);
    let body = json!({"batch": "x", "inviter": "", "expires_after": "x", "sort": "x"});
    let pointers = ["/inviter", "/batch", "/expires_after", "/sort"];
    let problem = harness.post_json("admin", "/search", &body).await.invalid(&pointers);
    assert!(problem["errors"].as_array().expect("errors").iter().all(|one| one["in"] == "body"));
}
