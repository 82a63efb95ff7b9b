//! The middleware in front of every route: request ids, spans, limits, response headers.

use std::{
    any::Any,
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use invitation_core::CorrelationId;
use tokio::time::error::Elapsed;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    origin,
    problem::{OUTCOME_UNKNOWN, Problem, ProblemKind},
    request_id::RequestId,
    unread::UnreadBody,
    web::Web,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The headers of every response that does not set them itself. They forbid caches to store
/// it, referrers to leak its URL, and browsers to guess its type.
///
/// The referrer policy is not `no-referrer`: with that, browsers send `Origin: null` with
/// the dashboard's own forms. On plain HTTP with a host name there is no `Sec-Fetch-Site`
/// to recognise them by.
const ALWAYS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// The content security policy of a response that does not set one itself.
#[derive(Clone, Copy)]
enum ContentPolicy {
    /// Of data, which loads nothing.
    Data,
    /// Of HTML pages of the host.
    Page,
}

impl ContentPolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Data => "default-src 'none'; frame-ancestors 'none'",
            Self::Page => {
                "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                 object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            }
        }
    }
}

impl Web {
    /// Adds the middleware of the library's own routers to the host's routes for data:
    ///
    /// - request ids, which a handler gets as [`RequestId`], and spans without secrets;
    /// - [limits](crate::WebLimits) of requests;
    /// - the refusal of changes that a page of another origin requests (403);
    /// - 500 instead of a closed connection for a handler that panics;
    /// - the headers below. A response that has set one of them keeps its value, except for
    ///   the first.
    ///
    /// | Header | Value | Effect |
    /// |---|---|---|
    /// | `X-Request-Id` | the id of the request | the same id stands in the audit events |
    /// | `Cache-Control` | `no-store` | no cache keeps the response |
    /// | `Referrer-Policy` | `same-origin` | other sites do not learn the URL |
    /// | `X-Content-Type-Options` | `nosniff` | a browser does not guess another type |
    /// | `Content-Security-Policy` | `default-src 'none'; frame-ancestors 'none'` | a response that is opened as a page loads and runs nothing, and no page embeds it |
    ///
    /// This policy forbids an HTML page all its scripts, styles and images, also those of the
    /// host. Use [`protect_pages`](Self::protect_pages) for pages.
    pub fn protect(&self, router: Router) -> Router {
        self.protect_with(ContentPolicy::Data, router)
    }

    /// Adds the middleware of [`protect`](Self::protect) to the host's routes for HTML
    /// pages. Only the `Content-Security-Policy` differs. A page may use:
    ///
    /// - scripts, styles, fonts and images that are files of the same origin, and requests
    ///   to it by script;
    /// - styles in the page, and images as `data:` URLs.
    ///
    /// The policy forbids scripts in the page itself, because a text that a user typed could
    /// become one. It also forbids forms that lead to another origin, a `base`
    /// element, plug-ins, and embedding in a frame. A response that sets a policy itself
    /// keeps its own.
    ///
    /// ```
    /// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
    /// # use std::sync::Arc;
    /// # use invitation::{
    /// #     Actor, Invitations, MemoryStore, Store,
    /// #     web::{Parts, Web},
    /// # };
    /// use axum::{Router, body::Body, http::Request, response::Html, routing::get};
    /// use tower::ServiceExt;
    ///
    /// # let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    /// # let web = Web::new(Invitations::new(store), |_: &Parts| -> Option<Actor> { None });
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// let pages = Router::new().route("/register", get(async || Html("…")));
    /// let app = web.protect_pages(pages);
    /// let response = app.oneshot(Request::get("/register").body(Body::empty())?).await?;
    /// let policy = response.headers()["content-security-policy"].to_str()?;
    /// assert!(policy.starts_with("default-src 'self';"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn protect_pages(&self, router: Router) -> Router {
        self.protect_with(ContentPolicy::Page, router)
    }

    fn protect_with(&self, policy: ContentPolicy, router: Router) -> Router {
        self.with_policy(policy, router.layer(from_fn_with_state(self.clone(), same_origin)))
    }

    /// Adds the middleware to the routes of `router` and to its fallbacks.
    pub(crate) fn with_middleware(&self, router: Router) -> Router {
        self.with_policy(ContentPolicy::Data, router)
    }

    fn with_policy(&self, policy: ContentPolicy, router: Router) -> Router {
        router
            .layer(from_fn_with_state(self.clone(), bound))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(policy, observe))
    }
}

async fn observe(
    State(policy): State<ContentPolicy>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(&request);
    // The span has neither the path nor the query: a user may have typed a code there.
    let known = id.as_ref().map(tracing::field::display);
    let span = tracing::info_span!("request", method = %request.method(), id = known);
    let header = id.as_ref().and_then(|id| HeaderValue::from_str(id.as_str()).ok());
    if let Some(id) = id {
        request.extensions_mut().insert(RequestId::new(id));
    }
    let mut response = async {
        let response = next.run(request).await;
        tracing::info!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await;
    let headers = response.headers_mut();
    if let Some(id) = header {
        headers.insert(REQUEST_ID, id);
    }
    let policy = (header::CONTENT_SECURITY_POLICY, policy.as_str());
    for (name, value) in ALWAYS.into_iter().chain([policy]) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Returns the id of a request, in this order:
///
/// 1. the id from an outer layer of this middleware, if the host put a router of the library behind
///    [`Web::protect`]: the outer layer writes the header of the response;
/// 2. the id from the client or a proxy, if it consists of plain characters;
/// 3. a new id.
fn request_id(request: &Request) -> Option<CorrelationId> {
    if let Some(outer) = request.extensions().get::<RequestId>() {
        return Some(outer.correlation().clone());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    given
        .filter(|id| id.bytes().all(plain))
        .and_then(|id| CorrelationId::new(id).ok())
        .or_else(|| CorrelationId::new(Uuid::new_v4().to_string()).ok())
}

async fn same_origin(State(web): State<Web>, request: Request, next: Next) -> Response {
    match origin::check(request.method(), request.uri(), request.headers(), web.own_origins()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// The time of a request beyond the usual limit, which a handler may set once.
#[derive(Clone, Default, Debug)]
pub(crate) struct LongerTime(Arc<OnceLock<Duration>>);

impl LongerTime {
    /// Allows the request this much time, from its beginning.
    pub(crate) fn allow(&self, time: Duration) {
        // Only the first setting counts.
        let _ = self.0.set(time);
    }
}

async fn bound(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    // A host may put a router of the library behind `Web::protect`. Then the outer layer reads the
    // rest of the body, and both layers wait for as long as the handler allows.
    if let Some(longer) = request.extensions().get::<LongerTime>().cloned() {
        let response = within_limits(&web, request, next, &longer).await;
        return response.unwrap_or_else(|_| took_too_long().into_response());
    }
    let longer = LongerTime::default();
    request.extensions_mut().insert(longer.clone());
    let (request, unread) = UnreadBody::of(request);
    let response = within_limits(&web, request, next, &longer).await;
    unread.discard(response.as_ref().map(Response::status).ok()).await;
    response.unwrap_or_else(|_| took_too_long().into_response())
}

/// Returns the response of the handler, or the refusal of a request that is too large. Its future
/// owns the handler, so that a handler that takes too long is dropped with it.
async fn within_limits(
    web: &Web,
    request: Request,
    next: Next,
    longer: &LongerTime,
) -> Result<Response, Elapsed> {
    let limits = web.limits();
    let uri = request.uri();
    let uri_bytes = uri.path().len() + uri.query().map_or(0, str::len);
    if uri_bytes > limits.uri {
        return Ok(Problem::new(ProblemKind::UriTooLong).into_response());
    }
    let header_bytes: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if header_bytes > limits.headers {
        return Ok(Problem::new(ProblemKind::HeadersTooLarge).into_response());
    }
    let mut running = pin!(next.run(request));
    let response = tokio::time::timeout(limits.request_time, &mut running).await;
    match (response, longer.0.get()) {
        (Err(_), Some(time)) => {
            let rest = time.saturating_sub(limits.request_time);
            tokio::time::timeout(rest, running).await
        }
        (response, _) => response,
    }
}

/// Returns the problem of a request that took longer than its limit.
pub(crate) fn took_too_long() -> Problem {
    Problem::new(ProblemKind::Unavailable)
        .with_detail(format!("it took too long, and {OUTCOME_UNKNOWN}"))
        .with_retry_after(Duration::from_secs(5))
}

// A panic's message may contain secrets, so it is neither logged here nor sent.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(ProblemKind::Internal).into_response()
}
