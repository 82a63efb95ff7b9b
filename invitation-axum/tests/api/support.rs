//! A host as tests need it: an in-memory store that fails on cue, a clock that is moved,
//! and people who are known by their token.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use invitation_axum::{BaseUrl, Parts, Service, Web};
use invitation_core::{
    Actor, Division, Error, Invitations, ManualClock, MemoryStore, Redeemer, Role, Store,
    Timestamp, UserId, Username,
};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const MOUNT: &str = "/api/invitations";

/// `Bearer <name>` is one of these, and nobody else is known.
pub(crate) fn who(request: &Parts) -> Option<Actor> {
    let token = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let name = token.strip_prefix("Bearer ")?;
    let (role, division) = match name {
        "admin" => ("admin", None),
        "sales-manager" => ("manager", Some("sales")),
        "operations-manager" => ("manager", Some("operations")),
        "sales-staff" => ("staff", Some("sales")),
        _ => return None,
    };
    let (user, role) = (UserId::new(name).ok()?, Role::new(role).ok()?);
    Some(match division {
        Some(division) => Actor::in_division(user, role, Division::new(division).ok()?),
        None => Actor::across_divisions(user, role),
    })
}

/// The routers, and what stands behind them.
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

    /// The same, with other settings of the routers.
    pub(crate) fn with(mut self, set: impl FnOnce(Web) -> Web) -> Self {
        self.web = set(self.web);
        self.app = app(&self.web);
        self
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.expect("routers do not fail");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(request(Method::GET, who, path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        self.send(json(Method::POST, who, path, body)).await
    }

    /// Somebody of this name redeems a code.
    pub(crate) async fn redeem(&self, code: &str, name: &str) -> Result<(), Error> {
        let user = UserId::new(format!("u-{name}")).expect("an id");
        let redeemer = Redeemer::new(user, Username::new(name).expect("a name"));
        self.web.service().redeem(code, &redeemer).await.map(drop)
    }

    /// Creates an invitation, and gives its JSON.
    pub(crate) async fn created(&self, who: &str, body: &Value) -> Value {
        let answer = self.post(who, "", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()
    }
}

fn app(web: &Web) -> Router {
    Router::new().nest_service(MOUNT, web.api()).merge(web.openapi_router(MOUNT))
}

/// A request to a path below the mount point; nobody's when `who` is empty.
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

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Asserts that it is this problem, and gives its JSON.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{} {self:?}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem: Value = serde_json::from_slice(&self.bytes).expect("JSON");
        assert_eq!(problem["type"], format!("urn:invitation:problem:{name}"));
        assert_eq!(problem["status"], status);
        problem
    }

    /// Asserts that these fields, in this order, were not accepted.
    #[track_caller]
    pub(crate) fn invalid(&self, pointers: &[&str]) -> Value {
        let problem = self.problem(422, "invalid");
        let errors = problem["errors"].as_array().expect("errors");
        let found: Vec<_> = errors.iter().map(|e| e["pointer"].as_str().expect("text")).collect();
        assert_eq!(found, pointers, "{problem}");
        problem
    }
}
