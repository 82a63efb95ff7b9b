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
mod one;
pub(crate) mod rows;

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
    /// The JSON API, to be mounted anywhere: `.nest_service("/api/invitations", web.api())`.
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
