//! What people do with endpoints of webhooks.

use std::{fmt, num::NonZeroU32, sync::Arc};

use time::Duration;

use super::{Invitations, evidence::Place};
use crate::{
    actor::{Actor, Caller},
    decide::Call,
    documents::DocumentName,
    error::Error,
    event::{Action, Reason},
    field_error::{FieldError, ValidationErrors},
    id::EventId,
    policy::Right,
    refusal::{Refusal, Verdict},
    report,
    request::IdempotencyKey,
    scope::Scope,
    store::Store,
    webhook::{
        self, Endpoint, EndpointChange, EndpointDraft, EndpointError, EndpointSecret,
        ManageEndpoints, PendingEvents, RegistrationRequest,
    },
};

/// The maximum number of pending events that [`Endpoints::get`] counts.
const COUNTED: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");

/// The endpoints of webhooks of a service. Each call checks the caller's right, and each change
/// leaves an event. [The module](crate::webhook) has the overview.
///
/// All calls need [`Right::Webhooks`], and reach of all divisions: an endpoint tells another system
/// what happens.
#[derive(Clone)]
pub struct Endpoints<S> {
    invitations: Invitations<S>,
    port: Arc<dyn ManageEndpoints>,
}

impl<S> fmt::Debug for Endpoints<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints").field("port", &self.port).finish_non_exhaustive()
    }
}

impl<S: Store> Endpoints<S> {
    /// The longest time for which an earlier secret stays valid, in hours: 30 days.
    pub const MAX_OVERLAP_HOURS: u32 = 30 * 24;

    /// Creates the endpoints of a service. `port` keeps them in the store of the service.
    #[must_use]
    pub fn new(invitations: Invitations<S>, port: Arc<dyn ManageEndpoints>) -> Self {
        Self { invitations, port }
    }

    /// Lists all endpoints, the last registered one first.
    ///
    /// One round trip for 100 endpoints.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`; [`Error::Store`], [`Error::Entropy`].
    pub async fn list(&self, caller: impl Into<Caller<'_>>) -> Result<Vec<Endpoint>, Error> {
        let call = self.permitted(caller.into(), Action::View).await?;
        match self.port.endpoints().await {
            Ok(endpoints) => Ok(endpoints),
            Err(error) => Err(self.explain(&call, Action::View, error).await),
        }
    }

    /// Returns an endpoint, and the number of events that it has not got yet, counted up to 1,000.
    ///
    /// Three round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Store`], [`Error::Entropy`].
    pub async fn get(
        &self,
        caller: impl Into<Caller<'_>>,
        name: &DocumentName,
    ) -> Result<(Endpoint, PendingEvents), Error> {
        let call = self.permitted(caller.into(), Action::View).await?;
        let endpoint = self.load(&call, Action::View, name).await?;
        match self.port.pending(name, COUNTED).await {
            Ok(pending) => Ok((endpoint, pending)),
            Err(error) => Err(self.explain(&call, Action::View, error).await),
        }
    }

    /// Registers an endpoint, and returns it with its secret. The secret is not shown again.
    ///
    /// Five round trips, and one for 100 endpoints.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the fields `name`, `url` and `division`; [`Error::Refused`]:
    /// `Forbidden`; [`Error::Store`], [`Error::Entropy`].
    pub async fn register(
        &self,
        caller: impl Into<Caller<'_>>,
        draft: &EndpointDraft,
    ) -> Result<(Endpoint, EndpointSecret), Error> {
        self.registered(caller.into(), draft, None).await
    }

    /// Registers an endpoint as [`register`](Self::register) does, once for each key. The same user
    /// repeating the registration with the same key gets the same endpoint and secret, as long as the
    /// endpoint exists and has this secret. So a lost answer does not lose the secret.
    ///
    /// Five round trips, and one for 100 endpoints; three for a repeated registration.
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register); [`Error::Refused`]: `IdempotencyKeyReused`, `SecretReplaced`.
    pub async fn register_once(
        &self,
        caller: impl Into<Caller<'_>>,
        key: &IdempotencyKey,
        draft: &EndpointDraft,
    ) -> Result<(Endpoint, EndpointSecret), Error> {
        self.registered(caller.into(), draft, Some(key)).await
    }

    async fn registered(
        &self,
        caller: Caller<'_>,
        draft: &EndpointDraft,
        key: Option<&IdempotencyKey>,
    ) -> Result<(Endpoint, EndpointSecret), Error> {
        let action = Action::Webhooks;
        let call = self.permitted(caller, action).await?;
        let owner = caller.user().map(Actor::user);
        let request = key.map(|key| RegistrationRequest::new(owner, key, draft));
        let event = call.done(action, webhook::detail_of_registration(draft));
        match self.port.register(draft, request.as_ref(), &event).await {
            Ok(registered) => {
                report::succeeded(action, 1);
                Ok(registered)
            }
            Err(error) => Err(self.explain(&call, action, error).await),
        }
    }

    /// Replaces the secret of an endpoint, and returns the new one, which is not shown again. The
    /// earlier secrets sign too for the next `overlap_hours`. After the loss of a secret, that is
    /// zero.
    ///
    /// Two round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the field `overlap_hours`, when it is more than
    /// [`MAX_OVERLAP_HOURS`](Self::MAX_OVERLAP_HOURS), or when too many secrets would be valid;
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Store`], [`Error::Entropy`].
    pub async fn rotate_secret(
        &self,
        caller: impl Into<Caller<'_>>,
        name: &DocumentName,
        overlap_hours: u32,
    ) -> Result<EndpointSecret, Error> {
        let action = Action::Webhooks;
        let call = self.permitted(caller.into(), action).await?;
        if overlap_hours > Self::MAX_OVERLAP_HOURS {
            let message = format!("must be at most {}", Self::MAX_OVERLAP_HOURS);
            return Err(FieldError::new("overlap_hours", message).into());
        }
        let overlap = Duration::hours(overlap_hours.into());
        let event = call.done(action, webhook::detail_of_rotation(name, overlap));
        match self.port.rotate_secret(name, overlap, &event).await {
            Ok(secret) => {
                report::succeeded(action, 1);
                Ok(secret)
            }
            Err(error) => Err(self.explain(&call, action, error).await),
        }
    }

    /// Lets a disabled endpoint go on behind the last event that it has accepted. It does not get
    /// events that were purged in the meantime. An endpoint that is not disabled is returned as it
    /// is.
    ///
    /// Up to five round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Store`], [`Error::Entropy`].
    pub async fn enable(
        &self,
        caller: impl Into<Caller<'_>>,
        name: &DocumentName,
    ) -> Result<Endpoint, Error> {
        self.changed(caller.into(), name, EndpointChange::Enable).await
    }

    /// Stops an endpoint until it is enabled. Its events may be purged. An endpoint that is
    /// disabled is returned as it is.
    ///
    /// Up to six round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Store`], [`Error::Entropy`].
    pub async fn disable(
        &self,
        caller: impl Into<Caller<'_>>,
        name: &DocumentName,
    ) -> Result<Endpoint, Error> {
        self.changed(caller.into(), name, EndpointChange::Disable).await
    }

    /// Lets an endpoint that is stopped or waits try again with the next run, with all attempts. A
    /// disabled one, and one that a worker sends to at this moment, is returned as it is.
    ///
    /// Three round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Store`], [`Error::Entropy`].
    pub async fn retry(
        &self,
        caller: impl Into<Caller<'_>>,
        name: &DocumentName,
    ) -> Result<Endpoint, Error> {
        self.changed(caller.into(), name, EndpointChange::Retry).await
    }

    /// Leaves out the event that an endpoint has not accepted, and lets the endpoint go on with the
    /// next one. An endpoint that is not waiting because of this event is returned as it is.
    ///
    /// Three round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Store`], [`Error::Entropy`].
    pub async fn skip(
        &self,
        caller: impl Into<Caller<'_>>,
        name: &DocumentName,
        event: EventId,
    ) -> Result<Endpoint, Error> {
        self.changed(caller.into(), name, EndpointChange::Skip(event)).await
    }

    /// Removes an endpoint with its secrets. Its events may then be purged.
    ///
    /// Five round trips.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: `Forbidden`, `NotFound`; [`Error::Store`], [`Error::Entropy`].
    pub async fn remove(
        &self,
        caller: impl Into<Caller<'_>>,
        name: &DocumentName,
    ) -> Result<(), Error> {
        let call = self.permitted(caller.into(), Action::Webhooks).await?;
        self.change(&call, name, EndpointChange::Remove).await
    }

    async fn changed(
        &self,
        caller: Caller<'_>,
        name: &DocumentName,
        change: EndpointChange,
    ) -> Result<Endpoint, Error> {
        let call = self.permitted(caller, Action::Webhooks).await?;
        self.change(&call, name, change).await?;
        self.load(&call, Action::Webhooks, name).await
    }

    async fn change(
        &self,
        call: &Call,
        name: &DocumentName,
        change: EndpointChange,
    ) -> Result<(), Error> {
        let action = Action::Webhooks;
        let event = call.done(action, change.detail(name));
        match self.port.change(name, change, &event).await {
            Ok(true) => report::succeeded(action, 1),
            Ok(false) => {}
            Err(error) => return Err(self.explain(call, action, error).await),
        }
        Ok(())
    }

    /// Begins a call. Refuses a caller without the right, or without reach of all divisions.
    async fn permitted(&self, caller: Caller<'_>, action: Action) -> Result<Call, Error> {
        let service = &self.invitations;
        let call = service.call_by(caller)?;
        service.permit(caller, &call, Right::Webhooks, action, None).await?;
        if caller.scope() != Scope::All {
            let place = Place::Division(caller.user().and_then(Actor::home).cloned());
            let verdict = Verdict::forbidden(Right::Webhooks, Reason::DivisionNotAllowed);
            return Err(service.refuse(&call, action, verdict, place).await);
        }
        Ok(call)
    }

    async fn load(
        &self,
        call: &Call,
        action: Action,
        name: &DocumentName,
    ) -> Result<Endpoint, Error> {
        let found = self.port.endpoint(name).await;
        match found.and_then(|found| found.ok_or(EndpointError::Unknown)) {
            Ok(endpoint) => Ok(endpoint),
            Err(error) => Err(self.explain(call, action, error).await),
        }
    }

    /// Translates an error of the port, and records a refusal.
    async fn explain(&self, call: &Call, action: Action, error: EndpointError) -> Error {
        let verdict = match error {
            EndpointError::Invalid(errors) => {
                return Error::Invalid(ValidationErrors::new(errors));
            }
            EndpointError::Store(error) => return error.into(),
            EndpointError::Entropy(error) => return error.into(),
            EndpointError::Unknown => Verdict::new(Refusal::NotFound, Reason::Unknown),
            EndpointError::KeyReused => {
                Verdict::new(Refusal::IdempotencyKeyReused, Reason::IdempotencyKeyReused)
            }
            EndpointError::SecretReplaced => {
                Verdict::new(Refusal::SecretReplaced, Reason::Conflict)
            }
        };
        self.invitations.refuse(call, action, verdict, Place::Division(None)).await
    }
}
