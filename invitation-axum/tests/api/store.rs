//! A store that fails when a test tells it to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use axum::{body::Body, http::Method};
use invitation_core::{
    Intercept, Interceptor, MemoryStore, Operation, Store, StoreCall, StoreError, StoreErrorKind,
};
use serde_json::json;

use crate::support::{Harness, MOUNT, request};

/// The fault that every call of the store has while a test demands it.
#[derive(Debug, Default)]
struct Outage {
    fault: Mutex<Option<StoreErrorKind>>,
    panicking: AtomicBool,
}

impl Outage {
    fn set(&self, kind: Option<StoreErrorKind>) {
        *self.fault.lock().expect("it is there") = kind;
    }
}

#[async_trait]
impl Interceptor for Outage {
    async fn intercept(&self, _: Operation, call: StoreCall<'_>) -> Result<(), StoreError> {
        assert!(!self.panicking.load(Ordering::SeqCst), "CANARY-7KQ2");
        let fault = *self.fault.lock().expect("it is there");
        if let Some(kind) = fault {
            return Err(StoreError::new(kind, "try").because("CANARY-7KQ2"));
        }
        _ = call.await;
        Ok(())
    }
}

type Failing = Intercept<MemoryStore, Outage>;

fn harness() -> (Arc<Failing>, Harness) {
    let store = Arc::new(Intercept::new(MemoryStore::new(), Outage::default()));
    let harness = Harness::on(MOUNT, Arc::clone(&store) as Arc<dyn Store>);
    (store, harness)
}

#[tokio::test]
async fn a_store_that_is_down_is_503_on_every_route() {
    let (store, harness) = harness();
    let created = harness.create("admin", &json!({"role": "staff", "division": "sales"})).await;
    let id = created["id"].as_str().unwrap();
    for (kind, wait) in [
        (StoreErrorKind::Unavailable, "5"),
        (StoreErrorKind::Conflict, "1"),
        (StoreErrorKind::OutcomeUnknown, "5"),
        (StoreErrorKind::NotMigrated, "5"),
    ] {
        store.interceptor().set(Some(kind));
        let staff = json!({"role": "staff", "division": "sales"});
        let mut answers = vec![
            harness.post_json("admin", "", &staff).await,
            harness.post_json("admin", "/search", &json!({})).await,
            harness.post_json("admin", "/bulk", &json!([staff])).await,
            harness.post_json("admin", "/bulk?mode=best_effort", &json!([staff])).await,
        ];
        for path in ["", "/counts", "/events", "/export.csv", &format!("/{id}")] {
            answers.push(harness.get("admin", path).await);
        }
        for what in ["copy", "revoke", "reinstate", "rotate"] {
            answers.push(harness.post_json("admin", &format!("/{id}/{what}"), &json!({})).await);
        }
        let delete = request(Method::DELETE, "admin", &format!("/{id}")).body(Body::empty());
        answers.push(harness.send(delete.unwrap()).await);
        // A denial without evidence must not be answered as a denial.
        answers.push(harness.get("sales-staff", "").await);
        for answer in answers {
            answer.problem(503, "unavailable");
            assert_eq!(answer.header("retry-after"), wait);
            assert!(!answer.text().contains("CANARY"), "what broke is not for the client");
        }
    }
    store.interceptor().set(None);
    assert_eq!(
        harness.get("admin", &format!("/{id}")).await.json(),
        created,
        "and then it is back"
    );
}

#[tokio::test]
async fn what_is_broken_is_500_and_tells_nothing() {
    let (store, harness) = harness();
    for kind in [StoreErrorKind::Corrupt, StoreErrorKind::Other] {
        store.interceptor().set(Some(kind));
        let answer = harness.get("admin", "").await;
        answer.problem(500, "internal");
        assert!(!answer.text().contains("CANARY"));
    }
    store.interceptor().set(None);
    store.interceptor().panicking.store(true, Ordering::SeqCst);
    let answer = harness.get("admin", "").await;
    answer.problem(500, "internal");
    assert!(!answer.text().contains("CANARY"));
    assert!(!answer.header("x-request-id").is_empty(), "it can be found in the log");
}

#[tokio::test]
async fn an_export_that_breaks_off_does_not_look_complete() {
    let (store, harness) = harness();
    // More pages than the server reads ahead of the client.
    let rows = vec![json!({"role": "staff", "division": "sales"}); 900];
    assert_eq!(harness.post_json("admin", "/bulk", &json!(rows)).await.status, 201);
    let asked = request(Method::GET, "admin", "/export.csv").body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(harness.app(), asked).await.unwrap();
    assert_eq!(response.status(), 200);
    store.interceptor().set(Some(StoreErrorKind::Unavailable));
    let body = http_body_util::BodyExt::collect(response.into_body()).await;
    assert!(body.is_err(), "the connection breaks, and the client sees it");
}
