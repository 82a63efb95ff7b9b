//! The person to erase, and what the events say of that person.

use super::{ERASED, erased_name, has_ended};
use crate::{
    binding::Binding, detail::Detail, email::Email, event::Event, field_error::FieldError,
    performer::Performer, record::Record, request_context::RequestContext, text::UserId,
    time::Timestamp,
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

    /// Returns `event` without the name and the source of the person who performed it.
    pub(crate) fn unnamed(&self, event: Event) -> Event {
        if event.performer.user() != Some(&self.user) {
            return event;
        }
        let performer = match event.performer {
            Performer::Actor { user, role, name: _ } => Performer::Actor { user, role, name: None },
            Performer::Redeemer { user, username: _ } => {
                Performer::Redeemer { user, username: erased_name() }
            }
            Performer::System { name } => Performer::System { name },
        };
        let context = RequestContext { source: None, ..event.context };
        Event { performer, context, ..event }
    }

    /// Returns whether the masked address in a detail may be one of the person's.
    pub(crate) fn may_be_named_in(&self, detail: &Detail) -> bool {
        detail.iter().any(|(name, value)| name == Detail::BOUND_TO && self.has_mask(value))
    }

    fn has_mask(&self, value: &str) -> bool {
        self.addresses.iter().any(|address| address.masked() == value)
    }

    /// Returns the detail of an event without the masked addresses of the person. `invitation` is
    /// the one that the event is about, if it is not purged.
    ///
    /// Different addresses may have the same mask. So the mask stays if the invitation is open,
    /// or if it is for another address with this mask.
    pub(crate) fn unmasked(
        &self,
        detail: &Detail,
        invitation: Option<&Record>,
        now: Timestamp,
    ) -> Detail {
        let stays = |value: &str| {
            invitation.is_some_and(|invitation| match &invitation.binding {
                _ if !has_ended(invitation, now) => true,
                Binding::Address(email) => email.masked() == value,
                Binding::Anyone | Binding::Domain(_) => false,
            })
        };
        detail.replaced(|name, value| {
            let is_erased = name == Detail::BOUND_TO && self.has_mask(value) && !stays(value);
            is_erased.then_some(ERASED)
        })
    }
}
