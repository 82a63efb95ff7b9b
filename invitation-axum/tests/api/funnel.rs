//! Tests of the endpoint that says what became of invitations.

use std::{collections::BTreeSet, sync::Arc};

use invitation_core::{MemoryStore, funnel::FunnelCounter};
use serde_json::{Value, json};
use time::Duration;

use crate::{harness::API, support::Harness};

/// A host that shows funnels.
struct Host {
    harness: Harness,
    store: Arc<MemoryStore>,
}

impl Host {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let harness = Harness::on(API, Arc::<MemoryStore>::clone(&store)).with_web(|web| {
            web.with_funnel(Arc::<MemoryStore>::clone(&store), Arc::<MemoryStore>::clone(&store))
        });
        Self { harness, store }
    }

    async fn count(&self) {
        let counter = FunnelCounter::new(&self.store);
        while counter.run().await.expect("it counts").more {}
    }

    async fn invite(&self, who: &str, of: &str) -> Value {
        self.harness.create(who, &json!({"division": of, "role": "staff"})).await
    }

    async fn created(&self, who: &str, query: &str) -> u64 {
        let funnel = self.harness.get(who, &format!("/funnel{query}")).await.is(200).json();
        funnel["created"].as_u64().expect("a number")
    }
}

#[tokio::test]
async fn funnel_says_what_became_of_invitations() {
    let host = Host::new();
    let first = host.invite("admin", "sales").await;
    let second = host.invite("admin", "sales").await;
    host.invite("admin", "sales").await;
    host.harness.clock.advance(Duration::hours(2));
    let code = first["code"].as_str().expect("a code");
    host.harness.redeem(code, "anna").await.expect("it is good");
    let revoke = format!("/{}/revoke", second["id"].as_str().expect("an id"));
    host.harness.post_json("admin", &revoke, &json!({})).await.is(200);
    host.count().await;
    let funnel = host.harness.get("admin", "/funnel").await.is(200).json();
    let fields: BTreeSet<_> = funnel.as_object().expect("one").keys().map(String::as_str).collect();
    let expected = [
        "active",
        "capped",
        "counted_since",
        "counted_until",
        "created",
        "deleted",
        "discontinuities",
        "expired",
        "median_time_to_redeem",
        "redeemed",
        "redemptions",
        "revoked",
        "sent",
        "times_to_redeem",
        "used",
        "waiting_since",
    ];
    assert!(fields.into_iter().eq(expected), "{funnel}");
    let numbers = ["created", "sent", "redeemed", "redemptions", "active", "used", "revoked"];
    assert_eq!(numbers.map(|name| funnel[name].as_u64().unwrap()), [3, 0, 1, 1, 1, 1, 1]);
    assert_eq!((&funnel["deleted"], &funnel["expired"]), (&json!(0), &json!(0)));
    assert_eq!((&funnel["capped"], &funnel["waiting_since"]), (&json!([]), &Value::Null));
    assert_eq!(funnel["counted_until"], host.harness.service().now().to_string());
    let median = json!({"after_seconds": 3600, "until_seconds": 21600});
    assert_eq!(funnel["median_time_to_redeem"], median);
    let times = funnel["times_to_redeem"].as_array().expect("a list");
    assert_eq!((times.len(), &times[3]["number"]), (11, &json!(1)));
    assert_eq!(times[3]["after_seconds"], 3600);
    assert_eq!(times[10], json!({"after_seconds": 7_776_000, "until_seconds": null, "number": 0}));

    host.harness.clock.advance(Duration::days(8));
    let funnel = host.harness.get("admin", "/funnel").await.json();
    assert_eq!((&funnel["active"], &funnel["expired"]), (&json!(0), &json!(1)));
    // An event that is not counted yet: the expired ones are then a lower bound.
    host.invite("admin", "sales").await;
    let funnel = host.harness.get("admin", "/funnel").await.json();
    assert_eq!(funnel["capped"], json!(["expired"]));
    assert_eq!(funnel["waiting_since"], host.harness.service().now().to_string());
}

#[tokio::test]
async fn funnel_is_of_a_division_an_inviter_or_a_batch_within_reach() {
    let host = Host::new();
    for (who, of) in [("admin", "sales"), ("admin", "operations"), ("sales-manager", "sales")] {
        host.invite(who, of).await;
    }
    let rows = json!([{"division": "sales", "role": "staff"}, {"division": "operations", "role": "staff"}]);
    let bulk = host.harness.post_json("admin", "/bulk", &rows).await.is(201).json();
    let batch = bulk["batch"].as_str().expect("an id");
    host.count().await;
    for (who, query, created) in [
        ("admin", String::new(), 5),
        ("admin", "?division=sales".to_owned(), 3),
        ("sales-manager", String::new(), 3),
        ("sales-manager", "?division=sales".to_owned(), 3),
        ("admin", "?inviter=admin".to_owned(), 4),
        ("sales-manager", "?inviter=admin".to_owned(), 2),
        ("admin", "?inviter=admin&division=operations".to_owned(), 2),
        ("admin", "?inviter=nobody".to_owned(), 0),
        ("admin", format!("?batch={batch}"), 2),
        ("operations-manager", format!("?batch={batch}"), 1),
        ("admin", format!("?batch={batch}&division=sales"), 1),
    ] {
        assert_eq!(host.created(who, &query).await, created, "{who} {query}");
    }
    let foreign = host.harness.get("sales-manager", "/funnel?division=operations").await;
    foreign.problem(403, "forbidden");
    host.harness.get("sales-staff", "/funnel").await.problem(403, "forbidden");
    host.harness.get("", "/funnel").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn wrong_parameters_of_a_funnel_are_named() {
    let host = Host::new();
    let batch = "01890000-0000-7000-8000-000000000000";
    for (query, pointers) in [
        ("?batch=x", &["/batch"][..]),
        ("?division=&inviter=", &["/division", "/inviter"]),
        ("?status=active", &["/status"]),
        (&format!("?inviter=mia&batch={batch}"), &["/batch"]),
        ("?division=a&division=b", &["/division"]),
    ] {
        host.harness.get("admin", &format!("/funnel{query}")).await.invalid(pointers);
    }
}

#[tokio::test]
async fn without_a_funnel_the_route_does_not_exist() {
    Harness::api().get("admin", "/funnel").await.problem(404, "not-found");
}
