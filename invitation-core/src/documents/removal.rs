//! The evidence of a removal of documents.

use crate::{detail::DetailTemplate, event::Event};

/// The audit event that a removal of documents writes in the same atomic step.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct RemovalEvidence {
    /// The event, without the number of removed documents. The store adds that number with
    /// [`of`](Self::of).
    pub event: Event,
    /// The name of the detail with the number of removed documents.
    pub number: &'static str,
}

impl RemovalEvidence {
    /// Returns the event for the removal of `removed` documents.
    #[must_use]
    pub fn of(&self, removed: u32) -> Event {
        let event = self.event.clone();
        let detail = event.detail.with(self.number, &removed.to_string());
        Event { detail, ..event }
    }

    /// Returns the detail of [`of`](Self::of) as a text, into which the store writes the number of
    /// removed documents.
    #[must_use]
    pub fn template(&self) -> DetailTemplate {
        self.event.detail.template(self.number)
    }
}
