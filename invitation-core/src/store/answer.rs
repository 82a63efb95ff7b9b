//! The arguments and results of the [`Store`](crate::Store) methods.

use crate::{
    binding::Binding,
    email::EmailKey,
    event::Event,
    id::InvitationId,
    quota::{Quota, QuotaOf},
    record::Record,
    request::{IdempotentRequest, PriorRequest},
    status::Status,
    text::Division,
    time::Timestamp,
};

/// Whether the store or the host commits what the store writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum CommittedBy {
    /// The store commits: the write is durable when the call returns.
    Store,
    /// The host commits: the write takes effect with the host's commit, and is undone by
    /// its rollback.
    Host,
}

/// A new invitation and the evidence of its creation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct NewInvitation {
    /// The new invitation.
    pub invitation: Record,
    /// The event of its creation, complete.
    pub event: Event,
}

/// New invitations, and the quotas and idempotency key under which they are stored.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct Insert {
    /// The invitations, by ascending id.
    pub rows: Vec<NewInvitation>,
    /// The quotas that must have room, by ascending [`Quota::of`].
    pub quotas: Vec<Quota>,
    /// The request with its idempotency key, if the caller gave one.
    pub request: Option<IdempotentRequest>,
}

/// A mailbox in a division, to look up whether it has been invited already.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a part")]
pub struct Invitee {
    /// The division of the invitations to look for.
    pub division: Division,
    /// The comparison form of the address.
    pub address: EmailKey,
}

impl Invitee {
    /// Returns whether this invitation invites the mailbox to the division, and is active
    /// at `now`.
    #[must_use]
    pub fn is_invited_by(&self, invitation: &Record, now: Timestamp) -> bool {
        let is_addressee =
            matches!(&invitation.binding, Binding::Address(email) if *email.key() == self.address);
        is_addressee
            && invitation.division == self.division
            && invitation.deleted_at.is_none()
            && invitation.status(now) == Status::Active
    }
}

impl Insert {
    /// Returns the request whose key is to be stored: the call's request, if it creates
    /// invitations or has results to return again.
    #[must_use]
    pub fn request_to_keep(&self) -> Option<&IdempotentRequest> {
        let kept =
            |request: &&IdempotentRequest| !self.rows.is_empty() || request.results.is_some();
        self.request.as_ref().filter(kept)
    }

    /// Returns the instant from which the key counts as not stored; `None` if the key stays as
    /// long as its invitations.
    #[must_use]
    pub fn forgotten_at(&self) -> Option<Timestamp> {
        self.request.as_ref().filter(|_| self.rows.is_empty()).map(IdempotentRequest::forgotten_at)
    }

    /// Creates an insert of these invitations, without quotas and idempotency key.
    #[must_use]
    pub fn of(rows: Vec<NewInvitation>) -> Self {
        Self { rows, quotas: Vec::new(), request: None }
    }
}

/// The result of [`Store::insert`](crate::Store::insert).
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Inserted {
    /// All invitations are stored.
    Stored,
    /// Nothing is stored: an earlier request used this key.
    KeyKnown(PriorRequest),
    /// Nothing is stored: this quota has no room for the invitations.
    QuotaFull {
        /// The creator or division that the quota limits.
        of: QuotaOf,
        /// The number of invitations that the quota counts already; if above its maximum,
        /// any number above it.
        pending: u32,
    },
    /// Nothing is stored: one of the digests is already in use.
    CodeTaken,
}

/// The id and division of an invitation, found outside of any scope.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Located {
    /// The id of the invitation.
    pub id: InvitationId,
    /// The division of the invitation.
    pub division: Division,
}
