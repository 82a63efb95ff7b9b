//! Tests of the endpoints about mails.

use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc};

use axum::http::Method;
use invitation_core::{
    Limits, MemoryStore, Store, SystemActor,
    delivery::{Deliveries, DeliveryFailure, FailureKind, MessageId},
    feed::Feed,
};
use serde_json::{Value, json};
use time::Duration;

use crate::{
    harness::API,
    support::{self, Harness},
};

/// A host that sends mails, and what its worker does.
pub(crate) struct Host {
    pub(crate) harness: Harness,
    store: Arc<MemoryStore>,
}

impl Host {
    pub(crate) fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let harness = Harness::on(API, Arc::<MemoryStore>::clone(&store))
            .with_web(|web| web.with_deliveries(Arc::<MemoryStore>::clone(&store)));
        Self { harness, store }
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let Self { harness, store } = Self::new();
        let harness = harness.with_service(|service| service.with_limits(limits));
        let harness =
            harness.with_web(|web| web.with_deliveries(Arc::<MemoryStore>::clone(&store)));
        Self { harness, store }
    }

    /// Creates an invitation of sales for an address, and returns its id.
    async fn invite(&self, email: &str) -> String {
        let body = json!({"email": email, "division": "sales", "role": "staff"});
        let created = self.harness.create("admin", &body).await;
        created["id"].as_str().expect("an id").to_owned()
    }

    /// Queues the mails of new invitations, and ends each that is due.
    async fn work(&self, failure: Option<DeliveryFailure>) {
        let deliveries: Deliveries<Arc<dyn Store>> =
            Deliveries::new(self.harness.service().clone(), Arc::<MemoryStore>::clone(&self.store));
        let hundred = NonZeroU32::new(100).expect("not zero");
        let page = self.store.feed(None, hundred).await.expect("a page");
        let events: Vec<_> = page.events.into_iter().map(|one| one.event).collect();
        deliveries.queue(&events).await.expect("it is queued");
        let worker = SystemActor::new("mail").expect("a name");
        for due in deliveries.due(hundred).await.expect("a list") {
            let claimed = deliveries.claim(&worker, &due, Duration::MINUTE, 3).await;
            let Some(claimed) = claimed.expect("a claim") else { continue };
            let domain = "example.com".parse().expect("a domain");
            let written = match failure {
                Some(failure) => deliveries.failed(&worker, &claimed, failure, None).await,
                None => {
                    deliveries.sent(&worker, &claimed, &MessageId::new(due.id(), &domain)).await
                }
            };
            assert!(written.expect("it is written"));
        }
    }

    pub(crate) async fn deliveries_of(&self, id: &str) -> Vec<Value> {
        let page = self.harness.get("sales-manager", &format!("/{id}/deliveries")).await.json();
        page["items"].as_array().expect("items").clone()
    }
}

#[tokio::test]
async fn mails_of_an_invitation_are_shown_to_those_who_may_view_it() {
    let host = Host::new();
    let id = host.invite("anna@example.com").await;
    assert!(host.deliveries_of(&id).await.is_empty(), "not queued yet");
    host.work(None).await;
    let [sent] = &host.deliveries_of(&id).await[..] else { panic!("one mail") };
    let fields: BTreeSet<_> = sent.as_object().expect("one").keys().map(String::as_str).collect();
    let expected = [
        "attempts",
        "ended_at",
        "failure",
        "id",
        "invitation",
        "message_id",
        "next_attempt_at",
        "purpose",
        "queued_at",
        "reason",
        "rotated",
        "state",
    ];
    assert!(fields.into_iter().eq(expected), "{sent}");
    assert_eq!((&sent["state"], &sent["purpose"]), (&json!("sent"), &json!("invited")));
    assert_eq!((&sent["failure"], &sent["next_attempt_at"]), (&Value::Null, &Value::Null));
    let message_id = format!("{}@example.com", sent["id"].as_str().expect("an id"));
    assert_eq!(sent["message_id"], message_id);
    let nothing = "01890000-0000-7000-8000-000000000000";
    for (who, id) in [("operations-manager", &*id), ("admin", nothing), ("admin", "nonsense")] {
        let answer = host.harness.get(who, &format!("/{id}/deliveries")).await;
        answer.problem(404, "not-found");
    }
    host.harness.get("sales-staff", &format!("/{id}/deliveries")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn failed_mail_is_listed_and_retried_by_an_administrator() {
    let host = Host::new();
    let id = host.invite("anna@example.com").await;
    let refused = DeliveryFailure::new(FailureKind::Refused).with_reply(550);
    host.work(Some(refused)).await;
    let failed = host.harness.get("admin", "/deliveries?state=failed").await.json();
    let [mail] = &failed["items"].as_array().expect("items")[..] else { panic!("{failed}") };
    assert_eq!(mail["failure"], json!({"kind": "refused", "reply": 550}));
    assert_eq!(mail["invitation"], id);
    let retry = format!("/deliveries/{}/retry", mail["id"].as_str().expect("an id"));
    host.harness.post_json("sales-manager", &retry, &json!({})).await.problem(403, "forbidden");
    for _ in 0..2 {
        let retried = host.harness.post_json("admin", &retry, &json!({})).await.is(200).json();
        assert_eq!((&retried["state"], &retried["attempts"]), (&json!("queued"), &json!(0)));
    }
    let failed = host.harness.get("admin", "/deliveries?state=failed").await.json();
    assert_eq!(failed, json!({"items": [], "next_cursor": null}));
    host.work(None).await;
    assert_eq!(host.deliveries_of(&id).await[0]["state"], "sent");

    for unknown in ["01890000-0000-7000-8000-000000000000", "nonsense"] {
        let retry = format!("/deliveries/{unknown}/retry");
        host.harness.post_json("admin", &retry, &json!({})).await.problem(404, "not-found");
    }
    host.harness.get("admin", "/deliveries?state=lost").await.invalid(&["/state"]);
    host.harness.get("sales-manager", "/deliveries").await.problem(403, "forbidden");
}

#[tokio::test]
async fn deliveries_are_paged_newest_first() {
    let host = Host::new();
    for n in 0..3 {
        host.invite(&format!("anna{n}@example.com")).await;
        host.harness.clock.advance(Duration::SECOND);
    }
    host.work(None).await;
    let page = host.harness.get("admin", "/deliveries?limit=2").await.json();
    let times = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("items");
        items.iter().map(|one| one["queued_at"].as_str().expect("a time").to_owned()).collect()
    };
    let cursor = page["next_cursor"].as_str().expect("more follow");
    let rest = host.harness.get("admin", &format!("/deliveries?cursor={cursor}")).await.json();
    let all = [times(&page), times(&rest)].concat();
    assert!(all.len() == 3 && all.is_sorted_by(|a, b| a > b), "{all:?}");
    host.harness.get("admin", &format!("?cursor={cursor}")).await.invalid(&["/cursor"]);
}

#[tokio::test]
async fn invitation_is_sent_again_with_the_same_code_or_a_new_one() {
    let host = Host::new();
    let id = host.invite("anna@example.com").await;
    let code = host.harness.get("admin", &format!("/{id}")).await.json()["code"].clone();
    let path = format!("/{id}/resend");
    host.harness.post_json("sales-manager", &path, &json!({})).await.problem(403, "forbidden");
    let same = host.harness.post_json("admin", &path, &json!({})).await.is(202).json();
    assert_eq!((&same["purpose"], &same["rotated"]), (&json!("resent"), &json!(false)));
    assert_eq!(host.harness.get("admin", &format!("/{id}")).await.json()["code"], code);
    let new = host.harness.post_json("admin", &path, &json!({"rotate": true})).await.is(202);
    assert_eq!(new.json()["rotated"], true);
    assert_ne!(host.harness.get("admin", &format!("/{id}")).await.json()["code"], code);
    host.harness.post_json("admin", &path, &json!({"rotate": 1})).await.invalid(&["/rotate"]);
    host.harness.post_json("admin", &path, &json!({"to": "x"})).await.problem(422, "invalid");
    host.work(None).await;
    let states: Vec<_> =
        host.deliveries_of(&id).await.iter().map(|mail| mail["state"].clone()).collect();
    assert_eq!(states, ["sent", "sent", "sent"]);
}

#[tokio::test]
async fn resend_with_the_same_key_queues_one_mail() {
    let host = Host::new();
    let id = host.invite("anna@example.com").await;
    let send = async |body: &Value| {
        let request = support::request(Method::POST, "admin", &format!("/{id}/resend"));
        let request = request.header("idempotency-key", "k-1");
        let request = request.header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(body.to_string())).expect("a request");
        host.harness.send(request).await
    };
    let first = send(&json!({})).await.is(202).json();
    assert_eq!(send(&json!({})).await.is(202).json(), first);
    send(&json!({"rotate": true})).await.problem(409, "idempotency-key-reused");
    assert_eq!(host.deliveries_of(&id).await.len(), 1);
}

#[tokio::test]
async fn resend_of_an_ended_or_unbound_invitation_is_a_conflict() {
    let host = Host::new();
    let unbound = host.harness.invite().await.invitation().id().to_string();
    let revoked = host.invite("anna@example.com").await;
    let revoke = host.harness.post_json("admin", &format!("/{revoked}/revoke"), &json!({})).await;
    assert_eq!(revoke.status, 200);
    for id in [unbound, revoked] {
        let answer = host.harness.post_json("admin", &format!("/{id}/resend"), &json!({})).await;
        answer.problem(409, "conflict");
    }
}

#[tokio::test]
async fn resends_beyond_the_limit_get_429_with_the_time_to_wait() {
    let limits = Limits::default().with_resends_per_address(NonZeroU32::MIN).expect("a limit");
    let host = Host::with_limits(limits);
    let id = host.invite("anna@example.com").await;
    let path = format!("/{id}/resend");
    assert_eq!(host.harness.post_json("admin", &path, &json!({})).await.status, 202);
    host.harness.clock.advance(Duration::HOUR);
    let refused = host.harness.post_json("admin", &path, &json!({})).await;
    assert_eq!(refused.headers["retry-after"], (23 * 3600).to_string());
    refused.problem(429, "too-many-requests");
    // A part of a second is rounded up, so that a client that waits for it is not refused again.
    host.harness.clock.advance(Duration::milliseconds(200));
    let refused = host.harness.post_json("admin", &path, &json!({})).await;
    assert_eq!(refused.headers["retry-after"], (23 * 3600).to_string());
    host.harness.clock.advance(Duration::hours(23) - Duration::milliseconds(201));
    let refused = host.harness.post_json("admin", &path, &json!({})).await;
    assert_eq!(refused.headers["retry-after"], "1");
    host.harness.clock.advance(Duration::SECOND);
    host.harness.post_json("admin", &path, &json!({})).await.is(202);
}

#[tokio::test]
async fn without_deliveries_the_routes_do_not_exist() {
    let harness = Harness::api();
    let id = harness.invite().await.invitation().id().to_string();
    for path in ["/deliveries".to_owned(), format!("/{id}/deliveries")] {
        harness.get("admin", &path).await.problem(404, "not-found");
    }
    for path in [format!("/{id}/resend"), format!("/deliveries/{id}/retry")] {
        harness.post_json("admin", &path, &json!({})).await.problem(404, "not-found");
    }
    // As any other text that is no id.
    let body = json!({"role": "staff"});
    harness.post_json("admin", "/resend", &body).await.problem(405, "method-not-allowed");
}
