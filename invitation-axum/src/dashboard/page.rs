//! The parts that all pages share: who the user is, and the layout around
//! responses.

use std::sync::Arc;

use askama::Template;
use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use invitation_core::{Actor, Error, InvitationId, Right, Timestamp};

use super::{
    Dashboard, Page, Strings, assets,
    path::nested_path,
    problem_page::{ProblemPage, RefusedRequest},
};
use crate::{
    authorization::SignedIn,
    problem::{Problem, ProblemKind},
    web::{Service, Web},
};

/// The content security policy: styles, scripts and images of the same origin, nothing
/// inline, and no embedding in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// The state that all pages share.
#[derive(Clone, Debug)]
pub(super) struct DashboardState {
    web: Web,
    dashboard: Arc<Dashboard>,
}

impl DashboardState {
    pub(super) fn new(web: Web, dashboard: Dashboard) -> Self {
        Self { web, dashboard: Arc::new(dashboard) }
    }

    fn base(&self, parts: &Parts) -> Arc<str> {
        match self.dashboard.mounted_at.as_deref() {
            Some(path) => path.trim_end_matches('/').into(),
            None => nested_path(parts).into(),
        }
    }
}

/// The user who views a page, and the mount point of the dashboard.
#[derive(Clone, Debug)]
pub(super) struct PageContext {
    dashboard_state: DashboardState,
    actor: Arc<Actor>,
    base: Arc<str>,
}

impl PageContext {
    pub(super) fn t(&self) -> &Strings {
        &self.dashboard_state.dashboard.strings
    }

    pub(super) fn dashboard(&self) -> &Dashboard {
        &self.dashboard_state.dashboard
    }

    pub(super) fn web(&self) -> &Web {
        &self.dashboard_state.web
    }

    pub(super) fn service(&self) -> &Service {
        self.dashboard_state.web.service()
    }

    pub(super) fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(super) fn now(&self) -> Timestamp {
        self.service().now()
    }

    /// Returns the mount point, without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Returns the path of the list.
    pub(super) fn home(&self) -> &str {
        home(&self.base)
    }

    /// Returns whether the policy gives the user's role a right, and thus whether a
    /// page offers the action.
    pub(super) fn may(&self, right: Right) -> bool {
        self.service().policy().allows(self.actor.role(), right)
    }

    /// Refuses a context whose role lacks a right, and records the denial.
    pub(super) async fn must(
        &self,
        right: Right,
        about: Option<InvitationId>,
    ) -> Result<(), Error> {
        self.service().authorize(&*self.actor, right, about).await
    }
}

fn home(base: &str) -> &str {
    if base.is_empty() { "/" } else { base }
}

impl<S: Sync> FromRequestParts<S> for PageContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or(Problem::new(ProblemKind::Internal))
    }
}

/// The content of a page, before the layout is put around it.
#[derive(Clone, Debug)]
pub(super) struct Content {
    title: String,
    html: String,
}

/// Renders the content of a page.
pub(super) fn page(
    status: StatusCode,
    title: &str,
    template: &impl Template,
) -> Result<Response, Problem> {
    let html = template.render().map_err(|error| {
        log(&error);
        Problem::new(ProblemKind::Internal)
    })?;
    let mut response = status.into_response();
    response.extensions_mut().insert(Content { title: title.to_owned(), html });
    Ok(response)
}

/// Adds the header with the time after which to try again to a page that shows a problem.
pub(super) fn with_retry_after(mut shown: Response, problem: Problem) -> Response {
    // The problem's own response has the header as the API sends it.
    if let Some(wait) = problem.into_response().headers_mut().remove(header::RETRY_AFTER) {
        shown.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    shown
}

fn log(error: &askama::Error) {
    tracing::error!(error = error as &dyn std::error::Error, "a page cannot be rendered");
}

/// Identifies the user of the page.
pub(super) async fn identify(
    State(dashboard_state): State<DashboardState>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let context = match SignedIn::from_request_parts(&mut parts, &dashboard_state.web).await {
        Ok(SignedIn(actor)) => PageContext {
            base: dashboard_state.base(&parts),
            actor: Arc::new(actor),
            dashboard_state,
        },
        Err(problem) => {
            return sign_in_or_problem(&dashboard_state, problem, !asks_for_data(&parts.headers));
        }
    };
    let actor = Arc::clone(&context.actor);
    parts.extensions.insert(context);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    response.extensions_mut().insert(actor);
    response
}

/// Puts the layout around the response, whether it is a page or an error. A script that wants JSON
/// gets an error as JSON. A page is rendered for it all the same: without it, the body would be empty,
/// and that of a new code is the only one that shows the code.
pub(super) async fn put_into_layout(
    State(dashboard_state): State<DashboardState>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let base = dashboard_state.base(&parts);
    let wants_page = !asks_for_data(&parts.headers);
    let is_home = matches!(parts.uri.path(), "" | "/");
    let is_safe = parts.method.is_safe();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let actor = response.extensions_mut().remove::<Arc<Actor>>();
    let frame = Frame {
        dashboard_state: &dashboard_state,
        actor: actor.as_deref(),
        base: &base,
        wants_page,
        is_home,
        is_safe,
    };
    let mut response = frame.put_around(response);
    harden(response.headers_mut());
    response
}

/// Returns whether the request comes from the dashboard's script, which wants JSON
/// instead of a page.
pub(super) fn asks_for_data(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/json")
}

/// Returns the redirect of a page request to the host's sign-in page, or else the problem.
fn sign_in_or_problem(
    dashboard_state: &DashboardState,
    problem: Problem,
    wants_page: bool,
) -> Response {
    match &dashboard_state.dashboard.sign_in {
        Some(path) if wants_page && problem.kind() == ProblemKind::Unauthenticated => {
            Redirect::to(path).into_response()
        }
        _ => problem.into_response(),
    }
}

/// Sets the security headers of a page: it may show codes, so it must not be stored or
/// embedded.
fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::VARY, "accept"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The parts of the layout around one response.
struct Frame<'a> {
    dashboard_state: &'a DashboardState,
    actor: Option<&'a Actor>,
    base: &'a str,
    /// Whether the client wants problems as pages.
    wants_page: bool,
    is_home: bool,
    /// Whether the method of the request changes nothing.
    is_safe: bool,
}

impl Frame<'_> {
    fn put_around(&self, mut response: Response) -> Response {
        let content = match response.extensions_mut().remove::<Content>() {
            Some(content) => content,
            None if self.wants_page && is_error(response.status()) => {
                let problem = response.extensions_mut().remove::<Problem>();
                let problem = problem.unwrap_or_else(|| problem_of_status(response.status()));
                match self.problem_page(&problem) {
                    Ok(content) => content,
                    // The problem is answered without a page.
                    Err(error) => {
                        log(&error);
                        return response;
                    }
                }
            }
            None => return response,
        };
        let dashboard = &*self.dashboard_state.dashboard;
        let page = Page {
            dashboard,
            title: &content.title,
            head: &assets::head(self.base, dashboard.style_sheet.as_deref()),
            content: &content.html,
            actor: self.actor,
            home: home(self.base),
            is_home: self.is_home,
        };
        let document = match dashboard.document(&page) {
            Ok(document) => document,
            Err(error) => {
                log(&error);
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        *response.body_mut() = Body::from(document);
        response
    }

    /// Renders the page that reports a problem.
    fn problem_page(&self, problem: &Problem) -> Result<Content, askama::Error> {
        let t = &self.dashboard_state.dashboard.strings;
        let way_out = match (&self.dashboard_state.dashboard.sign_in, self.actor) {
            (Some(path), None) => Some((&**path, &*t.sign_in)),
            (None, None) => None,
            (_, Some(_)) if self.is_home => None,
            (_, Some(_)) => Some((home(self.base), &*t.back_to_list)),
        };
        let cause = RefusedRequest { is_of_stranger: self.actor.is_none(), is_safe: self.is_safe };
        let template = ProblemPage::new(t, problem, cause, way_out);
        Ok(Content { title: template.title.to_owned(), html: template.render()? })
    }
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Returns the problem for an error response of the framework.
fn problem_of_status(status: StatusCode) -> Problem {
    let same = |kind: &&ProblemKind| kind.status() == status;
    Problem::new(ProblemKind::ALL.iter().find(same).copied().unwrap_or(ProblemKind::Malformed))
}

/// Returns 404 for a path without a page.
pub(super) async fn page_not_found() -> Problem {
    Problem::new(ProblemKind::NotFound)
}

/// Returns 405 for a method that the page does not accept.
pub(super) async fn method_not_allowed(_: Method) -> Problem {
    Problem::new(ProblemKind::MethodNotAllowed)
}
