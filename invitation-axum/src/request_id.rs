//! The id of a request, for the handlers of the host.

use axum::{extract::FromRequestParts, http::request::Parts};
use invitation_core::{CorrelationId, RequestContext};

use crate::problem::{Problem, ProblemKind};

/// The id of a request, as an extractor for the host's own handlers.
///
/// It is the `X-Request-Id` of the response. The routers of this crate make it the correlation
/// id of their events. A host does the same for the events of its own calls, above all for
/// redemptions: it passes [`context`](Self::context) to
/// [`Redeemer::with_context`](invitation_core::Redeemer::with_context) or
/// [`Actor::with_context`](invitation_core::Actor::with_context).
///
/// The route must be behind [`Web::protect`](crate::Web::protect), which assigns the ids. Any
/// other request is answered with 500, and the log names the reason.
///
/// The handler of the example registers a newcomer by
/// [`admit`](invitation_core::Invitations::admit): the account and the redemption are kept
/// together. Its state has the type of the store, such as `Invitations<SqliteStore>`, because a
/// [`Service`](crate::Service) has no `admit`; the page of `Service` shows how a host has both.
///
/// ```
/// # mod invitation { pub use invitation_core::*; pub use invitation_axum as web; }
/// use axum::{Json, Router, extract::State, routing::post};
/// use invitation::{
///     Invitations, Redeemer, Username,
///     admit::{RedeemerIds, Transactional},
///     web::{Problem, RequestId, Web},
/// };
///
/// #[derive(serde::Deserialize)]
/// struct Registration {
///     code: String,
///     username: String,
/// }
///
/// async fn register<S: Transactional>(
///     State((invitations, ids)): State<(Invitations<S>, RedeemerIds)>,
///     request: RequestId,
///     Json(form): Json<Registration>,
/// ) -> Result<String, Problem> {
///     let refused = |error| Problem::of_redeeming(&error);
///     let (code, name) = (invitations.parse_code(&form.code)?, Username::new(form.username)?);
///     let newcomer = Redeemer::new(ids.derive(&code, &name, None, ""), name)
///         .with_context(request.context());
///     let mut admission = invitations.admit(&form.code, &newcomer).await.map_err(refused)?;
///     if !admission.is_replayed() {
///         let _tx = admission.tx(); // the host writes the account on this connection
///     }
///     let redeemed = admission.commit().await.map_err(refused)?;
///     Ok(redeemed.role().to_string())
/// }
///
/// /// The type of the store may be `SqliteStore`, or that of another SQL database.
/// fn routes<S: Transactional + Clone + 'static>(
///     web: &Web,
///     invitations: Invitations<S>,
///     ids: RedeemerIds,
/// ) -> Router {
///     let routes = Router::new().route("/register", post(register::<S>));
///     web.protect(routes.with_state((invitations, ids)))
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(CorrelationId);

impl RequestId {
    pub(crate) fn new(id: CorrelationId) -> Self {
        Self(id)
    }

    /// Returns the id, as the audit trail keeps it.
    #[must_use]
    pub fn correlation(&self) -> &CorrelationId {
        &self.0
    }

    /// Returns the request context with this id, and without a source.
    #[must_use]
    pub fn context(&self) -> RequestContext {
        RequestContext { correlation: Some(self.0.clone()), source: None }
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a request has no id: put the route behind `Web::protect`");
            Problem::new(ProblemKind::Internal)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{Router, body::Body, http::Request, routing::get};
    use invitation_core::{Actor, Invitations, MemoryStore, Store};
    use tower::ServiceExt as _;

    use super::*;
    use crate::Web;

    fn routes() -> Router {
        Router::new().route("/", get(async |id: RequestId| id.correlation().to_string()))
    }

    fn request(id: &str) -> Request<Body> {
        Request::get("/").header("x-request-id", id).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn handler_behind_protect_gets_the_id_of_the_response() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let web = Web::new(Invitations::new(store), |_: &Parts| None::<Actor>);
        for given in ["req-7", "not an id"] {
            let response = web.protect(routes()).oneshot(request(given)).await.unwrap();
            assert_eq!(response.status(), 200);
            let told = response.headers()["x-request-id"].to_str().unwrap().to_owned();
            assert_eq!(told == given, given == "req-7", "a plain id is kept, another is replaced");
            let body = axum::body::to_bytes(response.into_body(), 200).await.unwrap();
            assert_eq!(body, told.as_bytes());
        }
    }

    #[tokio::test]
    async fn handler_that_is_not_behind_protect_answers_500() {
        let response = routes().oneshot(request("req-7")).await.unwrap();
        assert_eq!(response.status(), 500);
    }
}
