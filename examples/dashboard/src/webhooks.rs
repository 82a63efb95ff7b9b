//! Webhooks, and a receiver of them: the demonstration sends the events of its invitations to itself,
//! and shows what arrived. A real receiver is another system.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::HeaderMap;
use invitation::{
    delivery::webhook::{
        Addresses as Networks, NewEndpoint, Transport, WebhookError, WebhookSecret, Webhooks,
    },
    store::{
        documents::{DocumentName, Documents},
        feed::FeedRetention,
    },
};
use serde::{Deserialize, Serialize};
use standardwebhooks::Webhook;

use crate::{Result, addresses::Addresses, keys::Keys};

/// The path of the receiver.
pub(crate) const RECEIVER: &str = "/api/demo/webhooks/receiver";

/// The name of the endpoint.
const NAME: &str = "demonstration";

/// The time between two rounds.
const PAUSE: Duration = Duration::from_secs(1);

/// The maximum number of tries to register the endpoint.
const MAX_TRIES: u32 = 20;

/// The maximum number of messages that are kept; older ones are removed.
const KEPT: usize = 100;

/// The maximum length of a message.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024;

/// The time in which a message must arrive.
pub(crate) const MESSAGE_TIME: Duration = Duration::from_secs(10);

/// The receiver: it checks signatures, and keeps the last messages in memory.
#[derive(Default)]
pub(crate) struct Receiver(Mutex<Received>);

#[derive(Default)]
struct Received {
    /// None until the endpoint is registered.
    verifier: Option<Webhook>,
    messages: VecDeque<Message>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver(…)")
    }
}

/// A message whose signature is right, as the administrator sees it.
#[derive(Clone, Serialize)]
pub(crate) struct Message {
    /// The id of the event. It is the same each time that the message arrives.
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The time of the event.
    pub(crate) timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invitation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) division: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
}

/// The parts of a message that the receiver reads.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    id: String,
    invitation: Option<String>,
    division: Option<String>,
    actor: Option<String>,
}

/// The error for a message that the receiver does not accept.
#[derive(Debug)]
pub(crate) enum NotAccepted {
    /// The signature is missing, wrong or old.
    Signature,
    /// The signed text is no message about an event.
    Content,
}

impl Receiver {
    /// Accepts a message if its signature is right. One that has arrived before is not kept twice.
    pub(crate) fn receive(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> std::result::Result<(), NotAccepted> {
        let mut received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let verifier = received.verifier.as_ref().ok_or(NotAccepted::Signature)?;
        verifier.verify(body, headers).map_err(|_| NotAccepted::Signature)?;
        let Payload { kind, timestamp, data } =
            serde_json::from_slice(body).map_err(|_| NotAccepted::Content)?;
        let Data { id, invitation, division, actor } = data;
        if received.messages.iter().any(|one| one.id == id) {
            return Ok(());
        }
        if received.messages.len() >= KEPT {
            received.messages.pop_front();
        }
        let message = Message { id, kind, timestamp, invitation, division, actor };
        received.messages.push_back(message);
        Ok(())
    }

    /// Returns the messages, the last one first.
    pub(crate) fn read(&self) -> Vec<Message> {
        let received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        received.messages.iter().rev().cloned().collect()
    }

    fn use_secret(&self, secret: &WebhookSecret) -> Result {
        let verifier = Webhook::new(&secret.reveal())?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).verifier = Some(verifier);
        Ok(())
    }
}

/// Returns the webhooks of a store. They may reach this machine, because the receiver is here; a
/// real host allows no such network.
pub(crate) fn of<S>(store: S, keys: &Keys) -> Result<Webhooks<S>> {
    let networks = Networks::public().and("127.0.0.0/8")?;
    let transport = Transport::default().with_addresses(networks);
    Ok(Webhooks::new(store, &transport)?.with_keyring(keys.ring().clone()))
}

/// Registers the demonstration's own endpoint, and starts the task that sends messages until the
/// program ends. On several machines, each runs it.
///
/// The endpoint is registered anew with each start, because the receiver keeps neither its secret
/// nor what it got. So it hears of what happens from now on.
pub(crate) async fn start<S>(
    webhooks: Webhooks<S>,
    receiver: &Receiver,
    addresses: &Addresses,
) -> Result
where
    S: Documents + FeedRetention + 'static,
{
    let name = DocumentName::new(NAME)?;
    let url = format!("{}{RECEIVER}", addresses.loopback[0]);
    receiver.use_secret(&register_anew(&webhooks, &name, &url).await?)?;
    tokio::spawn(async move {
        loop {
            // A failure is passing: the next round goes on where this one stopped.
            match webhooks.run().await {
                Ok(run) if run.is_more => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "webhooks are not sent"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    Ok(())
}

/// Registers the endpoint in place of the one before. Other hosts on the same store may register it
/// between the two steps; the last one gets the messages.
async fn register_anew<S>(
    webhooks: &Webhooks<S>,
    name: &DocumentName,
    url: &str,
) -> std::result::Result<WebhookSecret, WebhookError>
where
    S: Documents + FeedRetention,
{
    let mut tries = 1;
    loop {
        webhooks.remove(name).await?;
        match webhooks.register(NewEndpoint::new(NAME, url)?).await {
            Err(WebhookError::NameTaken { .. }) if tries < MAX_TRIES => tries += 1,
            registered => return registered,
        }
    }
}
