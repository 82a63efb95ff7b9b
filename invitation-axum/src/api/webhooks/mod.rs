//! The routes about endpoints of webhooks.

use axum::{
    Json,
    extract::{OriginalUri, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use invitation_core::{
    Division, EventId, Refusal,
    documents::DocumentName,
    webhook::{Endpoint, EndpointDraft, EndpointFailure, EndpointSecret, EndpointState},
};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::ToSchema;

use super::docs;
use crate::{
    authorization::{Authorized, PathEndpoint, to},
    body::{self, MaybeJson, Nothing},
    problem::{Problem, ProblemKind},
    query::EndpointStateChoice,
    web::Web,
};

/// The time for which an earlier secret stays valid, if the request names none: a day.
const OVERLAP_HOURS: u32 = 24;

/// A receiver of webhooks. It contains no secret.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub(crate) struct EndpointBody {
    name: String,
    /// Scheme, host and port of the URL. Path and query are left out, because receivers put secrets
    /// there.
    #[schema(example = "https://crm.example")]
    receiver: String,
    /// The division whose events the endpoint gets; `null` if it gets all.
    #[schema(required)]
    division: Option<String>,
    /// The time from which on the endpoint gets events.
    #[schema(format = DateTime)]
    since: String,
    /// Whether the messages contain the names of users and the source of the request.
    names: bool,
    #[schema(value_type = EndpointStateChoice)]
    state: EndpointState,
    /// The position of the last event that the endpoint has accepted, or does not get; `null` before
    /// the first. Positions of one store increase.
    #[schema(required, example = "1.4711.3")]
    position: Option<String>,
    /// The time of the last message that the receiver accepted.
    #[schema(required, format = DateTime)]
    last_success_at: Option<String>,
    /// The event that the receiver has not accepted, and that blocks the events behind it; `null`
    /// if no attempt has failed since the last success.
    #[schema(required)]
    failure: Option<FailureBody>,
    /// The earliest time of the next attempt; `null` if the endpoint is stopped or disabled.
    #[schema(required, format = DateTime)]
    next_attempt_at: Option<String>,
}

/// An event that a receiver has not accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookFailure)]
pub(crate) struct FailureBody {
    /// The id of the event.
    #[schema(format = Uuid)]
    event: String,
    /// The number of failed attempts.
    attempts: u32,
    /// The time of the first failed attempt.
    #[schema(format = DateTime)]
    since: String,
    /// The time of the last failed attempt.
    #[schema(format = DateTime)]
    at: String,
    /// The cause of the last failure. It contains nothing that the receiver sent.
    #[schema(example = "the receiver answered with status 503")]
    cause: String,
}

impl EndpointBody {
    fn of(endpoint: &Endpoint) -> Self {
        let failure = |one: &EndpointFailure| FailureBody {
            event: one.event.to_string(),
            attempts: one.attempts,
            since: one.since.to_string(),
            at: one.at.to_string(),
            cause: one.cause.clone(),
        };
        Self {
            name: endpoint.name.to_string(),
            receiver: endpoint.receiver.clone(),
            division: endpoint.division.as_ref().map(ToString::to_string),
            since: endpoint.since.to_string(),
            names: endpoint.has_names,
            state: endpoint.state,
            position: endpoint.position.map(|at| at.to_string()),
            last_success_at: endpoint.last_success.map(|at| at.to_string()),
            failure: endpoint.failure.as_ref().map(failure),
            next_attempt_at: endpoint.next_attempt.map(|at| at.to_string()),
        }
    }
}

/// All endpoints, the last registered one first.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoints)]
pub(crate) struct EndpointsBody {
    items: Vec<EndpointBody>,
}

/// An endpoint, and what it has not got yet.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointDetail)]
pub(crate) struct DetailBody {
    #[serde(flatten)]
    endpoint: EndpointBody,
    pending: PendingBody,
}

/// The number of events that an endpoint has not got yet.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingEvents)]
pub(crate) struct PendingBody {
    /// The number of events that the endpoint gets, among the next 1,000 events.
    number: u32,
    /// Whether there are no more. If false, the number is a lower bound.
    is_exact: bool,
}

/// A new endpoint.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhookEndpoint)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpointBody {
    /// The name by which people refer to the endpoint, at most 56 bytes.
    #[schema(example = "crm")]
    name: String,
    /// The URL that gets the messages. Private addresses are refused, unless the host allows their
    /// network.
    #[schema(example = "https://crm.example/hooks/invitations")]
    url: String,
    /// The division whose events the endpoint gets; all if it is missing.
    #[serde(default)]
    division: Option<String>,
    /// Whether the messages contain the names of users and the source of the request.
    #[serde(default)]
    #[schema(required = false, default = false)]
    names: bool,
}

/// A new endpoint with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredWebhookEndpoint)]
pub(crate) struct RegisteredBody {
    #[serde(flatten)]
    endpoint: EndpointBody,
    /// The secret with which the receiver checks signatures (Standard Webhooks). It is not shown
    /// again.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: String,
}

/// How a secret is replaced.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = RotateWebhookSecret)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateBody {
    /// The hours for which the earlier secrets sign too, up to 720. After the loss of a secret: 0.
    #[serde(default)]
    #[schema(required = false, default = 24)]
    overlap_hours: Option<u32>,
}

/// A new secret.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
pub(crate) struct SecretBody {
    /// The secret with which the receiver checks signatures (Standard Webhooks). It is not shown
    /// again.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: String,
}

/// The event that is left out.
#[derive(Deserialize, ToSchema)]
#[schema(as = SkipWebhookEvent)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkipBody {
    /// The id of the event in the endpoint's `failure`.
    #[schema(format = Uuid)]
    event: String,
}

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
    Authorized(actor, _): Authorized<to::Webhooks>,
) -> Result<Json<EndpointsBody>, Problem> {
    let endpoints = web.endpoints()?.list(&actor).await?;
    Ok(Json(EndpointsBody { items: endpoints.iter().map(EndpointBody::of).collect() }))
}

/// Registers an endpoint, and returns it with its secret. The secret is not shown again.
#[utoipa::path(
    post,
    path = "/webhooks",
    operation_id = "register_webhook_endpoint",
    request_body = NewEndpointBody,
    responses(
        (status = 201, description = "The endpoint and its secret", body = RegisteredBody,
            headers(("Location" = String, description = "The URL path of the endpoint"))),
        docs::Common, docs::WithBody,
    ),
)]
pub(crate) async fn register(
    State(web): State<Web>,
    Authorized(actor, _): Authorized<to::Webhooks>,
    OriginalUri(uri): OriginalUri,
    body::Json(fields): body::Json<NewEndpointBody>,
) -> Result<Response, Problem> {
    let division = fields.division.as_deref().map(Division::new).transpose()?;
    let draft =
        EndpointDraft { name: fields.name, url: fields.url, division, has_names: fields.names };
    let (endpoint, secret) = web.endpoints()?.register(&actor, &draft).await?;
    let body = RegisteredBody { endpoint: EndpointBody::of(&endpoint), secret: revealed(&secret) };
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    let place = format!("{}/{}", uri.path().trim_end_matches('/'), segment(&endpoint.name));
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
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
    Authorized(actor, _): Authorized<to::Webhooks>,
    PathEndpoint(name): PathEndpoint,
) -> Result<Json<DetailBody>, Problem> {
    let endpoints = web.endpoints()?;
    let found = endpoints.get(&actor, &named(name)?).await;
    let (endpoint, pending) = found.map_err(about_an_endpoint)?;
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
    Authorized(actor, _): Authorized<to::Webhooks>,
    PathEndpoint(name): PathEndpoint,
) -> Result<StatusCode, Problem> {
    let endpoints = web.endpoints()?;
    endpoints.remove(&actor, &named(name)?).await.map_err(about_an_endpoint)?;
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
    Authorized(actor, _): Authorized<to::Webhooks>,
    PathEndpoint(name): PathEndpoint,
    MaybeJson(body): MaybeJson<RotateBody>,
) -> Result<Json<SecretBody>, Problem> {
    let overlap = body.overlap_hours.unwrap_or(OVERLAP_HOURS);
    let endpoints = web.endpoints()?;
    let secret = endpoints.rotate_secret(&actor, &named(name)?, overlap).await;
    Ok(Json(SecretBody { secret: revealed(&secret.map_err(about_an_endpoint)?) }))
}

/// Lets a disabled endpoint go on behind the last event that it has accepted. It does not get events
/// that were purged in the meantime. An endpoint that is not disabled stays as it is.
#[utoipa::path(
    post,
    path = "/webhooks/{endpoint}/enable",
    operation_id = "enable_webhook_endpoint",
    params(docs::EndpointPath),
    responses(
        (status = 200, description = "The endpoint", body = EndpointBody),
        docs::OnEndpoint, docs::WithBody,
    ),
)]
pub(crate) async fn enable(
    State(web): State<Web>,
    Authorized(actor, _): Authorized<to::Webhooks>,
    PathEndpoint(name): PathEndpoint,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Json<EndpointBody>, Problem> {
    answer(web.endpoints()?.enable(&actor, &named(name)?).await)
}

/// Stops an endpoint until it is enabled. Its events may be purged.
#[utoipa::path(
    post,
    path = "/webhooks/{endpoint}/disable",
    operation_id = "disable_webhook_endpoint",
    params(docs::EndpointPath),
    responses(
        (status = 200, description = "The endpoint", body = EndpointBody),
        docs::OnEndpoint, docs::WithBody,
    ),
)]
pub(crate) async fn disable(
    State(web): State<Web>,
    Authorized(actor, _): Authorized<to::Webhooks>,
    PathEndpoint(name): PathEndpoint,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Json<EndpointBody>, Problem> {
    answer(web.endpoints()?.disable(&actor, &named(name)?).await)
}

/// Sends the event that the endpoint has not accepted again with the next run, with all attempts. An
/// endpoint that is disabled, or that gets a message at this moment, stays as it is.
#[utoipa::path(
    post,
    path = "/webhooks/{endpoint}/retry",
    operation_id = "retry_webhook_endpoint",
    params(docs::EndpointPath),
    responses(
        (status = 200, description = "The endpoint", body = EndpointBody),
        docs::OnEndpoint, docs::WithBody,
    ),
)]
pub(crate) async fn retry(
    State(web): State<Web>,
    Authorized(actor, _): Authorized<to::Webhooks>,
    PathEndpoint(name): PathEndpoint,
    MaybeJson(Nothing {}): MaybeJson<Nothing>,
) -> Result<Json<EndpointBody>, Problem> {
    answer(web.endpoints()?.retry(&actor, &named(name)?).await)
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
    Authorized(actor, _): Authorized<to::Webhooks>,
    PathEndpoint(name): PathEndpoint,
    body::Json(body): body::Json<SkipBody>,
) -> Result<Json<EndpointBody>, Problem> {
    let event: EventId = body.event.parse()?;
    answer(web.endpoints()?.skip(&actor, &named(name)?, event).await)
}

fn answer(
    changed: Result<Endpoint, invitation_core::Error>,
) -> Result<Json<EndpointBody>, Problem> {
    Ok(Json(EndpointBody::of(&changed.map_err(about_an_endpoint)?)))
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

fn named(name: Option<DocumentName>) -> Result<DocumentName, Problem> {
    name.ok_or_else(no_such_endpoint)
}

/// Translates an error about an endpoint that does not exist, which is no invitation.
pub(crate) fn about_an_endpoint(error: invitation_core::Error) -> Problem {
    match error.refusal() {
        Some(Refusal::NotFound) => no_such_endpoint(),
        _ => error.into(),
    }
}

fn no_such_endpoint() -> Problem {
    Problem::new(ProblemKind::NotFound).with_detail("there is no such endpoint")
}
