//! The port through which [`Endpoints`](super::Endpoints) acts.

use std::{fmt, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use time::Duration;

use super::{
    Endpoint, EndpointChange, EndpointDraft, EndpointSecret, PendingEvents, RegistrationRequest,
};
use crate::{
    documents::DocumentName, entropy::EntropyError, event::Event, field_error::FieldError,
    store_error::StoreError,
};

/// The reason why the port did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Values were not accepted: at least one.
    #[error("a value was not accepted")]
    Invalid(Vec<FieldError>),
    /// There is no endpoint of this name.
    #[error("there is no such endpoint")]
    Unknown,
    /// Another endpoint was registered under this idempotency key.
    #[error("another endpoint was registered under this idempotency key")]
    KeyReused,
    /// The endpoint was registered by an earlier request under this idempotency key, and its secret
    /// has been replaced since.
    #[error("the secret of the endpoint has been replaced since it was registered")]
    SecretReplaced,
    /// The store failed, or the stored endpoint cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// What pages and the API do with endpoints. `invitation_delivery::webhook::Webhooks` implements it.
///
/// # For implementors
///
/// An implementation checks the values of an endpoint, but asks for no right: [`Endpoints`](super::Endpoints) does.
/// Each change MUST store the event in one atomic step with it; a call that changes nothing MUST
/// store none. An answer MUST contain no secret other than the one that the call made.
#[async_trait]
pub trait ManageEndpoints: fmt::Debug + Send + Sync {
    /// Returns all endpoints, the last registered one first. Their number is bounded.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Store`].
    async fn endpoints(&self) -> Result<Vec<Endpoint>, EndpointError>;

    /// Returns an endpoint; none if there is none of this name.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Store`].
    async fn endpoint(&self, name: &DocumentName) -> Result<Option<Endpoint>, EndpointError>;

    /// Counts the events that an endpoint has not got yet, up to `max`.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Unknown`], [`EndpointError::Store`].
    async fn pending(
        &self,
        name: &DocumentName,
        max: NonZeroU32,
    ) -> Result<PendingEvents, EndpointError>;

    /// Registers an endpoint, and returns it with its secret. After the registration, nothing may
    /// fail: nobody else ever gets the secret.
    ///
    /// A `request` is kept with the endpoint, as long as that exists. The same request again MUST
    /// register nothing, store no event, and return the endpoint and its secret. The secret may be
    /// stored for that as for the signatures.
    ///
    /// # Errors
    ///
    /// [`EndpointError::KeyReused`] if the endpoint of an earlier request has the same key and another
    /// content; [`EndpointError::SecretReplaced`] if that endpoint has another secret by now;
    /// [`EndpointError::Invalid`] with the fields `name`, `url` and `division` for values that
    /// are not accepted: among others a name that is in use, or a URL of an address that may not be
    /// connected to. [`EndpointError::Store`], [`EndpointError::Entropy`].
    async fn register(
        &self,
        draft: &EndpointDraft,
        request: Option<&RegistrationRequest>,
        event: &Event,
    ) -> Result<(Endpoint, EndpointSecret), EndpointError>;

    /// Replaces the secret of an endpoint, and returns the new one. The earlier secrets stay valid
    /// for the time `overlap`.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Unknown`]; [`EndpointError::Invalid`] with the field `overlap_hours` when
    /// too many secrets would be valid; [`EndpointError::Store`], [`EndpointError::Entropy`].
    async fn rotate_secret(
        &self,
        name: &DocumentName,
        overlap: Duration,
        event: &Event,
    ) -> Result<EndpointSecret, EndpointError>;

    /// Changes an endpoint. Returns whether it changed something.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Unknown`], also for a removal; [`EndpointError::Store`].
    async fn change(
        &self,
        name: &DocumentName,
        change: EndpointChange,
        event: &Event,
    ) -> Result<bool, EndpointError>;
}

macro_rules! forward {
    ($type:ty) => {
        #[async_trait]
        impl<M: ManageEndpoints + ?Sized> ManageEndpoints for $type {
            async fn endpoints(&self) -> Result<Vec<Endpoint>, EndpointError> {
                (**self).endpoints().await
            }

            async fn endpoint(
                &self,
                name: &DocumentName,
            ) -> Result<Option<Endpoint>, EndpointError> {
                (**self).endpoint(name).await
            }

            async fn pending(
                &self,
                name: &DocumentName,
                max: NonZeroU32,
            ) -> Result<PendingEvents, EndpointError> {
                (**self).pending(name, max).await
            }

            async fn register(
                &self,
                draft: &EndpointDraft,
                request: Option<&RegistrationRequest>,
                event: &Event,
            ) -> Result<(Endpoint, EndpointSecret), EndpointError> {
                (**self).register(draft, request, event).await
            }

            async fn rotate_secret(
                &self,
                name: &DocumentName,
                overlap: Duration,
                event: &Event,
            ) -> Result<EndpointSecret, EndpointError> {
                (**self).rotate_secret(name, overlap, event).await
            }

            async fn change(
                &self,
                name: &DocumentName,
                change: EndpointChange,
                event: &Event,
            ) -> Result<bool, EndpointError> {
                (**self).change(name, change, event).await
            }
        }
    };
}

forward!(&M);
forward!(Box<M>);
forward!(Arc<M>);
