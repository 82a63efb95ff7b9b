//! The bodies of requests and responses about endpoints of webhooks.

use invitation_core::{
    Division, EventId,
    webhook::{Endpoint, EndpointDraft, EndpointFailure, EndpointState},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    problem::{InputError, Problem, pointer_to},
    query::EndpointStateChoice,
};

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
    pub(super) fn of(endpoint: &Endpoint) -> Self {
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
    pub(super) items: Vec<EndpointBody>,
}

/// An endpoint, and what it has not got yet.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointDetail)]
pub(crate) struct DetailBody {
    #[serde(flatten)]
    pub(super) endpoint: EndpointBody,
    pub(super) pending: PendingBody,
}

/// The number of events that an endpoint has not got yet.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingEvents)]
pub(crate) struct PendingBody {
    /// The number of events that the endpoint gets, among the next 1,000 events.
    pub(super) number: u32,
    /// Whether there are no more. If false, the number is a lower bound.
    pub(super) is_exact: bool,
}

/// A new endpoint.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhookEndpoint)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpointBody {
    /// The name by which people refer to the endpoint, at most 56 bytes.
    #[schema(value_type = String, example = "crm")]
    name: Option<String>,
    /// The URL that gets the messages. Private addresses are refused, unless the host allows their
    /// network.
    #[schema(value_type = String, example = "https://crm.example/hooks/invitations")]
    url: Option<String>,
    /// The division whose events the endpoint gets; all if it is missing.
    #[serde(default)]
    division: Option<String>,
    /// Whether the messages contain the names of users and the source of the request.
    #[serde(default)]
    #[schema(required = false, default = false)]
    names: bool,
}

impl NewEndpointBody {
    /// Returns the endpoint to register. Names every field that is missing, and a division that is
    /// none.
    pub(super) fn draft(self) -> Result<EndpointDraft, Problem> {
        let mut wrong = Vec::new();
        let name = required("name", self.name, &mut wrong);
        let url = required("url", self.url, &mut wrong);
        let division = self.division.map(Division::new).transpose().unwrap_or_else(|refused| {
            wrong.push(InputError::in_body("/division", refused.message()));
            None
        });
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        Ok(EndpointDraft { name, url, division, has_names: self.names })
    }
}

/// Returns a field that must be given, and notes it if it is missing. `serde` would name the first
/// missing field only, and not by its pointer.
fn required(name: &str, given: Option<String>, wrong: &mut Vec<InputError>) -> String {
    if given.is_none() {
        wrong.push(InputError::in_body(pointer_to(name), "is missing"));
    }
    given.unwrap_or_default()
}

/// A new endpoint with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredWebhookEndpoint)]
pub(crate) struct RegisteredBody {
    #[serde(flatten)]
    pub(super) endpoint: EndpointBody,
    /// The secret with which the receiver checks signatures (Standard Webhooks). It is not shown
    /// again.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    pub(super) secret: String,
}

/// How a secret is replaced.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = RotateWebhookSecret)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateBody {
    /// The hours for which the earlier secrets sign too, up to 720. After the loss of a secret: 0.
    #[serde(default)]
    #[schema(required = false, default = 24)]
    pub(super) overlap_hours: Option<u32>,
}

/// A new secret.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
pub(crate) struct SecretBody {
    /// The secret with which the receiver checks signatures (Standard Webhooks). It is not shown
    /// again.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    pub(super) secret: String,
}

/// The event that is left out.
#[derive(Deserialize, ToSchema)]
#[schema(as = SkipWebhookEvent)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkipBody {
    /// The id of the event in the endpoint's `failure`.
    #[schema(value_type = String, format = Uuid)]
    event: Option<String>,
}

impl SkipBody {
    /// Returns the id of the event.
    pub(super) fn event(self) -> Result<EventId, Problem> {
        let mut wrong = Vec::new();
        let event = required("event", self.event, &mut wrong);
        if wrong.is_empty() { Ok(event.parse()?) } else { Err(Problem::invalid(wrong)) }
    }
}
