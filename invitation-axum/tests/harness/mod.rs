//! The host of all tests: the library's routers on an in-memory store, with a clock that
//! tests set, and users who are known by their names.

// Each test program uses a part of it.
#![allow(dead_code, clippy::allow_attributes)]

pub(crate) mod hooks;
pub(crate) mod people;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, header, request::Builder},
};
use http_body_util::BodyExt;
use invitation_axum::{BaseUrl, Dashboard, Service, Web};
use invitation_core::{
    Created, Division, Draft, Error, Invitations, ManualClock, MemoryStore, Redeemer, Role, Store,
    Timestamp, UserId, Username,
};
pub(crate) use invitation_testkit::Answer;
use serde_json::Value;
use tokio::net::TcpListener;
use tower::ServiceExt;

pub(crate) use self::people::person;
use self::people::who;

/// The path of the JSON API.
pub(crate) const API: &str = "/api/invitations";
/// The path of the dashboard.
pub(crate) const DASHBOARD: &str = "/people/invitations";

/// The routers, and the service, store and clock behind them.
pub(crate) struct Harness {
    pub(crate) web: Web,
    pub(crate) clock: ManualClock,
    dashboard: Dashboard,
    /// The path that requests are relative to.
    mount: &'static str,
}

impl Harness {
    /// Returns a host whose requests go to the JSON API.
    pub(crate) fn api() -> Self {
        Self::on(API, Arc::new(MemoryStore::new()))
    }

    /// Returns a host whose requests go to the dashboard.
    pub(crate) fn dashboard() -> Self {
        Self::on(DASHBOARD, Arc::new(MemoryStore::new()))
    }

    /// Returns a host on a store of the test's own. Its requests go to `mount`.
    pub(crate) fn on(mount: &'static str, store: Arc<dyn Store>) -> Self {
        let start = Timestamp::from_micros(1_800_000_000_000_000).expect("a time");
        let clock = ManualClock::new(start);
        let service = Invitations::new(store).with_clock(clock.clone());
        Self { web: web(service), clock, dashboard: Dashboard::new(), mount }
    }

    /// Changes the settings of the service. Those of the routers are the defaults again.
    pub(crate) fn with_service(self, set: impl FnOnce(Service) -> Service) -> Self {
        Self { web: web(set(self.service().clone())), ..self }
    }

    /// Changes the settings of the routers.
    pub(crate) fn with_web(self, set: impl FnOnce(Web) -> Web) -> Self {
        Self { web: set(self.web), ..self }
    }

    pub(crate) fn with_dashboard(self, dashboard: Dashboard) -> Self {
        Self { dashboard, ..self }
    }

    pub(crate) fn service(&self) -> &Service {
        self.web.service()
    }

    /// Returns the host's router.
    pub(crate) fn app(&self) -> Router {
        Router::new()
            .nest_service(API, self.web.api())
            .merge(self.web.openapi_router(API))
            .nest_service(DASHBOARD, self.web.dashboard(self.dashboard.clone()))
    }

    /// Sends a request to the router, and returns the whole response.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app().oneshot(request).await.expect("routers do not fail");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer::new(parts, bytes)
    }

    /// Builds a request to a path below the mount point. An empty `who` sends no user.
    pub(crate) fn request(&self, method: Method, who: &str, path: &str) -> Builder {
        request_to(self.mount, method, who, path)
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        let request = self.request(Method::GET, who, path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn post_json(&self, who: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, who, path);
        self.send(with_json(request, body)).await
    }

    /// Sends a form, as a browser does from a page of the same origin.
    pub(crate) async fn post_form(&self, who: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .request(Method::POST, who, path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Creates an invitation through the API, and returns its JSON.
    pub(crate) async fn create(&self, who: &str, body: &Value) -> Value {
        let request = request_to(API, Method::POST, who, "");
        self.send(with_json(request, body)).await.is(201).json()
    }

    /// Creates an invitation in the division of sales, as the administrator.
    pub(crate) async fn invite(&self) -> Created {
        let draft = Draft::new().with_role(Role::new("staff").expect("a role"));
        let draft = draft.in_division(Division::new("sales").expect("a division"));
        let admin = person("admin").expect("a person");
        self.service().create(&admin, draft).await.expect("an administrator may")
    }

    /// Redeems a code as a new user of this name.
    pub(crate) async fn redeem(&self, code: &str, name: &str) -> Result<(), Error> {
        let user = UserId::new(format!("u-{name}")).expect("an id");
        let redeemer = Redeemer::new(user, Username::new(name).expect("a name"));
        self.service().redeem(code, &redeemer).await.map(drop)
    }
}

fn web(service: Service) -> Web {
    let base = BaseUrl::parse("https://example.com").expect("an address");
    Web::new(service, who).with_base_url(base)
}

/// Builds a request to a path below `mount`. An empty `who` sends no user.
pub(crate) fn request_to(mount: &str, method: Method, who: &str, path: &str) -> Builder {
    let request = Request::builder().method(method).uri(format!("{mount}{path}"));
    if who.is_empty() { request } else { request.header("authorization", format!("Bearer {who}")) }
}

pub(crate) fn with_json(request: Builder, body: &Value) -> Request<Body> {
    let request = request.header("content-type", "application/json");
    request.body(Body::from(body.to_string())).expect("a request")
}

/// Runs a router on a listener. It ends with the test's runtime.
pub(crate) fn serve_on(listener: TcpListener, app: Router) -> SocketAddr {
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Runs a router on a port of its own. It ends with the test's runtime.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    serve_on(listener, app)
}
