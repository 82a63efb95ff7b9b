//! The JSON API.

mod amend;
pub(crate) mod bulk;
mod create;
mod deliveries;
pub(crate) mod docs;
pub(crate) mod draft;
mod events;
mod export;
mod funnel;
pub(crate) mod imports;
mod invitation;
mod list;
mod one;
mod page_body;
mod resend_all;
pub(crate) mod revoke_all;
pub(crate) mod rows;
pub(crate) mod streamed;
mod uses;
pub(crate) mod webhooks;

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    authorization::SignedIn,
    problem::{Problem, ProblemKind},
    web::Web,
};

impl Web {
    /// Returns a router with the JSON API, to be mounted at any path:
    /// `.nest_service("/api/invitations", web.api())`.
    ///
    /// | Route | Required right | Purpose |
    /// |---|---|---|
    /// | `GET /` | `View` | a page: `status`, `search`, `role`, `division`, `inviter`, `batch`, `created_after`, `created_before`, `expires_after`, `expires_before`, `sort`, `limit`, `cursor` |
    /// | `POST /search` | `View` | the same with the search in the body, for searches that must not appear in a URL |
    /// | `GET /counts` | `View` | the number of invitations of each status, with the same filters |
    /// | `POST /` | `Create` | a new invitation; `Idempotency-Key` |
    /// | `GET /{id}` | `View` | one invitation, with its version as `ETag` |
    /// | `GET /{id}/redemptions` | `View` | its redemptions, newest first: `limit`, `cursor` |
    /// | `GET /reservations` | `Reservations` | the open reservations, newest first: `limit`, `cursor` |
    /// | `POST /revoke` | `Revoke` | revokes all invitations of an inviter, division, batch or role |
    /// | `POST /{id}/copy` | `Copy` | its code and a link, to share |
    /// | `PATCH /{id}` | `Amend` | other terms; `If-Match`, as for the next two rows |
    /// | `POST /{id}/revoke`, `/reinstate`, `/rotate` | `Revoke`, `Reinstate`, `Rotate` | a change of the invitation or of its code |
    /// | `DELETE /{id}` | `Delete` | removes the invitation |
    /// | `POST /bulk` | `Bulk` | many, from JSON or CSV: `dry_run`, `mode`, `duplicates` |
    /// | `POST /imports` | `Bulk` | orders the import of a file of any size: `mode`, `duplicates`; `Idempotency-Key` |
    /// | `GET /imports`, `GET /imports/{import}` | `Bulk` | imports and their progress: `limit`, `cursor` |
    /// | `GET /imports/{import}/result` | `Bulk` | the outcome of each row as a file, with the codes for a role that has `Copy` |
    /// | `POST /imports/{import}/cancel` | `Bulk` | ends an import |
    /// | `GET /export.csv` | `Export` | the list as a file, without the codes |
    /// | `GET /{id}/deliveries` | `View` | what became of its mails, newest first: `limit`, `cursor` |
    /// | `POST /{id}/resend` | `Resend` | sends it to its address again: `rotate`; `Idempotency-Key` |
    /// | `POST /resend` | `Resend` | sends the invitations of an inviter, division, batch or role again: `status`, `rotate`, `limit`, `cursor`; `Idempotency-Key` |
    /// | `GET /deliveries` | `Resend` | the mails of all invitations: `state`, `limit`, `cursor` |
    /// | `POST /deliveries/{delivery}/retry` | `Resend` | queues a failed mail again |
    /// | `GET /webhooks`, `GET /webhooks/{endpoint}` | `Webhooks` | endpoints of webhooks, with their state and last failure |
    /// | `POST /webhooks` | `Webhooks` | a new endpoint: `name`, `url`, `division`, `names`; `Idempotency-Key`; the answer has its secret |
    /// | `DELETE /webhooks/{endpoint}` | `Webhooks` | removes an endpoint |
    /// | `POST /webhooks/{endpoint}/secret` | `Webhooks` | a new secret: `overlap_hours` |
    /// | `POST /webhooks/{endpoint}/enable`, `/disable`, `/retry`, `/skip` | `Webhooks` | lets an endpoint go on, or stops it |
    /// | `GET /funnel` | `View` | what became of the invitations of a `division`, `inviter` or `batch` |
    /// | `GET /events` | `Audit` | the audit trail: `invitation`, `actor`, `kind`, `outcome`, `division`, `limit`, `cursor` |
    ///
    /// The routes about mails exist only with [`with_deliveries`](Self::with_deliveries), those
    /// about webhooks only with [`with_webhooks`](Self::with_webhooks), and that about the funnel
    /// only with [`with_funnel`](Self::with_funnel).
    ///
    /// `sort` is `created` (newest first, the default) or `expires` (soonest expiry first). The
    /// filter of events by what happened is `kind`, such as `kind=redeem`.
    ///
    /// [`openapi`](Self::openapi) returns the full description. A request is checked in this
    /// order, and the first check that fails determines the response:
    ///
    /// 1. Is there an actor? (401)
    /// 2. Is the origin allowed, and does the actor's role have the right? (403)
    /// 3. Is the request well formed? (413, 415, 400, 422)
    /// 4. May the actor use the roles and divisions that it names? (403)
    /// 5. Does the invitation exist? (404)
    /// 6. Is it at the expected version? (412)
    /// 7. Does its state allow the change? (409)
    ///
    /// Limits of numbers and rates (429) come after 422, with one exception: an import takes its place
    /// before its body is read. So the 429 of `POST /bulk` and `POST /imports` may come before an error
    /// about the body.
    ///
    /// Every route refuses parameters that it does not have (422): a misspelt filter must not widen what
    /// a request does.
    ///
    /// The response about an invitation out of the actor's reach is byte for byte the one
    /// about an invitation that does not exist.
    pub fn api(&self) -> Router {
        let (router, _) = routes(self).split_for_parts();
        let router = router
            .fallback(no_such_path)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self.clone());
        self.with_middleware(router)
    }
}

/// Returns the routes with their OpenAPI descriptions.
pub(crate) fn routes(web: &Web) -> OpenApiRouter<Web> {
    let mut routes = always();
    if web.deliveries().is_ok() {
        routes = routes
            .routes(routes!(deliveries::list))
            .routes(routes!(deliveries::retry))
            .routes(routes!(deliveries::of_invitation))
            .routes(routes!(deliveries::resend))
            .routes(routes!(resend_all::resend_all));
    }
    if web.endpoints().is_ok() {
        routes = routes
            .routes(routes!(webhooks::list, webhooks::register))
            .routes(routes!(webhooks::get, webhooks::remove))
            .routes(routes!(webhooks::rotate_secret))
            .routes(routes!(webhooks::enable))
            .routes(routes!(webhooks::disable))
            .routes(routes!(webhooks::retry))
            .routes(routes!(webhooks::skip));
    }
    if web.funnels().is_ok() {
        routes = routes.routes(routes!(funnel::funnel));
    }
    routes
}

/// Returns the routes that need no further part of the host.
fn always() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(list::search))
        .routes(routes!(list::counts))
        .routes(routes!(bulk::bulk))
        .routes(routes!(imports::list, imports::order))
        .routes(routes!(imports::get))
        .routes(routes!(imports::result::result))
        .routes(routes!(imports::cancel))
        .routes(routes!(export::export))
        .routes(routes!(events::events))
        .routes(routes!(uses::reservations))
        .routes(routes!(revoke_all::revoke_all))
        .routes(routes!(one::get, amend::amend, one::delete))
        .routes(routes!(uses::redemptions))
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
