//! A host for tests: an in-memory store that fails on demand, a clock that tests set, and
//! users who are known by their token.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use invitation_axum::{BaseUrl, Parts, Service, Web};
use invitation_core::{
    Actor, Error, Invitations, ManualClock, MemoryStore, Redeemer, Store, Timestamp, UserId,
    Username,
};
use serde_json::Value;

pub(crate) use crate::answer::Answer;
use crate::people::person;

pub(crate) const MOUNT: &str = "/api/invitations";

/// Returns the user whose name is the bearer token, if it is one of the known users.
pub(crate) fn who(request: &Parts) -> Option<Actor> {
    let token = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    person(token.strip_prefix("Bearer ")?)
}

/// The routers, and the service, store and clock behind them.
pub(crate) struct World {
    pub(crate) app: Router,
    pub(crate) web: Web,
    pub(crate) clock: ManualClock,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(Self::memory(), |service| service)
    }

    pub(crate) fn memory() -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    pub(crate) fn on(store: Arc<dyn Store>, set: impl FnOnce(Service) -> Service) -> Self {
        let start = Timestamp::from_micros(1_800_000_000_000_000).expect("a time");
        let clock = ManualClock::new(start);
        let service = set(Invitations::new(store).with_clock(clock.clone()));
        let base = BaseUrl::parse("https://example.com").expect("an address");
        let web = Web::new(service, who).with_base_url(base);
        Self { app: app(&web), web, clock }
    }

    /// Changes the settings of the routers.
    pub(crate) fn with(mut self, set: impl FnOnce(Web) -> Web) -> Self {
        self.web = set(self.web);
        self.app = app(&self.web);
        self
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::to(request, &self.app).await
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(request(Method::GET, who, path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        self.send(json(Method::POST, who, path, body)).await
    }

    /// Redeems a code as a new user of this name.
    pub(crate) async fn redeem(&self, code: &str, name: &str) -> Result<(), Error> {
        let user = UserId::new(format!("u-{name}")).expect("an id");
        let redeemer = Redeemer::new(user, Username::new(name).expect("a name"));
        self.web.service().redeem(code, &redeemer).await.map(drop)
    }

    /// Creates an invitation, and returns its JSON.
    pub(crate) async fn created(&self, who: &str, body: &Value) -> Value {
        let answer = self.post(who, "", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()
    }
}

fn app(web: &Web) -> Router {
    Router::new().nest_service(MOUNT, web.api()).merge(web.openapi_router(MOUNT))
}

/// Builds a request to a path below the mount point. An empty `who` sends no token.
pub(crate) fn request(method: Method, who: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(format!("{MOUNT}{path}"));
    if who.is_empty() { request } else { request.header("authorization", format!("Bearer {who}")) }
}

pub(crate) fn json(method: Method, who: &str, path: &str, body: &Value) -> Request<Body> {
    request(method, who, path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request")
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    /// Asserts that the response is this problem, and returns its JSON.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{} {self:?}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem: Value = serde_json::from_slice(&self.bytes).expect("JSON");
        assert_eq!(problem["type"], format!("urn:invitation:problem:{name}"));
        assert_eq!(problem["status"], status);
        problem
    }

    /// Asserts that exactly these fields, in this order, were not accepted.
    #[track_caller]
    pub(crate) fn invalid(&self, pointers: &[&str]) -> Value {
        let problem = self.problem(422, "invalid");
        let errors = problem["errors"].as_array().expect("errors");
        let found: Vec<_> = errors.iter().map(|e| e["pointer"].as_str().expect("text")).collect();
        assert_eq!(found, pointers, "{problem}");
        problem
    }
}
