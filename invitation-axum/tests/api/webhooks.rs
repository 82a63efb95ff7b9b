//! Tests of the routes about webhooks.

use std::{collections::BTreeSet, sync::Arc};

use axum::{body::Body, http::Method};
use invitation_core::{
    Actor, EventCriteria, MemoryStore, Paging, Policy, Right, Rights, Role, UserId,
    audit::{Action, EventOutcome},
};
use invitation_delivery::webhook::{Transport, Webhooks};
use serde_json::{Value, json};

use crate::{
    harness::{API, hooks, person},
    support::{Answer, Harness, json, request},
};

const URL: &str = "https://crm.example/hooks/T0KEN?key=T0KEN";

/// A host with webhooks, and what its worker does.
struct Host {
    harness: Harness,
    webhooks: Webhooks<Arc<MemoryStore>>,
}

impl Host {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let harness = Harness::on(API, Arc::<MemoryStore>::clone(&store));
        let webhooks = Webhooks::new(store, &Transport::default()).expect("a client");
        Self::of(harness, webhooks)
    }

    fn of(harness: Harness, webhooks: Webhooks<Arc<MemoryStore>>) -> Self {
        let webhooks = webhooks.with_clock(harness.clock.clone());
        Self { harness: harness.with_web(|web| web.with_webhooks(webhooks.clone())), webhooks }
    }

    /// Returns a host with an endpoint whose only attempt has failed: nothing listens there.
    async fn failed() -> Self {
        let store = Arc::new(MemoryStore::new());
        let harness = Harness::on(API, Arc::<MemoryStore>::clone(&store));
        let webhooks = hooks::webhooks(&store, &harness.clock);
        let host = Self::of(harness, webhooks);
        host.post("admin", "", &json!({"name": "crm", "url": hooks::closed()})).await.is(201);
        host.harness.invite().await;
        host.harness.invite().await;
        let run = host.webhooks.run().await.expect("it runs");
        assert_eq!((run.failed, run.stopped.len()), (1, 1));
        host
    }

    async fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        self.harness.post_json(who, &format!("/webhooks{path}"), body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.harness.get("admin", &format!("/webhooks{path}")).await.is(200).json()
    }

    /// Returns outcome and detail of the events about webhooks, oldest first.
    async fn evidence(&self) -> Vec<(EventOutcome, Value)> {
        let (admin, all) = (person("admin").expect("a person"), Paging::first(50).expect("a page"));
        let criteria = EventCriteria::new().of_action(Action::Webhooks);
        let page = self.harness.service().events(&admin, &criteria, all).await.expect("a page");
        let detail = |event: &invitation_core::Event| {
            let pairs = event.detail.iter().map(|(name, value)| (name.to_owned(), value.into()));
            Value::Object(pairs.collect())
        };
        page.items().iter().rev().map(|event| (event.outcome, detail(event))).collect()
    }
}

#[tokio::test]
async fn endpoint_is_registered_with_a_secret_that_no_other_answer_contains() {
    let host = Host::new();
    let body = json!({"name": "crm hooks", "url": URL, "division": "sales", "names": true});
    let answer = host.post("admin", "", &body).await.is(201);
    let place = answer.headers["location"].to_str().expect("a path").to_owned();
    assert_eq!(place, format!("{API}/webhooks/crm%20hooks"));
    let new = answer.json();
    let secret = new["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_"));

    let shown = host.get("/crm%20hooks").await;
    let fields: BTreeSet<_> = shown.as_object().expect("one").keys().map(String::as_str).collect();
    let expected = [
        "division",
        "failure",
        "last_success_at",
        "name",
        "names",
        "next_attempt_at",
        "pending",
        "position",
        "receiver",
        "since",
        "state",
    ];
    assert!(fields.into_iter().eq(expected), "{shown}");
    assert_eq!(
        (&shown["receiver"], &shown["state"]),
        (&"https://crm.example".into(), &"active".into())
    );
    assert_eq!(shown["pending"], json!({"number": 0, "is_exact": true}));
    let listed = host.get("").await;
    assert_eq!(listed["items"][0]["name"], "crm hooks");

    let rotated = host.post("admin", "/crm%20hooks/secret", &json!({"overlap_hours": 0})).await;
    let second = rotated.is(200).json();
    assert_eq!(second.as_object().expect("one").len(), 1);
    assert_ne!(second["secret"], new["secret"]);
    let mut answers = vec![host.get("").await, host.get("/crm%20hooks").await];
    for change in ["disable", "enable", "retry"] {
        let path = format!("/crm%20hooks/{change}");
        answers.push(host.post("admin", &path, &json!({})).await.is(200).json());
    }
    answers.push(host.harness.get("admin", "/events").await.is(200).json());
    for answer in answers {
        let text = answer.to_string();
        assert!(!text.contains("whsec_") && !text.contains("T0KEN"), "{text}");
    }
}

#[tokio::test]
async fn unsuitable_values_are_named_and_private_addresses_are_refused() {
    let host = Host::new();
    for (body, pointers) in [
        (json!({"name": "crm", "url": "https://127.0.0.1/"}), &["/url"][..]),
        (json!({"name": "crm", "url": "https://[::ffff:10.0.0.1]/"}), &["/url"]),
        (json!({"name": "crm", "url": "https://169.254.169.254/latest"}), &["/url"]),
        (json!({"name": "crm", "url": "https://localhost/"}), &["/url"]),
        (json!({"name": "crm", "url": "http://crm.example/"}), &["/url"]),
        (json!({"name": "crm", "url": "https://me:s3cret@crm.example/"}), &["/url"]),
        (json!({"name": "", "url": "crm"}), &["/name", "/url"]),
        (json!({"name": "n".repeat(57), "url": URL}), &["/name"]),
        (json!({"name": "crm", "url": URL, "division": " "}), &["/division"]),
        (json!({"name": "crm", "url": URL, "secret": "x"}), &["/secret"]),
        (json!({}), &["/name", "/url"]),
        (json!({"name": "crm"}), &["/url"]),
        (json!({"url": URL, "name": null, "division": " "}), &["/name", "/division"]),
    ] {
        let refused = host.post("admin", "", &body).await;
        assert!(!refused.text().contains("s3cret"), "{}", refused.text());
        refused.invalid(pointers);
    }
    assert!(host.get("").await["items"].as_array().expect("items").is_empty());
    assert!(host.evidence().await.is_empty(), "input that is not accepted leaves no event");

    host.post("admin", "", &json!({"name": "crm", "url": URL})).await.is(201);
    host.post("admin", "", &json!({"name": "crm", "url": URL})).await.invalid(&["/name"]);
    let too_long = json!({"overlap_hours": 721});
    host.post("admin", "/crm/secret", &too_long).await.invalid(&["/overlap_hours"]);
    for _ in 0..3 {
        host.post("admin", "/crm/secret", &json!({})).await.is(200);
    }
    host.post("admin", "/crm/secret", &json!({})).await.invalid(&["/overlap_hours"]);
    for body in [json!({"event": "x"}), json!({}), json!({"event": null})] {
        host.post("admin", "/crm/skip", &body).await.invalid(&["/event"]);
    }
}

#[tokio::test]
async fn registration_under_a_key_is_made_once_and_gives_its_secret_again() {
    let host = Host::new();
    let register = async |key: &str, body: &Value| {
        let mut request = json(Method::POST, "admin", "/webhooks", body);
        request.headers_mut().insert("idempotency-key", key.parse().expect("a header"));
        host.harness.send(request).await
    };
    let crm = json!({"name": "crm", "url": URL});
    let first = register("k", &crm).await.is(201);
    // The answer was lost, and the endpoint has changed since.
    host.post("admin", "/crm/disable", &json!({})).await.is(200);
    let again = register("k", &crm).await.is(201);
    assert_eq!(again.json()["secret"], first.json()["secret"]);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.json()["state"], "disabled");
    for other in [
        json!({"name": "crm", "url": URL, "names": true}),
        json!({"name": "crm", "url": URL, "division": "sales"}),
        json!({"name": "crm", "url": "https://crm.example/"}),
        json!({"name": "erp", "url": URL}),
    ] {
        register("k", &other).await.problem(409, "idempotency-key-reused");
    }
    register("l", &crm).await.invalid(&["/name"]);
    for wrong in ["", "a b", &"k".repeat(129)] {
        let problem = register(wrong, &crm).await.invalid(&["/Idempotency-Key"]);
        assert_eq!(problem["errors"][0]["in"], "header");
    }
    assert_eq!(host.get("").await["items"].as_array().map(Vec::len), Some(1));
    let evidence = host.evidence().await;
    let registered = evidence.iter().filter(|(outcome, detail)| {
        *outcome == EventOutcome::Succeeded && detail["change"] == "registered"
    });
    assert_eq!(registered.count(), 1);

    host.post("admin", "/crm/secret", &json!({"overlap_hours": 0})).await.is(200);
    let replaced = register("k", &crm).await.problem(409, "conflict");
    assert_eq!(replaced["detail"], "the secret of this registration has been replaced since");
}

#[tokio::test]
async fn stopped_endpoint_shows_its_failure_and_is_retried_or_goes_on() {
    let host = Box::pin(Host::failed()).await;
    let shown = host.get("/crm").await;
    assert_eq!((&shown["state"], &shown["next_attempt_at"]), (&"stopped".into(), &Value::Null));
    assert_eq!(shown["failure"]["cause"], "no connection to the receiver");
    assert_eq!(shown["failure"]["attempts"], 1);
    assert_eq!(shown["pending"], json!({"number": 2, "is_exact": true}));

    let retried = host.post("admin", "/crm/retry", &json!({})).await.is(200).json();
    assert_eq!((&retried["state"], &retried["failure"]["attempts"]), (&"active".into(), &0.into()));
    assert_eq!(host.webhooks.run().await.expect("it runs").stopped.len(), 1);
    let blocking = shown["failure"]["event"].clone();
    let skipped = host.post("admin", "/crm/skip", &json!({"event": blocking})).await.is(200).json();
    assert_eq!((&skipped["state"], &skipped["failure"]), (&"active".into(), &Value::Null));
    assert_eq!(host.get("/crm").await["pending"]["number"], 1);

    let disabled = host.post("admin", "/crm/disable", &json!({})).await.is(200).json();
    assert_eq!(
        (&disabled["state"], &disabled["next_attempt_at"]),
        (&"disabled".into(), &Value::Null)
    );
    assert_eq!(host.post("admin", "/crm/retry", &json!({})).await.is(200).json(), disabled);
    let enabled = host.post("admin", "/crm/enable", &json!({})).await.is(200).json();
    assert_eq!(enabled["state"], "active");
}

#[tokio::test]
async fn each_change_leaves_one_event_and_a_repeated_one_none() {
    let host = Box::pin(Host::failed()).await;
    let blocking = host.get("/crm").await["failure"]["event"].clone();
    for path in ["secret", "retry", "disable", "disable", "enable", "enable"] {
        host.post("admin", &format!("/crm/{path}"), &json!({})).await.is(200);
    }
    host.post("admin", "/crm/skip", &json!({"event": blocking})).await.is(200);
    host.post("admin", "/crm/skip", &json!({"event": blocking})).await.is(200);
    let delete = || request(Method::DELETE, "admin", "/webhooks/crm").body(Body::empty());
    host.harness.send(delete().expect("a request")).await.is(204);
    host.harness.send(delete().expect("a request")).await.problem(404, "not-found");
    let evidence = host.evidence().await;
    let changes = |outcome| {
        let with = evidence.iter().filter(move |(own, _)| *own == outcome);
        with.map(|(_, detail)| detail["change"].as_str().unwrap_or_default()).collect::<Vec<_>>()
    };
    let expected =
        ["registered", "secret_rotated", "retried", "disabled", "enabled", "skipped", "removed"];
    // The clock stands still, so the order is that of the ids.
    assert_eq!(changes(EventOutcome::Succeeded), expected);
    assert_eq!(changes(EventOutcome::Failed), ["stopped"], "by the worker");
    assert_eq!(changes(EventOutcome::Refused).len(), 1, "there was nothing to remove any more");
    let (_, registered) =
        evidence.iter().find(|(_, detail)| detail["change"] == "registered").expect("an event");
    assert!(registered["receiver"].as_str().expect("an origin").starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn only_administrators_of_all_divisions_manage_webhooks() {
    let host = Host::new();
    host.post("admin", "", &json!({"name": "crm", "url": URL})).await.is(201);
    for who in ["sales-manager", "sales-staff"] {
        host.harness.get(who, "/webhooks").await.problem(403, "forbidden");
        host.harness.get(who, "/webhooks/crm").await.problem(403, "forbidden");
        // Before the body is looked at, and whether the endpoint exists or not.
        host.post(who, "", &json!({"no": 1})).await.problem(403, "forbidden");
        for path in ["/crm/secret", "/crm/enable", "/crm/disable", "/nope/retry", "/crm/skip"] {
            host.post(who, path, &json!({})).await.problem(403, "forbidden");
        }
    }
    host.harness.get("", "/webhooks").await.problem(401, "unauthenticated");
    for path in ["/nope", "/%ff"] {
        host.harness.get("admin", &format!("/webhooks{path}")).await.problem(404, "not-found");
        let answer = host.post("admin", &format!("{path}/disable"), &json!({})).await;
        answer.problem(404, "not-found");
        let too_long = json!({"overlap_hours": 721});
        let answer = host.post("admin", &format!("{path}/secret"), &too_long).await;
        answer.invalid(&["/overlap_hours"]);
    }

    // The right alone is not enough: an endpoint hears of all divisions.
    let manager = Role::new("manager").expect("a role");
    let policy =
        Policy::default().with_added_rights(manager, Rights::none().may([Right::Webhooks]));
    let harness = host.harness.with_service(|service| service.with_policy(policy));
    let harness = harness.with_web(|web| web.with_webhooks(host.webhooks.clone()));
    harness.get("sales-manager", "/webhooks").await.problem(403, "forbidden");
    let other = Actor::across_divisions(
        UserId::new("m").expect("an id"),
        Role::new("manager").expect("a role"),
    );
    let endpoints = invitation_core::webhook::Endpoints::new(
        harness.service().clone(),
        Arc::new(host.webhooks),
    );
    assert_eq!(endpoints.list(&other).await.expect("a list").len(), 1);
}

#[tokio::test]
async fn without_webhooks_the_routes_do_not_exist() {
    let harness = Harness::api();
    harness.get("admin", "/webhooks").await.problem(404, "not-found");
    let body = json!({"name": "crm", "url": URL});
    // `/{id}` accepts no POST.
    harness.post_json("admin", "/webhooks", &body).await.problem(405, "method-not-allowed");
    harness.post_json("admin", "/webhooks/crm/enable", &json!({})).await.problem(404, "not-found");
}
