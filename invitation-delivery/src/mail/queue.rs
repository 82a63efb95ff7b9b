//! Queueing a mail for each new invitation with an address.

use async_trait::async_trait;
use invitation_core::{Store, StoreError, Timestamp, delivery::Deliveries, feed::FeedPage};

use crate::Process;

/// The [`Process`] that queues a mail for each new invitation with an address.
///
/// Give it to a [`Consumer`](crate::Consumer). An event that comes again queues nothing.
#[derive(Clone, Debug)]
pub struct MailQueue<S> {
    deliveries: Deliveries<S>,
    since: Option<Timestamp>,
}

impl<S: Store> MailQueue<S> {
    /// Creates the process.
    #[must_use]
    pub fn new(deliveries: Deliveries<S>) -> Self {
        Self { deliveries, since: None }
    }

    /// Leaves out the invitations that were created before this time. A host sets it that turns
    /// mail on for an existing store.
    #[must_use]
    pub fn created_since(self, since: Timestamp) -> Self {
        Self { since: Some(since), ..self }
    }
}

#[async_trait]
impl<S: Store> Process for MailQueue<S> {
    type Error = StoreError;

    async fn process(&self, page: &FeedPage) -> Result<(), StoreError> {
        let events = page.events.iter().map(|one| &one.event);
        let new = events.filter(|event| self.since.is_none_or(|since| event.at >= since));
        let new: Vec<_> = new.cloned().collect();
        self.deliveries.queue(&new).await?;
        Ok(())
    }
}
