//! The Message-ID of a mail.

use std::fmt;

use crate::{
    email::EmailDomain,
    id::{DeliveryId, EventId},
};

/// The Message-ID of a mail (RFC 5322, section 3.6.4), without its angle brackets.
///
/// It is made from the delivery alone. A mail that is sent twice therefore has the same one. The
/// exception is a mail whose code the worker draws itself, because the store keeps none: a second
/// attempt has another code, so it is [another mail](super::ClaimedDelivery::message_id).
///
/// ```
/// # use invitation_core as invitation;
/// use invitation::delivery::{DeliveryId, MessageId};
///
/// let id: DeliveryId = "0197a3c0-0000-7000-8000-000000000001".parse()?;
/// let message = MessageId::new(id, &"Example.com".parse()?);
/// assert_eq!(message.to_string(), "0197a3c0-0000-7000-8000-000000000001@example.com");
/// # Ok::<_, invitation::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MessageId(String);

impl MessageId {
    /// Creates the Message-ID of a delivery. `domain` is one of the host's.
    #[must_use]
    pub fn new(delivery: DeliveryId, domain: &EmailDomain) -> Self {
        Self(format!("{delivery}@{}", domain.as_str()))
    }

    /// Creates the Message-ID of the mail of one attempt, whose code no other attempt has.
    pub(crate) fn of_attempt(delivery: DeliveryId, attempt: EventId, domain: &EmailDomain) -> Self {
        Self(format!("{delivery}.{attempt}@{}", domain.as_str()))
    }

    /// Restores a Message-ID from a store, as it was written there.
    pub(super) fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
