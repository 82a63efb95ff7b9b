//! Webhooks: the events of invitations for other systems, signed and in order.
//!
//! [`Webhooks`] keeps [endpoints](NewEndpoint) as documents of the store, and sends them the
//! events of the [feed](invitation_core::feed) by [Standard Webhooks], version 1.0.
//!
//! ```
//! # mod invitation { pub use invitation_core::*; pub use invitation_delivery as delivery; }
//! use invitation::{
//!     MemoryStore,
//!     delivery::webhook::{EndpointState, NewEndpoint, Transport, Webhooks},
//! };
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
//! assert_eq!(endpoints[0].state, EndpointState::Active);
//! # Ok(())
//! # }
//! ```
//!
//! # What an endpoint gets
//!
//! A message about each event that [has a type](invitation_core::audit::Event::event_type), from the
//! endpoint's registration on: all that was done, and as `invitation.delivery_failed` each mail that
//! was given up. Its detail has the `delivery` and the `failure`. Refusals and denials are in the
//! audit trail only.
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
//! The events of one invitation are in the order of its changes, with two exceptions:
//!
//! - On PostgreSQL, the feed is ordered by transaction, and the host may change invitations in a
//!   transaction of its own. If that transaction wrote anything before another change of the
//!   invitation, and changes the invitation behind it, its event comes first.
//! - On MySQL and MariaDB, changes by calls at the same moment come in the order of their calls.
//!
//! So a receiver that keeps a state of its own compares `data.at`, and keeps the latest.
//!
//! - A failed attempt is repeated by the [`Backoff`].
//! - After the last attempt, or the status 410, the endpoint is stopped. [`Webhooks::list`] shows
//!   the event and the cause. A person lets the endpoint go on: [`Webhooks::retry`] sends the
//!   event again, [`Webhooks::skip`] leaves it out.
//! - Nothing is stored for each event. So an endpoint that is down for a year needs no more space
//!   than one that works, and gets the events of the year.
//! - An event comes again after a crash, or if the answer was lost or late. The receiver
//!   recognises it by `webhook-id`.
//!
//! # Purging events
//!
//! Each endpoint has a durable [cursor](invitation_core::feed::FeedCursors) in the store, named
//! `webhook/` and the name of the endpoint. It follows the endpoint, so
//! [`purge_events`](invitation_core::Invitations::purge_events) removes no event that the endpoint
//! has not got yet, however long the receiver is down. The lease of the work is that of the
//! endpoint itself: one machine works on it, and moves its cursor.
//!
//! An endpoint does not hold events for ever:
//!
//! - [`Webhooks::disable`] and [`Webhooks::remove`] give up the cursor at once.
//! - An endpoint that has failed for 30 days ([`Webhooks::with_patience`]) is disabled by the next
//!   failed attempt, or by the next run if it was stopped before. [`Run::disabled`] names it. The
//!   days count from the first failed attempt, or from the last time that a person let it try again.
//! - [`Webhooks::enable`] lets a disabled endpoint go on. It does not get what was purged meanwhile.
//!
//! After a crash, or a lost connection to the store, a cursor may lag behind its endpoint, or be left
//! without one. The next run puts it right. So a host whose endpoints are all removed still calls
//! `run`.
//!
//! # Pages and the API
//!
//! [`Webhooks`] implements [`admin::ManageEndpoints`]. `Web::with_webhooks` of `invitation-axum`
//! takes it, and lets administrators manage endpoints. [`admin::Endpoints`] checks their rights, and
//! each of their changes leaves an event. The methods of [`Webhooks`] itself are for the host's own
//! code: they ask for no right, and leave no event.
//!
//! # Where messages go
//!
//! [`Addresses`] refuses private, loopback and link-local addresses, unless the host allows
//! their network. A registration refuses a URL that shows such an address. The client checks each
//! address that it connects to, after the name is resolved.
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
mod administer;
mod cursors;
mod endpoint;
mod error;
mod lifecycle;
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

#[doc(inline)]
pub use invitation_core::webhook::{self as admin, EndpointState};

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
/// `S` is a store with [`Documents`](invitation_core::documents::Documents) and
/// [`FeedRetention`](invitation_core::feed::FeedRetention), as all stores of the library are. The
/// [module](self) shows the use.
#[derive(Clone, Debug)]
pub struct Webhooks<S> {
    store: S,
    clock: Arc<dyn Clock>,
    vault: Vault,
    backoff: Backoff,
    sender: Sender,
    lease: Duration,
    patience: Duration,
}

impl<S> Webhooks<S> {
    /// The maximum number of endpoints.
    pub const MAX_ENDPOINTS: usize = 1_000;

    /// The maximum number of secrets of an endpoint that are valid at the same time.
    pub const MAX_SECRETS: usize = 4;

    /// The default of [`with_patience`](Self::with_patience): 30 days.
    pub const DEFAULT_PATIENCE: Duration = Duration::days(30);

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
            patience: Self::DEFAULT_PATIENCE,
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

    /// Sets the time after which an endpoint that only fails is disabled, so that it no longer keeps
    /// events from being purged. No wait between two attempts is longer. All machines use the same
    /// time. The default is 30 days.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
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
