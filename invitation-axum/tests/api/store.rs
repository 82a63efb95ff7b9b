//! A store that fails when a test tells it to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use axum::{body::Body, http::Method};
use invitation_core::{
    CommittedBy, Event, EventFilter, EventId, Facts, Filter, Insert, Inserted, Invitation,
    InvitationId, Invitee, Located, MemoryStore, OpenLease, Outcome, PageRequest, Purge, Purged,
    Redemption, Scope, StatusCounts, Store, StoreError, StoreErrorKind, StorePage, Target,
    Timestamp, Transition, UserId,
};
use serde_json::json;

use crate::support::{Harness, MOUNT, request};

/// The in-memory store, which returns errors while a test demands it.
#[derive(Debug, Default)]
struct Failing {
    store: MemoryStore,
    fault: Mutex<Option<StoreErrorKind>>,
    panicking: AtomicBool,
}

impl Failing {
    fn set(&self, kind: Option<StoreErrorKind>) {
        *self.fault.lock().expect("it is there") = kind;
    }

    fn check(&self) -> Result<()> {
        assert!(!self.panicking.load(Ordering::SeqCst), "CANARY-7KQ2");
        match *self.fault.lock().expect("it is there") {
            Some(kind) => Err(StoreError::new(kind, "try").because("CANARY-7KQ2")),
            None => Ok(()),
        }
    }
}

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl Store for Failing {
    fn committed_by(&self) -> CommittedBy {
        self.store.committed_by()
    }

    async fn insert(&self, insert: &Insert) -> Result<Inserted> {
        self.check()?;
        self.store.insert(insert).await
    }

    async fn apply(&self, transitions: &[Transition]) -> Vec<Result<Outcome>> {
        match self.check() {
            Ok(()) => self.store.apply(transitions).await,
            Err(error) => vec![Err(error)],
        }
    }

    async fn get(&self, target: &Target, scope: &Scope) -> Result<Option<Invitation>> {
        self.check()?;
        self.store.get(target, scope).await
    }

    async fn facts(&self, target: &Target, scope: &Scope, user: &UserId) -> Result<Option<Facts>> {
        self.check()?;
        self.store.facts(target, scope, user).await
    }

    async fn locate(&self, target: &Target) -> Result<Option<Located>> {
        self.check()?;
        self.store.locate(target).await
    }

    async fn invited(&self, invitees: &[Invitee], now: Timestamp) -> Result<Vec<bool>> {
        self.check()?;
        self.store.invited(invitees, now).await
    }

    async fn list(
        &self,
        scope: &Scope,
        filter: &Filter,
        page: &PageRequest<InvitationId>,
    ) -> Result<StorePage<Invitation, InvitationId>> {
        self.check()?;
        self.store.list(scope, filter, page).await
    }

    async fn count(&self, scope: &Scope, filter: &Filter, cap: u32) -> Result<StatusCounts> {
        self.check()?;
        self.store.count(scope, filter, cap).await
    }

    async fn record(&self, events: &[Event]) -> Result<()> {
        self.check()?;
        self.store.record(events).await
    }

    async fn events(
        &self,
        scope: &Scope,
        filter: &EventFilter,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Event, EventId>> {
        self.check()?;
        self.store.events(scope, filter, page).await
    }

    async fn redemptions(
        &self,
        scope: &Scope,
        id: InvitationId,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<Redemption, EventId>> {
        self.check()?;
        self.store.redemptions(scope, id, page).await
    }

    async fn leases(
        &self,
        scope: &Scope,
        page: &PageRequest<EventId>,
    ) -> Result<StorePage<OpenLease, EventId>> {
        self.check()?;
        self.store.leases(scope, page).await
    }

    async fn purge(&self, purge: &Purge) -> Result<Purged> {
        self.check()?;
        self.store.purge(purge).await
    }
}

fn harness() -> (Arc<Failing>, Harness) {
    let store = Arc::new(Failing::default());
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
    ] {
        store.set(Some(kind));
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
    store.set(None);
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
        store.set(Some(kind));
        let answer = harness.get("admin", "").await;
        answer.problem(500, "internal");
        assert!(!answer.text().contains("CANARY"));
    }
    store.set(None);
    store.panicking.store(true, Ordering::SeqCst);
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
    store.set(Some(StoreErrorKind::Unavailable));
    let body = http_body_util::BodyExt::collect(response.into_body()).await;
    assert!(body.is_err(), "the connection breaks, and the client sees it");
}
