//! The routes about endpoints of webhooks.

mod body;

use axum::{
    Json,
    extract::{OriginalUri, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use invitation_core::{
    Error,
    documents::DocumentName,
    webhook::{Endpoint, EndpointSecret},
};
use url::form_urlencoded;

use self::body::{
    DetailBody, EndpointBody, EndpointsBody, NewEndpointBody, PendingBody, RegisteredBody,
    RotateBody, SecretBody, SkipBody,
};
use super::docs;
use crate::{
    authorization::{Authorized, to},
    body::{MaybeJson, Nothing},
    headers::IdempotencyKeyHeader,
    path::{PathId, ResourceId, set_location},
    problem::Problem,
    web::Web,
};

/// The time for which an earlier secret stays valid, if the request names none: a day.
const OVERLAP_HOURS: u32 = 24;

/// Lists the endpoints, the last registered one first: at most 1,000.
#[utoipa::path(
    get,
    path = "/webhooks",
    operation_id = "list_webhook_endpoints",
    responses(
        (status = 200, description = "All endpoints", body = EndpointsBody),
        docs::Common,
    ),
)]
pub(crate) async fn list(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Webhooks>,
) -> Result<Json<EndpointsBody>, Problem> {
    let endpoints = web.endpoints()?.list(&actor).await?;
    Ok(Json(EndpointsBody { items: endpoints.iter().map(EndpointBody::of).collect() }))
}

/// Registers an endpoint, and returns it with its secret. The secret is not shown again, except to the
/// same request under the same `Idempotency-Key`, until it is replaced.
#[utoipa::path(
    post,
    path = "/webhooks",
    operation_id = "register_webhook_endpoint",
    params(docs::Key),
    request_body = NewEndpointBody,
    responses(
        (status = 201, description = "The endpoint and its secret", body = RegisteredBody,
            headers(("Location" = String, description = "The URL path of the endpoint"))),
        docs::Common, docs::WithBody, docs::Registering,
    ),
)]
pub(crate) async fn register(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Webhooks>,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    OriginalUri(uri): OriginalUri,
    crate::body::Json(fields): crate::body::Json<NewEndpointBody>,
) -> Result<Response, Problem> {
    let draft = fields.draft()?;
    let endpoints = web.endpoints()?;
    let (endpoint, secret) = match &key {
        Some(key) => endpoints.register_once(&actor, key, &draft).await?,
        None => endpoints.register(&actor, &draft).await?,
    };
    let body = RegisteredBody { endpoint: EndpointBody::of(&endpoint), secret: revealed(&secret) };
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    set_location(&mut response, &uri, segment(&endpoint.name));
    Ok(response)
}

/// Returns an endpoint, and how many events it has not got yet.
#[utoipa::path(
    get,
    path = "/webhooks/{endpoint}",
    operation_id = "get_webhook_endpoint",
    params(docs::EndpointPath),
    responses(
        (status = 200, description = "The endpoint", body = DetailBody),
        docs::OnEndpoint,
    ),
)]
pub(crate) async fn get(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Webhooks>,
    name: PathId<DocumentName>,
) -> Result<Json<DetailBody>, Problem> {
    let endpoints = web.endpoints()?;
    let found = endpoints.get(&actor, &name.or_unissued()).await;
    let (endpoint, pending) = found.map_err(DocumentName::problem)?;
    let pending = PendingBody { number: pending.number, is_exact: pending.is_exact };
    Ok(Json(DetailBody { endpoint: EndpointBody::of(&endpoint), pending }))
}

/// Removes an endpoint with its secrets. Its events may then be purged.
#[utoipa::path(
    delete,
    path = "/webhooks/{endpoint}",
    operation_id = "remove_webhook_endpoint",
    params(docs::EndpointPath),
    responses((status = 204, description = "It is removed"), docs::OnEndpoint),
)]
pub(crate) async fn remove(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Webhooks>,
    name: PathId<DocumentName>,
) -> Result<StatusCode, Problem> {
    let endpoints = web.endpoints()?;
    endpoints.remove(&actor, &name.or_unissued()).await.map_err(DocumentName::problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces the secret of an endpoint, and returns the new one, which is not shown again.
#[utoipa::path(
    post,
    path = "/webhooks/{endpoint}/secret",
    operation_id = "rotate_webhook_secret",
    params(docs::EndpointPath),
    request_body(content = Option<RotateBody>),
    responses(
        (status = 200, description = "The new secret", body = SecretBody),
        docs::OnEndpoint, docs::WithBody,
    ),
)]
pub(crate) async fn rotate_secret(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Webhooks>,
    name: PathId<DocumentName>,
    MaybeJson(body): MaybeJson<RotateBody>,
) -> Result<Json<SecretBody>, Problem> {
    let overlap = body.overlap_hours.unwrap_or(OVERLAP_HOURS);
    let endpoints = web.endpoints()?;
    let secret = endpoints.rotate_secret(&actor, &name.or_unissued(), overlap).await;
    Ok(Json(SecretBody { secret: revealed(&secret.map_err(DocumentName::problem)?) }))
}

/// Declares handlers of changes that need no more than the name of the endpoint: each calls the function
/// of its own name. `utoipa` needs a handler for each path.
macro_rules! changes {
    ($($(#[$doc:meta])* $change:ident: $path:literal $operation:literal;)+) => {
        $($(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            operation_id = $operation,
            params(docs::EndpointPath),
            responses(
                (status = 200, description = "The endpoint", body = EndpointBody),
                docs::OnEndpoint, docs::WithBody,
            ),
        )]
        pub(crate) async fn $change(
            State(web): State<Web>,
            Authorized(actor, ..): Authorized<to::Webhooks>,
            name: PathId<DocumentName>,
            MaybeJson(Nothing {}): MaybeJson<Nothing>,
        ) -> Result<Json<EndpointBody>, Problem> {
            answer(web.endpoints()?.$change(&actor, &name.or_unissued()).await)
        })+
    };
}

changes! {
    /// Lets a disabled endpoint go on behind the last event that it has accepted. It does not get events
    /// that were purged in the meantime. An endpoint that is not disabled stays as it is.
    enable: "/webhooks/{endpoint}/enable" "enable_webhook_endpoint";
    /// Stops an endpoint until it is enabled. Its events may be purged.
    disable: "/webhooks/{endpoint}/disable" "disable_webhook_endpoint";
    /// Sends the event that the endpoint has not accepted again with the next run, with all attempts. An
    /// endpoint that is disabled, or that gets a message at this moment, stays as it is.
    retry: "/webhooks/{endpoint}/retry" "retry_webhook_endpoint";
}

/// Leaves out the event that the endpoint has not accepted, and lets the endpoint go on with the
/// next one. An endpoint that does not wait because of this event stays as it is.
#[utoipa::path(
    post,
    path = "/webhooks/{endpoint}/skip",
    operation_id = "skip_webhook_event",
    params(docs::EndpointPath),
    request_body = SkipBody,
    responses(
        (status = 200, description = "The endpoint", body = EndpointBody),
        docs::OnEndpoint, docs::WithBody,
    ),
)]
pub(crate) async fn skip(
    State(web): State<Web>,
    Authorized(actor, ..): Authorized<to::Webhooks>,
    name: PathId<DocumentName>,
    crate::body::Json(body): crate::body::Json<SkipBody>,
) -> Result<Json<EndpointBody>, Problem> {
    let event = body.event()?;
    answer(web.endpoints()?.skip(&actor, &name.or_unissued(), event).await)
}

fn answer(changed: Result<Endpoint, Error>) -> Result<Json<EndpointBody>, Problem> {
    Ok(Json(EndpointBody::of(&changed.map_err(DocumentName::problem)?)))
}

/// Returns a name as a segment of a path.
pub(crate) fn segment(name: &DocumentName) -> String {
    let segment: String = form_urlencoded::byte_serialize(name.as_str().as_bytes()).collect();
    // In a path, a plus sign is no space.
    segment.replace('+', "%20")
}

fn revealed(secret: &EndpointSecret) -> String {
    secret.reveal().to_owned()
}
