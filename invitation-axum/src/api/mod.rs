//! The JSON API.

mod amend;
pub(crate) mod bulk;
mod create;
pub(crate) mod docs;
mod draft;
mod events;
mod export;
mod invitation;
mod list;
mod metadata;
mod one;
pub(crate) mod rows;
pub(crate) mod streamed;

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    acting::SignedIn,
    problem::{Problem, ProblemKind},
    web::Web,
};

impl Web {
    /// The JSON API, to be mounted anywhere:
    /// `.nest_service("/api/invitations", web.api())`.
    ///
    /// | | asks for the right to | |
    /// |---|---|---|
    /// | `GET /` | `View` | a page, newest first: `status`, `search`, `role`, `division`, `limit`, `cursor` |
    /// | `POST /search` | `View` | the same by a body, for what must not stand in an address |
    /// | `GET /counts` | `View` | how many of each status |
    /// | `POST /` | `Create` | a new invitation; `Idempotency-Key` |
    /// | `GET /{id}` | `View` | one invitation, with its version as `ETag` |
    /// | `POST /{id}/copy` | `Copy` | its code and a link, to share |
    /// | `PATCH /{id}` | `Amend` | other terms; `If-Match`, as for all that follow |
    /// | `POST /{id}/revoke`, `/reinstate`, `/rotate` | the same | |
    /// | `DELETE /{id}` | `Delete` | |
    /// | `POST /bulk` | `Bulk` | many, from JSON or CSV: `dry_run`, `mode` |
    /// | `GET /export.csv` | `Export` | the list as a file, without the codes |
    /// | `GET /events` | `Audit` | the audit trail: `invitation`, `actor`, `kind`, `outcome`, `division`, `limit`, `cursor` |
    ///
    /// [`openapi`](Self::openapi) says all of it. What is asked for is looked at in this
    /// order, and the first that fails is the answer: who acts (401), from which origin
    /// and in which role (403), how the request is written (413, 415, 400, 422), what it
    /// names (403), whether that exists (404), at which version (412), in which state (409).
    /// What lies out of reach is answered like what does not exist, to the byte.
    pub fn api(&self) -> Router {
        let (router, _) = routes().split_for_parts();
        let router = router
            .fallback(no_such_path)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self.clone());
        self.shield(router)
    }
}

/// The routes, with their descriptions.
pub(crate) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(list::search))
        .routes(routes!(list::counts))
        .routes(routes!(bulk::bulk))
        .routes(routes!(export::export))
        .routes(routes!(events::events))
        .routes(routes!(one::get, amend::amend, one::delete))
        .routes(routes!(one::copy))
        .routes(routes!(one::revoke))
        .routes(routes!(one::reinstate))
        .routes(routes!(one::rotate))
}

async fn no_such_path(_: SignedIn) -> Response {
    Problem::new(ProblemKind::NotFound).into_response()
}

async fn wrong_method(_: SignedIn) -> Response {
    Problem::new(ProblemKind::MethodNotAllowed).into_response()
}
