//! The middleware in front of every route: request ids, spans, limits, response headers.

use std::any::Any;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use invitation_core::CorrelationId;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    origin,
    problem::{Problem, ProblemKind},
    request_id::RequestId,
    web::Web,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The headers of every response that does not set them itself. They forbid other sites
/// to embed it, referrers to leak its URL, browsers to guess its type, and caches to
/// store it.
///
/// The referrer policy is not `no-referrer`: with that, browsers send `Origin: null` with
/// the dashboard's own forms. On plain HTTP with a host name there is no `Sec-Fetch-Site`
/// to recognise them by.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

impl Web {
    /// Adds the middleware of the library's own routers to the host's routes:
    ///
    /// - request ids, which a handler gets as [`RequestId`], and spans without secrets;
    /// - limits of requests;
    /// - response headers, unless the response sets them itself;
    /// - the refusal of changes that a page of another origin requests.
    pub fn protect(&self, router: Router) -> Router {
        self.with_middleware(router.layer(from_fn_with_state(self.clone(), same_origin)))
    }

    /// Adds the middleware to the routes of `router` and to its fallbacks.
    pub(crate) fn with_middleware(&self, router: Router) -> Router {
        router
            .layer(from_fn_with_state(self.clone(), bound))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn(observe))
    }
}

async fn observe(mut request: Request, next: Next) -> Response {
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
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Returns the id from the client or a proxy if it consists of plain characters, and a
/// new one otherwise.
fn request_id(request: &Request) -> Option<CorrelationId> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    given
        .filter(|id| id.bytes().all(plain))
        .and_then(|id| CorrelationId::new(id).ok())
        .or_else(|| CorrelationId::new(Uuid::new_v4().to_string()).ok())
}

async fn same_origin(State(web): State<Web>, request: Request, next: Next) -> Response {
    match origin::check(request.method(), request.headers(), web.own_origins()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn bound(State(web): State<Web>, request: Request, next: Next) -> Response {
    let limits = web.limits();
    let uri = request.uri();
    let uri_bytes = uri.path().len() + uri.query().map_or(0, str::len);
    if uri_bytes > limits.uri {
        return Problem::new(ProblemKind::UriTooLong).into_response();
    }
    let header_bytes: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if header_bytes > limits.headers {
        return Problem::new(ProblemKind::HeadersTooLarge).into_response();
    }
    match tokio::time::timeout(limits.request_time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(ProblemKind::Unavailable)
            .with_detail("it took too long, and whether it was done is unknown")
            .with_retry_after(std::time::Duration::from_secs(5))
            .into_response(),
    }
}

// A panic's message may contain secrets, so it is neither logged here nor sent.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(ProblemKind::Internal).into_response()
}
