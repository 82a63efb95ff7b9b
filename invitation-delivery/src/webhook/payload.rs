//! The message about an event.

use std::collections::BTreeMap;

use invitation_core::{
    Division, Timestamp, UserId,
    audit::{CorrelationId, Event, Performer, Source},
};
use serde::Serialize;

use super::stored::Settings;

/// The body of a message, as Standard Webhooks recommends it.
#[derive(Serialize)]
struct Payload<'e> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'e>,
}

/// An event with the fields of the JSON API. It contains no code.
#[derive(Serialize)]
struct Data<'e> {
    id: String,
    at: String,
    actor: Option<&'e str>,
    actor_role: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_name: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'e str>,
    kind: &'static str,
    invitation: Option<String>,
    division: Option<&'e str>,
    correlation_id: Option<&'e str>,
    detail: BTreeMap<&'e str, &'e str>,
}

/// Returns the JSON of the message about an event; none if the endpoint gets no message about it.
/// The same event always gives the same text.
pub(super) fn of(event: &Event, settings: &Settings) -> serde_json::Result<Option<String>> {
    let Some(kind) = message_type(event, settings) else { return Ok(None) };
    let role = match &event.performer {
        Performer::System { .. } | Performer::Redeemer { .. } => None,
        Performer::Actor { role, .. } => Some(role.as_str()),
    };
    let name = event.performer.name().filter(|_| settings.names);
    let (actor_name, username) = match &event.performer {
        Performer::System { .. } | Performer::Actor { .. } => (name, None),
        Performer::Redeemer { .. } => (None, name),
    };
    let source = event.context.source.as_ref().filter(|_| settings.names);
    let data = Data {
        id: event.id.to_string(),
        at: event.at.to_string(),
        actor: event.performer.user().map(UserId::as_str),
        actor_role: role,
        actor_name,
        username,
        source: source.map(Source::as_str),
        kind: event.action.as_str(),
        invitation: event.invitation.map(|id| id.to_string()),
        division: event.division.as_ref().map(Division::as_str),
        correlation_id: event.context.correlation.as_ref().map(CorrelationId::as_str),
        detail: event.detail.iter().collect(),
    };
    serde_json::to_string(&Payload { kind, timestamp: event.at.to_string(), data }).map(Some)
}

/// Returns the type of the message; none if the endpoint gets no message about the event.
pub(super) fn message_type(event: &Event, settings: &Settings) -> Option<&'static str> {
    let is_wanted = event.at >= settings.since
        && settings.division.as_ref().is_none_or(|own| event.division.as_ref() == Some(own));
    event.event_type().filter(|_| is_wanted)
}

/// Returns the whole seconds since 1970, as the header of a message has them.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}
