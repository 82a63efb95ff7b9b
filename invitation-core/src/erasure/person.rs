//! The person to erase, and what the events say of that person.

use super::{ERASED, ErasedEvent, ErasedName, has_ended};
use crate::{
    binding::Binding, detail::Detail, email::Email, event::Event, field_error::FieldError,
    performer::Performer, record::Record, text::UserId, time::Timestamp,
};

/// A person to erase: a user id, and the addresses of that person.
///
/// The host knows both. It verifies that the addresses are those of the person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    user: UserId,
    addresses: Vec<Email>,
}

impl Person {
    /// The largest number of addresses.
    pub const MAX_ADDRESSES: usize = 16;

    /// Returns the person with this user id, without addresses.
    #[must_use]
    pub fn new(user: UserId) -> Self {
        Self { user, addresses: Vec::new() }
    }

    /// Adds an address. It is erased from ended invitations to it, and from their events.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if there are more than [`MAX_ADDRESSES`](Self::MAX_ADDRESSES).
    pub fn with_address(mut self, address: Email) -> Result<Self, FieldError> {
        if self.addresses.len() >= Self::MAX_ADDRESSES {
            let message = format!("must be at most {}", Self::MAX_ADDRESSES);
            return Err(FieldError::new("addresses", message));
        }
        self.addresses.push(address);
        Ok(self)
    }

    /// Returns the user id.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Returns the addresses.
    #[must_use]
    pub fn addresses(&self) -> &[Email] {
        &self.addresses
    }

    /// Returns what is erased from an event because the person performed it: the name and the
    /// source. The detail stays.
    pub(crate) fn erased_performer(&self, event: &Event) -> ErasedEvent {
        let is_own = event.performer.user() == Some(&self.user);
        let name = match &event.performer {
            Performer::Actor { name, .. } => name.is_some().then_some(ErasedName::Removed),
            Performer::Redeemer { username, .. } => {
                (username.as_str() != ERASED).then_some(ErasedName::Replaced)
            }
            Performer::System { .. } => None,
        };
        ErasedEvent {
            id: event.id,
            name: name.filter(|_| is_own),
            source: is_own && event.context.source.is_some(),
            masks: Vec::new(),
        }
    }

    /// Returns `event` without the name and the source of the person who performed it.
    pub(crate) fn unnamed(&self, mut event: Event) -> Event {
        self.erased_performer(&event).apply_to(&mut event);
        event
    }

    /// Returns whether the masked address in a detail may be one of the person's.
    pub(crate) fn may_be_named_in(&self, detail: &Detail) -> bool {
        detail.iter().any(|(name, value)| name == Detail::BOUND_TO && self.has_mask(value))
    }

    fn has_mask(&self, value: &str) -> bool {
        self.addresses.iter().any(|address| address.masked() == value)
    }

    /// Returns the masked addresses of the person that are erased from the detail of an event.
    /// `invitation` is the one that the event is about, if it is not purged.
    ///
    /// Different addresses may have the same mask. So the mask stays if the invitation is open,
    /// or if it is for another address with this mask.
    pub(crate) fn erased_masks(
        &self,
        detail: &Detail,
        invitation: Option<&Record>,
        now: Timestamp,
    ) -> Vec<String> {
        let stays = |value: &str| {
            invitation.is_some_and(|invitation| match &invitation.binding {
                _ if !has_ended(invitation, now) => true,
                Binding::Address(email) => email.masked() == value,
                Binding::Anyone | Binding::Domain(_) => false,
            })
        };
        let own = detail.iter().filter(|(name, value)| {
            *name == Detail::BOUND_TO && self.has_mask(value) && !stays(value)
        });
        own.map(|(_, value)| value.to_owned()).collect()
    }
}
