//! A host for these tests: users are known by a header, and the store is in memory.

#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use invitation_axum::{BaseUrl, Dashboard, Parts, Service, Web};
use invitation_core::{Actor, Created, Division, Draft, Invitations, MemoryStore, Role, Store};

pub(crate) use crate::{answer::Answer, people::person};

pub(crate) const MOUNT: &str = "/people/invitations";

fn who(request: &Parts) -> Option<Actor> {
    person(request.headers.get("x-user")?.to_str().ok()?)
}

pub(crate) struct World {
    pub(crate) service: Service,
    app: Router,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Dashboard::new())
    }

    pub(crate) fn with(dashboard: Dashboard) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        Self::on(Invitations::new(store), dashboard)
    }

    pub(crate) fn on(service: Service, dashboard: Dashboard) -> Self {
        let base = BaseUrl::parse("https://example.com").unwrap();
        let web = Web::new(service.clone(), who).with_base_url(base);
        let app = Router::new().nest_service(MOUNT, web.dashboard(dashboard));
        Self { service, app }
    }

    /// Creates an invitation in the division of sales.
    pub(crate) async fn created(&self) -> Created {
        let draft = Draft::new().with_role(Role::new("staff").unwrap());
        let draft = draft.in_division(Division::new("sales").unwrap());
        self.service.create(&person("admin").unwrap(), draft).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::to(request, &self.app).await
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(request(Method::GET, who, path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form, as a browser does from a page of the same origin.
    pub(crate) async fn post(&self, who: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = request(Method::POST, who, path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}

/// Builds a request to a path below the mount point. An empty `who` sends no user.
pub(crate) fn request(method: Method, who: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(format!("{MOUNT}{path}"));
    if who.is_empty() { request } else { request.header("x-user", who) }
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.text().contains(text), "{text} is not in {}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn says_nothing_of(self, text: &str) -> Self {
        assert!(!self.text().contains(text), "{text} is in {}", self.text());
        self
    }

    /// Returns the target of a redirect.
    #[track_caller]
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text());
        self.header("location")
    }
}
