//! Endpoints of webhooks, as pages and the API show and change them.
//!
//! An endpoint is a receiver of another system that hears of the events of invitations. The crate
//! `invitation-delivery` keeps endpoints and sends the messages. This module has what people may do
//! with endpoints: [`Endpoints`] checks their rights and leaves the evidence, and acts through the
//! port [`ManageEndpoints`], which `invitation_delivery::webhook::Webhooks` implements.
//!
//! - **What there is**: an [`Endpoint`] with an [`EndpointState`], and an [`EndpointFailure`] while
//!   its receiver fails.
//! - **What people do**: [`Endpoints`] lists, registers ([`EndpointDraft`]) and changes endpoints.
//!   The right is [`Right::Webhooks`](crate::Right::Webhooks), with reach of all divisions.
//! - **Secrets**: an [`EndpointSecret`] is returned when it is made, and never again. Only a repeated
//!   registration under the same idempotency key returns it once more.
//!
//! # Evidence
//!
//! Each change writes an event of the action [`Webhooks`](crate::Action::Webhooks), in one atomic
//! step with the change. Its detail has the `endpoint` and the `change`: `registered`,
//! `secret_rotated`, `enabled`, `disabled`, `retried`, `skipped` or `removed`. A worker that stops or
//! disables an endpoint, because it fails, writes an event with the outcome *failed* and the
//! `failure`.

mod port;
mod registration;

use std::fmt;

use time::Duration;
use url::Url;
use zeroize::Zeroizing;

pub use self::{
    port::{EndpointError, ManageEndpoints},
    registration::RegistrationRequest,
};
pub use crate::service::Endpoints;
use crate::{
    detail::Detail,
    documents::DocumentName,
    entropy::{Entropy, EntropyError},
    event::{Action, Event, EventOutcome, Reason},
    feed::FeedPosition,
    id::{EventId, IdSource},
    performer::Performer,
    request_context::RequestContext,
    string_enum::string_enum,
    text::{Division, SystemName},
    time::Timestamp,
};

string_enum! {
    /// The state of an endpoint of webhooks.
    #[non_exhaustive]
    EndpointState, "state" {
        /// The endpoint gets messages. A failed attempt is repeated.
        Active = "active",
        /// The last attempt for an event has failed, and the endpoint waits for a person. Its events
        /// are not purged.
        Stopped = "stopped",
        /// The endpoint gets no messages: a person has disabled it, or it has failed for too long.
        /// Its events may be purged.
        Disabled = "disabled",
    }
}

/// A receiver of webhooks that is to be registered, as a person entered it. `Debug` does not show
/// the URL, which may contain a secret of the receiver.
#[derive(Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "the port must not overlook a part")]
pub struct EndpointDraft {
    /// The name by which people refer to the endpoint.
    pub name: String,
    /// The URL that gets the messages.
    pub url: String,
    /// The division whose events the endpoint gets; none if it gets all.
    pub division: Option<Division>,
    /// Whether the messages contain the names of users and the source of the request.
    pub has_names: bool,
}

impl EndpointDraft {
    /// Returns scheme, host and port of the URL; none if it is no URL.
    fn receiver(&self) -> Option<String> {
        Some(Url::parse(&self.url).ok()?.origin().ascii_serialization())
    }
}

impl fmt::Debug for EndpointDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("EndpointDraft");
        shown.field("name", &self.name).field("receiver", &self.receiver());
        shown.field("division", &self.division).finish_non_exhaustive()
    }
}

/// A registered receiver of webhooks, without its secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "implementations of the port build it")]
pub struct Endpoint {
    /// The name of the endpoint.
    pub name: DocumentName,
    /// Scheme, host and port of the URL that gets the messages. Path and query are left out,
    /// because receivers put secrets there.
    pub receiver: String,
    /// The division whose events the endpoint gets; none if it gets all.
    pub division: Option<Division>,
    /// The time from which on the endpoint gets events.
    pub since: Timestamp,
    /// Whether the messages contain names.
    pub has_names: bool,
    /// Whether the endpoint gets messages.
    pub state: EndpointState,
    /// The position of the last event of the feed that the endpoint has accepted, or does not get;
    /// none before the first.
    pub position: Option<FeedPosition>,
    /// The time of the last message that the receiver accepted; none before the first.
    pub last_success: Option<Timestamp>,
    /// The event whose last attempt failed; none if no attempt has failed since the last success.
    pub failure: Option<EndpointFailure>,
    /// The time of the next attempt; none if the endpoint is stopped or disabled.
    pub next_attempt: Option<Timestamp>,
}

/// An event that an endpoint has not accepted yet. It blocks the events behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "implementations of the port build it")]
pub struct EndpointFailure {
    /// The id of the event.
    pub event: EventId,
    /// The number of failed attempts.
    pub attempts: u32,
    /// The time of the first failed attempt.
    pub since: Timestamp,
    /// The time of the last failed attempt.
    pub at: Timestamp,
    /// The cause of the last failure, as a part of a sentence. It contains nothing that the
    /// receiver sent.
    pub cause: String,
}

/// The number of events that an endpoint has not got yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "implementations of the port build it")]
pub struct PendingEvents {
    /// The number, at most the one that was asked for. Events that the endpoint does not get are
    /// not counted.
    pub number: u32,
    /// Whether there are no more.
    pub is_exact: bool,
}

/// The secret with which a receiver checks signatures. `Debug` does not show it, and it is wiped
/// on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointSecret(Zeroizing<String>);

impl EndpointSecret {
    /// Creates a secret from the text that receivers configure.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Returns the text that receivers configure.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointSecret(…)")
    }
}

/// A change of an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the port must not overlook a change")]
pub enum EndpointChange {
    /// Let a disabled endpoint go on behind the last event that it has accepted.
    Enable,
    /// Send no more messages, and let the endpoint's events be purged.
    Disable,
    /// Try again with the next run, with all attempts. It does nothing to a disabled endpoint.
    Retry,
    /// Leave out this event, if the endpoint is waiting because of it.
    Skip(EventId),
    /// Remove the endpoint with its secrets.
    Remove,
}

impl EndpointChange {
    /// Returns the detail of the event.
    pub(crate) fn detail(self, name: &DocumentName) -> Detail {
        let of = |change| detail(name, change);
        match self {
            Self::Enable => of("enabled"),
            Self::Disable => of("disabled"),
            Self::Retry => of("retried"),
            Self::Skip(event) => of("skipped").with("event", &event.to_string()),
            Self::Remove => of("removed"),
        }
    }
}

/// Returns the detail of the event of a registration.
pub(crate) fn detail_of_registration(draft: &EndpointDraft) -> Detail {
    let detail = Detail::none().with("endpoint", &draft.name).with("change", "registered");
    match draft.receiver() {
        Some(receiver) => detail.with("receiver", &receiver),
        None => detail,
    }
}

/// Returns the detail of the event of a new secret.
pub(crate) fn detail_of_rotation(name: &DocumentName, overlap: Duration) -> Detail {
    let hours = overlap.whole_hours().to_string();
    detail(name, "secret_rotated").with("overlap_hours", &hours)
}

fn detail(name: &DocumentName, change: &str) -> Detail {
    Detail::none().with("endpoint", name.as_str()).with("change", change)
}

/// Returns the event of a worker that gives an endpoint up, because its receiver fails. `state` is
/// the new state, and `cause` is that of the last failure.
///
/// # Errors
///
/// [`EntropyError`] when the source of randomness fails.
pub fn given_up_event(
    name: &DocumentName,
    state: EndpointState,
    cause: &str,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Event, EntropyError> {
    Ok(Event {
        id: IdSource::default().event(now, entropy)?,
        at: now,
        performer: Performer::System { name: Some(SystemName::from_stored("webhooks")) },
        action: Action::Webhooks,
        outcome: EventOutcome::Failed,
        reason: Some(Reason::DeliveryFailed),
        invitation: None,
        division: None,
        context: RequestContext::default(),
        detail: detail(name, state.as_str()).with("failure", cause),
    })
}
