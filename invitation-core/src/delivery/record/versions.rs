//! The versions of a delivery: what a worker or a person makes of it.

use super::{Delivery, DeliveryState};
use crate::{
    delivery::{DeliveryFailure, MessageId},
    event::Reason,
    id::EventId,
    time::Timestamp,
};

impl Delivery {
    fn next(&self, by: EventId) -> Self {
        let mut next = Self { version: self.version.saturating_add(1), ..self.clone() };
        next.facts.by = Some(by);
        next
    }

    /// Returns the version of a worker that makes an attempt until `until`.
    pub(crate) fn claimed(&self, by: EventId, until: Timestamp) -> Self {
        let mut next = Self { due: Some(until), ..self.next(by).with_new_code() };
        next.facts.attempts = next.facts.attempts.saturating_add(1);
        next
    }

    /// Returns the version that is due at `due`, after a failed attempt or none.
    pub(crate) fn due_again(
        &self,
        by: EventId,
        due: Timestamp,
        failure: Option<DeliveryFailure>,
    ) -> Self {
        let mut next = Self { due: Some(due), ..self.next(by) };
        next.facts.failure = failure.or(next.facts.failure);
        next
    }

    /// Returns the version that a person retries at `now`.
    pub(crate) fn retried(&self, by: EventId, now: Timestamp) -> Self {
        let mut next = Self { state: DeliveryState::Queued, due: Some(now), ..self.next(by) };
        next.facts.attempts = 0;
        next.facts.ended_at = None;
        next.facts.reason = None;
        next
    }

    fn ended(&self, by: EventId, state: DeliveryState, now: Timestamp) -> Self {
        let mut next = Self { state, due: None, ..self.next(by) };
        next.facts.ended_at = Some(now.as_micros());
        next
    }

    pub(crate) fn sent(&self, by: EventId, message: &MessageId, now: Timestamp) -> Self {
        let mut next = self.ended(by, DeliveryState::Sent, now);
        next.facts.message_id = Some(message.as_str().to_owned());
        next.facts.failure = None;
        next
    }

    pub(crate) fn failed(&self, by: EventId, failure: DeliveryFailure, now: Timestamp) -> Self {
        let mut next = self.ended(by, DeliveryState::Failed, now);
        next.facts.failure = Some(failure);
        next
    }

    pub(crate) fn cancelled(&self, by: EventId, reason: Reason, now: Timestamp) -> Self {
        let mut next = self.ended(by, DeliveryState::Cancelled, now);
        next.facts.reason = Some(reason);
        next
    }
}
