//! An endpoint as a document.

mod request;

use invitation_core::{
    Division, Timestamp,
    audit::EventId,
    documents::{Document, DocumentKey, DocumentKind, DocumentName, DocumentState},
    feed::{CursorName, FeedPosition},
    webhook::EndpointState,
};
use serde::{Deserialize, Serialize};
use time::Duration;
use url::Url;

pub(super) use self::request::StoredRequest;
use super::{
    endpoint::{Endpoint, Failure, FailureCause},
    error::WebhookError,
    secret::WebhookSecret,
    vault::{StoredSecret, Vault},
};

/// The state of the document of an endpoint that was removed. An endpoint has none like it.
const REMOVED: &str = "removed";

/// The beginning of the names of the endpoints' cursors.
pub(super) const CURSORS: &str = "webhook/";

pub(super) fn kind() -> DocumentKind {
    DocumentKind::from_stored("webhook")
}

pub(super) fn key(name: &DocumentName) -> DocumentKey {
    DocumentKey { kind: kind(), name: name.clone() }
}

/// Returns the name of the cursor that keeps the events of an endpoint from being purged.
pub(super) fn cursor(name: &DocumentName) -> CursorName {
    CursorName::from_stored(format!("{CURSORS}{name}"))
}

/// The state of the document of an endpoint that was removed. It has no content.
pub(super) fn removed() -> DocumentState {
    DocumentState::from_stored(REMOVED)
}

/// What an endpoint gets, and where.
pub(super) struct Settings {
    pub(super) url: Url,
    pub(super) division: Option<Division>,
    pub(super) since: Timestamp,
    pub(super) names: bool,
}

/// A secret, and when it stops to sign; never if none.
pub(super) struct TimedSecret {
    pub(super) secret: WebhookSecret,
    pub(super) until: Option<Timestamp>,
}

/// An event that the endpoint has not accepted.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockingEvent {
    pub(super) event: EventId,
    #[serde(with = "position")]
    pub(super) position: FeedPosition,
    pub(super) attempts: u32,
    #[serde(with = "micros")]
    pub(super) at: Timestamp,
    /// The time of the first failed attempt.
    #[serde(with = "micros")]
    pub(super) since: Timestamp,
    /// The time from which on the endpoint is given time to recover: the first failed attempt, or
    /// the last time that a person let it try again.
    #[serde(with = "micros")]
    pub(super) patient_from: Timestamp,
    pub(super) cause: FailureCause,
}

/// An endpoint, its place in the feed, and the worker that has it.
pub(super) struct EndpointRecord {
    pub(super) settings: Settings,
    pub(super) secrets: Vec<TimedSecret>,
    /// The position of the last event that the endpoint has accepted, or does not get.
    pub(super) position: Option<FeedPosition>,
    pub(super) failure: Option<BlockingEvent>,
    /// The random name of a worker's claim; none while no worker has the endpoint.
    pub(super) claim: Option<String>,
    /// The time of the last message that the endpoint has accepted.
    pub(super) last_success: Option<Timestamp>,
    /// The registration, if it had an idempotency key.
    pub(super) request: Option<StoredRequest>,
    pub(super) state: EndpointState,
    /// The time of the next attempt, or the end of the worker's lease.
    pub(super) due: Option<Timestamp>,
}

/// The body of the document.
#[derive(Serialize, Deserialize)]
// An earlier version must not drop what a later one has added.
#[serde(deny_unknown_fields)]
struct Body {
    url: Url,
    #[serde(with = "micros")]
    since: Timestamp,
    names: bool,
    secrets: Vec<BodySecret>,
    #[serde(with = "optional_position")]
    position: Option<FeedPosition>,
    failure: Option<BlockingEvent>,
    claim: Option<String>,
    #[serde(with = "optional_micros")]
    last_success: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<StoredRequest>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BodySecret {
    secret: StoredSecret,
    #[serde(with = "optional_micros")]
    until: Option<Timestamp>,
}

impl EndpointRecord {
    /// Reads a document; none if the endpoint was removed.
    pub(super) fn decode(document: &Document, vault: &Vault) -> Result<Option<Self>, WebhookError> {
        let name = &document.key.name;
        if document.state == removed() {
            return Ok(None);
        }
        let state = document.state.as_str().parse().map_err(|_| {
            let source = format!("the state {:?} is unknown", document.state.as_str()).into();
            WebhookError::Unreadable { name: name.clone(), source }
        })?;
        let body: Body = serde_json::from_slice(&document.body).map_err(unreadable(name))?;
        let secrets = body.secrets.iter().map(|one| {
            Ok(TimedSecret { secret: vault.unlock(name, &one.secret)?, until: one.until })
        });
        Ok(Some(Self {
            secrets: secrets.collect::<Result<_, WebhookError>>()?,
            settings: Settings {
                url: body.url,
                division: document.division.clone(),
                since: body.since,
                names: body.names,
            },
            position: body.position,
            failure: body.failure,
            claim: body.claim,
            last_success: body.last_success,
            request: body.request,
            state,
            due: document.due,
        }))
    }

    /// Returns the document with the content of this record.
    pub(super) fn encode(
        &self,
        document: Document,
        vault: &Vault,
    ) -> Result<Document, WebhookError> {
        let name = document.key.name.clone();
        let secrets = self.secrets.iter().map(|one| {
            Ok(BodySecret { secret: vault.lock(&name, &one.secret)?, until: one.until })
        });
        let body = Body {
            secrets: secrets.collect::<Result<_, WebhookError>>()?,
            url: self.settings.url.clone(),
            since: self.settings.since,
            names: self.settings.names,
            position: self.position,
            failure: self.failure,
            claim: self.claim.clone(),
            last_success: self.last_success,
            request: self.request.clone(),
        };
        let body = serde_json::to_vec(&body).map_err(unreadable(&name))?;
        let division = self.settings.division.clone();
        let state = DocumentState::from_stored(self.state.as_str());
        Ok(Document { state, division, due: self.due, ..document }.with_body(body)?)
    }

    /// Returns whether a worker has the endpoint, and its lease has not expired.
    pub(super) fn is_claimed(&self, now: Timestamp) -> bool {
        self.claim.is_some() && self.due.is_some_and(|end| end > now)
    }

    /// Ends the claim of a worker, and every further attempt.
    pub(super) fn disable(&mut self) {
        (self.state, self.due, self.claim) = (EndpointState::Disabled, None, None);
    }

    /// Lets the endpoint try again with the next run, with all attempts for the event that it has not
    /// accepted. Ends the claim of a worker, which would otherwise undo this after its lease.
    pub(super) fn activate(&mut self, now: Timestamp) {
        (self.state, self.due, self.claim) = (EndpointState::Active, Some(now), None);
        if let Some(failure) = &mut self.failure {
            (failure.attempts, failure.patient_from) = (0, now);
        }
    }

    /// Returns whether the endpoint was stopped, and has failed for `patience`, so that it may no
    /// longer hold back the purge of events. An active one gets another attempt first.
    pub(super) fn is_overdue(&self, now: Timestamp, patience: Duration) -> bool {
        self.state == EndpointState::Stopped
            && self.failure.is_some_and(|one| now.since(one.patient_from) >= patience)
    }

    /// Returns what people see of the endpoint.
    pub(super) fn view(&self, name: DocumentName) -> Endpoint {
        let failure = self.failure.map(|one| Failure {
            event: one.event,
            attempts: one.attempts,
            since: one.since,
            at: one.at,
            cause: one.cause,
        });
        Endpoint {
            name,
            url: self.settings.url.to_string(),
            division: self.settings.division.clone(),
            since: self.settings.since,
            has_names: self.settings.names,
            state: self.state,
            position: self.position,
            last_success: self.last_success,
            failure,
            next_attempt: self.due,
        }
    }
}

fn unreadable(name: &DocumentName) -> impl Fn(serde_json::Error) -> WebhookError {
    // The message of the parser could quote a part of a secret.
    |error| {
        let source = format!("{:?} error at column {}", error.classify(), error.column()).into();
        WebhookError::Unreadable { name: name.clone(), source }
    }
}

mod micros {
    use super::{Deserialize, Timestamp};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: serde::Serializer>(at: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(at.as_micros())
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        d: D,
    ) -> Result<Timestamp, D::Error> {
        let out_of_range = || serde::de::Error::custom("a time is out of range");
        Timestamp::from_micros(i64::deserialize(d)?).ok_or_else(out_of_range)
    }
}

mod optional_micros {
    use super::{Deserialize, Serialize, Timestamp, micros};

    #[derive(Serialize, Deserialize)]
    struct Micros(#[serde(with = "micros")] Timestamp);

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: serde::Serializer>(
        at: &Option<Timestamp>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Micros).serialize(s)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<Micros>::deserialize(d)?.map(|Micros(at)| at))
    }
}

mod position {
    use super::{Deserialize, FeedPosition, Serialize};

    pub(super) fn serialize<S: serde::Serializer>(
        at: &FeedPosition,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        [at.epoch, at.transaction, at.sequence].serialize(s)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        d: D,
    ) -> Result<FeedPosition, D::Error> {
        let [epoch, transaction, sequence] = <[u64; 3]>::deserialize(d)?;
        Ok(FeedPosition { epoch, transaction, sequence })
    }
}

mod optional_position {
    use super::{Deserialize, FeedPosition, Serialize, position};

    #[derive(Serialize, Deserialize)]
    struct Parts(#[serde(with = "position")] FeedPosition);

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: serde::Serializer>(
        at: &Option<FeedPosition>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Parts).serialize(s)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        d: D,
    ) -> Result<Option<FeedPosition>, D::Error> {
        Ok(Option::<Parts>::deserialize(d)?.map(|Parts(at)| at))
    }
}
