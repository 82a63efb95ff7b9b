//! Webhooks: the events of invitations for other systems, signed and in order.
//!
//! [`Webhooks`] keeps [endpoints](NewEndpoint) as documents of the store, and sends them the
//! events of the [feed](invitation_core::feed) by [Standard Webhooks], version 1.0.
//!
//! ```
//! use invitation_core::MemoryStore;
//! use invitation_delivery::webhook::{NewEndpoint, Transport, Webhooks};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let webhooks = Webhooks::new(MemoryStore::new(), &Transport::default())?;
//! let crm = NewEndpoint::new("crm", "https://crm.example/hooks/invitations")?;
//! let secret = webhooks.register(crm).await?;
//! // The receiver needs the secret to check signatures. It is not shown again.
//! assert!(secret.reveal().starts_with("whsec_"));
//!
//! // From a task of its own on each machine, for example every few seconds:
//! let run = webhooks.run().await?;
//! assert_eq!(run.delivered, 0, "nothing has happened yet");
//!
//! let endpoints = webhooks.list().await?;
//! assert!(endpoints[0].is_active);
//! # Ok(())
//! # }
//! ```
//!
//! # What an endpoint gets
//!
//! A message about each event whose action [has a type](invitation_core::Action::event_type),
//! from the endpoint's registration on. Refusals and denials are in the audit trail only.
//!
//! ```json
//! {
//!   "type": "invitation.redeemed",
//!   "timestamp": "2026-03-01T12:00:00Z",
//!   "data": {
//!     "id": "0195…", "at": "2026-03-01T12:00:00Z", "kind": "redeem",
//!     "actor": "u-17", "actor_role": null,
//!     "invitation": "0195…", "division": "sales", "correlation_id": null, "detail": {}
//!   }
//! }
//! ```
//!
//! - The header `webhook-id` is the id of the event. It is the same in each attempt.
//! - The fields of `data` are those of the JSON API's events. None contains a code. A bound address
//!   is masked.
//! - Names and the source of the request are there only [with
//!   names](NewEndpoint::with_names). The detail may contain the reason that a manager entered.
//!
//! # Order and repetition
//!
//! An endpoint gets its events in the order of the feed, each once or more. An event that it does
//! not accept blocks the events behind it; other endpoints go on.
//!
//! - A failed attempt is repeated by the [`Backoff`].
//! - After the last attempt, or the status 410, the endpoint is stopped. [`Webhooks::list`] shows
//!   the event and the cause. A person lets the endpoint go on: [`Webhooks::retry`] sends the
//!   event again, [`Webhooks::skip`] leaves it out.
//! - Nothing is stored for each event. So an endpoint that is down for a year needs no more space
//!   than one that works, and gets the events of the year.
//! - A host that removes old events must not remove those that an endpoint has not got yet: an
//!   endpoint has no durable cursor, which would hold the removal back.
//! - An event comes again after a crash, or if the answer was lost or late. The receiver
//!   recognises it by `webhook-id`.
//!
//! # Where messages go
//!
//! [`Addresses`] refuses private, loopback and link-local addresses, unless the host allows
//! their network. The client checks each address that it connects to, after the name is
//! resolved.
//!
//! # Secrets
//!
//! With a keyring (`Webhooks::with_keyring`, feature `keyring`), the store has the secrets
//! encrypted. Without one, a reader of the database can read them, and can forge messages.
//! [`Webhooks::rotate_secret`] replaces a secret; both sign for a time that the host chooses.
//!
//! The client needs a runtime of tokio.
//!
//! [Standard Webhooks]: https://www.standardwebhooks.com/

mod addresses;
mod endpoint;
mod error;
mod manage;
mod payload;
mod run;
mod secret;
mod stored;
mod transport;
mod vault;

use std::sync::Arc;

#[cfg(feature = "keyring")]
use invitation_core::code::keyring::Keyring;
use invitation_core::{
    clock::{Clock, SystemClock},
    code::Entropy,
};
use time::Duration;

pub use self::{
    addresses::Addresses,
    endpoint::{Endpoint, Failure, FailureCause, NewEndpoint},
    error::WebhookError,
    run::Run,
    secret::WebhookSecret,
    transport::Transport,
};
use self::{transport::Sender, vault::Vault};
use crate::Backoff;

/// The endpoints of a store, and the worker that sends them their events.
///
/// `S` is a store with [`Documents`](invitation_core::documents::Documents), and with
/// [`Feed`](invitation_core::feed::Feed) to [`run`](Self::run). The [module](self) shows the use.
#[derive(Clone, Debug)]
pub struct Webhooks<S> {
    store: S,
    clock: Arc<dyn Clock>,
    vault: Vault,
    backoff: Backoff,
    sender: Sender,
    lease: Duration,
}

impl<S> Webhooks<S> {
    /// The maximum number of endpoints.
    pub const MAX_ENDPOINTS: usize = 1_000;

    /// The maximum number of secrets of an endpoint that are valid at the same time.
    pub const MAX_SECRETS: usize = 4;

    /// Creates the service.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Client`] when the HTTP client cannot be set up.
    pub fn new(store: S, transport: &Transport) -> Result<Self, WebhookError> {
        Ok(Self {
            store,
            clock: Arc::new(SystemClock),
            vault: Vault::default(),
            backoff: Backoff::default(),
            sender: Sender::new(transport)?,
            // Longer than a request and the time between two saves, so that a worker loses no
            // lease while it waits for an answer.
            lease: transport.timeout() * 2 + Duration::seconds(60),
        })
    }

    /// Sets the clock by which attempts are due. The default is the machine's.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets the source of secrets. The default is the operating system's.
    #[must_use]
    pub fn with_entropy(mut self, entropy: impl Entropy + 'static) -> Self {
        self.vault.entropy = Arc::new(entropy);
        self
    }

    /// Sets the waiting times between attempts.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Encrypts the secrets under the keyring. Secrets that were stored without one stay valid,
    /// and are encrypted with the next change of their endpoint, or by
    /// [`reseal`](Self::reseal).
    #[cfg(feature = "keyring")]
    #[must_use]
    pub fn with_keyring(mut self, keyring: Keyring) -> Self {
        self.vault.keyring = Some(keyring);
        self
    }
}
