//! The JSON API and the dashboard of the invitation library, as routers to mount.
//!
//! The host provides two things: the [`Service`], with any store, and an [`Identify`],
//! which determines the actor of a request. This crate has no login.
//!
//! ```
//! # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
//! use std::sync::Arc;
//!
//! use axum::{
//!     Router,
//!     body::Body,
//!     http::{Request, StatusCode},
//! };
//! use invitation::{
//!     Actor, Invitations, MemoryStore, Role, Store, UserId,
//!     web::{BaseUrl, Dashboard, Parts, Service, Web},
//! };
//! use tower::ServiceExt as _;
//!
//! fn who(request: &Parts) -> Option<Actor> {
//!     // A real host looks up its session, or checks a token.
//!     let token = request.headers.get("authorization")?.to_str().ok()?;
//!     let user = UserId::new(token.strip_prefix("Bearer ")?).ok()?;
//!     Some(Actor::across_divisions(user, Role::new("admin").ok()?))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
//! let service: Service = Invitations::new(store);
//! let web = Web::new(service, who).with_base_url(BaseUrl::parse("https://example.com")?);
//!
//! let app: Router = Router::new()
//!     .nest_service("/api/invitations", web.api())
//!     .nest_service("/invitations", web.dashboard(Dashboard::new().with_sign_in("/login")))
//!     .merge(web.openapi_router("/api/invitations")); // GET /openapi.json
//!
//! // Without an actor, a visitor of the dashboard is sent to the host's login.
//! let visit = Request::get("/invitations").body(Body::empty())?;
//! let response = app.clone().oneshot(visit).await?;
//! assert_eq!(response.status(), StatusCode::SEE_OTHER);
//! assert!(response.headers()["location"].to_str()?.starts_with("/login"));
//!
//! let signed_in = Request::get("/invitations").header("authorization", "Bearer u-1");
//! let response = app.oneshot(signed_in.body(Body::empty())?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! # Ok(())
//! # }
//! ```
//!
//! `nest_service`, unlike `nest`, also accepts the mount point with a slash at its end.
//!
//! # Guarantees of the routers
//!
//! - **Authentication**: a request without an [`Actor`](invitation_core::Actor) gets 401,
//!   or from the dashboard a redirect to the sign-in page if the host has set one. The OpenAPI
//!   document and the dashboard's scripts and styles are public.
//! - **Origin**: changes are accepted from pages of the same origin only
//!   (`Sec-Fetch-Site` and `Origin`, each where it is present), and from clients that are
//!   not browsers. `X-Forwarded-*` headers are never read, and links are built from the
//!   [`BaseUrl`] alone.
//! - **Refusals**: a client that sends a body gets the response even if the server did not want the
//!   body. The rest of it is read and dropped first, up to 16 MB and 5 seconds; not behind 408, as
//!   the client has taken too long already.
//! - **Limits**: bodies, headers, the request line, pages and the duration of a request
//!   are limited ([`WebLimits`]). The host's server must limit the time for the headers
//!   of a request, and the number of connections.
//! - **Errors**: every error of the API is an `application/problem+json` ([`Problem`]). The
//!   dashboard answers with a page.
//! - **Evidence**: the id of the request is the correlation id of its events, unless the
//!   host sets one. It is the `X-Request-Id` of the request or a new one, and the response
//!   repeats it. The extractor [`RequestId`] gives it to the host's own handlers.
//!   The JSON API shows it as the `correlation_id` of an event, and `GET /events?correlation_id=`
//!   finds the events of a request. The dashboard's audit view links to them.
//! - **Secrets**: no path, query, header or body gets into a span or a log line.
//!   Responses must not be cached, and say so. The dashboard's scripts and styles are the
//!   exception: they contain no data, and are cached for good.

mod api;
mod authorization;
mod body;
mod dashboard;
mod headers;
mod identify;
mod middleware;
mod objects;
mod openapi;
mod origin;
mod path;
mod problem;
mod query;
mod request_id;
mod secret;
mod spool;
mod unread;
mod web;

pub use async_trait::async_trait;
pub use axum::http::request::Parts;
#[doc(inline)]
pub use invitation_core::{BaseUrl, RegistrationLink, RegistrationPage};

pub use self::{
    body::{Form, Json},
    dashboard::{Dashboard, HtmlText, Layout, MenuEntry, Page, Strings},
    identify::{Identify, IdentifyError},
    problem::{InputError, Place, Problem, ProblemKind},
    request_id::RequestId,
    spool::FolderSpool,
    web::{Service, Web, WebLimits},
};
