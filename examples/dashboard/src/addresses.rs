//! The names and URLs of this host, and the refusal of requests to any other name.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{Uri, header, uri::Authority},
    middleware::Next,
    response::Response,
};
use invitation::{
    FieldError,
    web::{BaseUrl, Problem, ProblemKind, Web},
};
use tower::ServiceExt;

/// The URLs of this host.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// The URL that links are built from.
    pub(crate) base: BaseUrl,
    /// The URLs on the loopback interface, as people type them.
    pub(crate) loopback: [BaseUrl; 2],
}

impl Addresses {
    /// Returns the URLs of a host that listens on this port. `configured` is its public
    /// URL, if it has one.
    pub(crate) fn new(configured: Option<BaseUrl>, port: u16) -> Result<Self, FieldError> {
        let on = |name| BaseUrl::parse(&format!("http://{name}:{port}"));
        let loopback = [on("127.0.0.1")?, on("localhost")?];
        let base = configured.unwrap_or_else(|| loopback[0].clone());
        Ok(Self { base, loopback })
    }

    /// Returns the host names, without ports.
    pub(crate) fn names(&self) -> Names {
        let all = self.loopback.iter().chain([&self.base]);
        let uris = all.filter_map(|address| address.origin().parse::<Uri>().ok());
        Names(uris.filter_map(|uri| uri.host().map(str::to_owned)).collect())
    }
}

/// The host names that requests may use.
#[derive(Clone, Debug)]
pub(crate) struct Names(Arc<[String]>);

impl Names {
    fn contain(&self, authority: &Authority) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(authority.host()))
    }

    /// Returns whether every host name in a request is one of these. A request without a
    /// name does not come from a browser.
    fn are_meant_by(&self, request: &Request) -> bool {
        let given = request.headers().get_all(header::HOST);
        let mut given = given.iter().map(|host| Authority::try_from(host.as_bytes()));
        let in_target = request.uri().authority();
        in_target.is_none_or(|authority| self.contain(authority))
            && given.all(|host| host.is_ok_and(|authority| self.contain(&authority)))
    }
}

/// The host names that requests may use, and the router that refuses all other requests.
#[derive(Clone, Debug)]
pub(crate) struct NameCheck {
    names: Names,
    refusal: Router,
}

impl NameCheck {
    /// Protects the refusal like the host's routes. It then has a request id, by which it
    /// is found in the log.
    pub(crate) fn new(names: Names, web: &Web) -> Self {
        Self { names, refusal: web.protect(Router::new().fallback(refuse)) }
    }
}

/// Refuses requests to any other name.
///
/// An attacker can make their own domain resolve to the loopback interface (DNS rebinding).
/// The browser then treats a page of that domain as same-origin with this host, and lets it
/// send any request here.
pub(crate) async fn check_name(
    State(check): State<NameCheck>,
    request: Request,
    next: Next,
) -> Result<Response, Infallible> {
    if check.names.are_meant_by(&request) {
        Ok(next.run(request).await)
    } else {
        check.refusal.oneshot(request).await
    }
}

async fn refuse() -> Problem {
    Problem::new(ProblemKind::Forbidden).with_detail("this host is not reached under that name")
}
