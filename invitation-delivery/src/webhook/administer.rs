//! The port through which pages and the API manage endpoints.

use std::num::NonZeroU32;

use async_trait::async_trait;
use invitation_core::{
    FieldError, StoreError, StoreErrorKind,
    audit::Event,
    documents::{DocumentName, Documents},
    feed::FeedRetention,
    webhook::{
        self, EndpointChange, EndpointDraft, EndpointError, EndpointSecret, ManageEndpoints,
        PendingEvents, RegistrationRequest,
    },
};
use time::Duration;
use url::Url;

use super::{
    Webhooks,
    endpoint::{Endpoint, NewEndpoint},
    error::WebhookError,
    payload,
    secret::WebhookSecret,
    stored::EndpointRecord,
};

#[async_trait]
impl<S: Documents + FeedRetention> ManageEndpoints for Webhooks<S> {
    async fn endpoints(&self) -> Result<Vec<webhook::Endpoint>, EndpointError> {
        Ok(self.list().await?.into_iter().map(shown).collect())
    }

    async fn endpoint(
        &self,
        name: &DocumentName,
    ) -> Result<Option<webhook::Endpoint>, EndpointError> {
        Ok(self.get(name).await?.map(shown))
    }

    async fn pending(
        &self,
        name: &DocumentName,
        max: NonZeroU32,
    ) -> Result<PendingEvents, EndpointError> {
        let record = EndpointRecord::decode(&self.find(name).await?, &self.vault)?;
        let record = record.ok_or(EndpointError::Unknown)?;
        let page = self.store.feed(record.position, max).await?;
        let is_due = |one: &&invitation_core::feed::FeedEvent| {
            payload::message_type(&one.event, &record.settings).is_some()
        };
        let number = page.events.iter().filter(is_due).count();
        Ok(PendingEvents {
            number: u32::try_from(number).unwrap_or(u32::MAX),
            is_exact: !page.more,
        })
    }

    async fn register(
        &self,
        draft: &EndpointDraft,
        request: Option<&RegistrationRequest>,
        event: &Event,
    ) -> Result<(webhook::Endpoint, EndpointSecret), EndpointError> {
        let new = NewEndpoint::checked(&draft.name, &draft.url).map_err(EndpointError::Invalid)?;
        let new = draft.division.clone().into_iter().fold(new, NewEndpoint::in_division);
        let new = if draft.has_names { new.with_names() } else { new };
        let events = std::slice::from_ref(event);
        let (endpoint, secret) = self.register_with(new, request, events).await?;
        Ok((shown(endpoint), revealed(&secret)))
    }

    async fn rotate_secret(
        &self,
        name: &DocumentName,
        overlap: Duration,
        event: &Event,
    ) -> Result<EndpointSecret, EndpointError> {
        let events = std::slice::from_ref(event);
        Ok(revealed(&self.rotate_secret_with(name, overlap, events).await?))
    }

    async fn change(
        &self,
        name: &DocumentName,
        change: EndpointChange,
        event: &Event,
    ) -> Result<bool, EndpointError> {
        let events = std::slice::from_ref(event);
        let is_changed = match change {
            EndpointChange::Enable => self.enable_with(name, events).await?,
            EndpointChange::Disable => self.disable_with(name, events).await?,
            EndpointChange::Retry => self.retry_with(name, events).await?,
            EndpointChange::Skip(blocking) => self.skip_with(name, blocking, events).await?,
            EndpointChange::Remove => {
                if !self.remove_with(name, events).await? {
                    return Err(EndpointError::Unknown);
                }
                true
            }
        };
        Ok(is_changed)
    }
}

fn revealed(secret: &WebhookSecret) -> EndpointSecret {
    EndpointSecret::new(secret.reveal())
}

/// Returns what people see of an endpoint.
fn shown(endpoint: Endpoint) -> webhook::Endpoint {
    let receiver = Url::parse(&endpoint.url).map(|url| url.origin().ascii_serialization());
    webhook::Endpoint {
        name: endpoint.name,
        receiver: receiver.unwrap_or_default(),
        division: endpoint.division,
        since: endpoint.since,
        has_names: endpoint.has_names,
        state: endpoint.state,
        position: endpoint.position,
        last_success: endpoint.last_success,
        failure: endpoint.failure.map(|one| webhook::EndpointFailure {
            event: one.event,
            attempts: one.attempts,
            since: one.since,
            at: one.at,
            cause: one.cause.to_string(),
        }),
        next_attempt: endpoint.next_attempt,
    }
}

impl From<WebhookError> for EndpointError {
    fn from(error: WebhookError) -> Self {
        let invalid = |field, message| Self::Invalid(vec![FieldError::new(field, message)]);
        match error {
            WebhookError::Field(error) => Self::Invalid(vec![error]),
            WebhookError::Store(error) => Self::Store(error),
            WebhookError::Entropy(error) => Self::Entropy(error),
            WebhookError::UnknownEndpoint { .. } => Self::Unknown,
            WebhookError::KeyReused => Self::KeyReused,
            WebhookError::SecretReplaced { .. } => Self::SecretReplaced,
            WebhookError::NameTaken { .. } => invalid("name", "is the name of another endpoint"),
            WebhookError::TooManyEndpoints => {
                invalid("name", "is one too many: there are as many endpoints as there may be")
            }
            WebhookError::TooManySecrets { .. } => {
                invalid("overlap_hours", "must be 0: too many earlier secrets are still valid")
            }
            // The stored endpoint is of no use for now. The cause contains no secret.
            other @ (WebhookError::Unseal { .. }
            | WebhookError::NoKeyring { .. }
            | WebhookError::Unreadable { .. }
            | WebhookError::Client(_)
            | WebhookError::Sign(_)) => {
                StoreError::new(StoreErrorKind::Corrupt, "endpoint").because(other).into()
            }
        }
    }
}
