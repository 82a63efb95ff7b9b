//! The addresses under which the host is reached, and the refusal of every other name.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{Uri, header, uri::Authority},
    middleware::Next,
    response::Response,
};
use invitation::{
    Invalid,
    web::{BaseUrl, Problem, ProblemKind},
};

/// The addresses of this host.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// The one that links are built from.
    pub(crate) base: BaseUrl,
    /// Those of the loopback interface, as people type them.
    pub(crate) loopback: [BaseUrl; 2],
}

impl Addresses {
    /// Those of a host that listens on this port, and has this address outside, if it has
    /// one.
    pub(crate) fn new(configured: Option<BaseUrl>, port: u16) -> Result<Self, Invalid> {
        let on = |name| BaseUrl::parse(&format!("http://{name}:{port}"));
        let loopback = [on("127.0.0.1")?, on("localhost")?];
        let base = configured.unwrap_or_else(|| loopback[0].clone());
        Ok(Self { base, loopback })
    }

    /// Their names, without ports.
    pub(crate) fn names(&self) -> Names {
        let all = self.loopback.iter().chain([&self.base]);
        let uris = all.filter_map(|address| address.origin().parse::<Uri>().ok());
        Names(uris.filter_map(|uri| uri.host().map(str::to_owned)).collect())
    }
}

/// The names under which the host is reached.
#[derive(Clone, Debug)]
pub(crate) struct Names(Arc<[String]>);

impl Names {
    fn contain(&self, authority: &Authority) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(authority.host()))
    }

    /// Whether every name that a request gives is one of these. A request without a name
    /// comes from no browser.
    fn are_meant_by(&self, request: &Request) -> bool {
        let given = request.headers().get_all(header::HOST);
        let mut given = given.iter().map(|host| Authority::try_from(host.as_bytes()));
        let in_target = request.uri().authority();
        in_target.is_none_or(|authority| self.contain(authority))
            && given.all(|host| host.is_ok_and(|authority| self.contain(&authority)))
    }
}

/// Refuses requests to any other name.
///
/// Everybody can make a name of their own resolve to the loopback interface. A page of that
/// name is then of the same origin as this host to the browser that shows it, and could ask
/// this host for anything (DNS rebinding).
pub(crate) async fn known(
    State(names): State<Names>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if names.are_meant_by(&request) {
        Ok(next.run(request).await)
    } else {
        Err(Problem::new(ProblemKind::Forbidden)
            .with_detail("this host is not reached under that name"))
    }
}
