//! What is handed to a store, and what it answers.

use crate::{
    email::EmailKey,
    event::Event,
    id::InvitationId,
    invitation::{Binding, Facts, Invitation, Status},
    quota::{Quota, QuotaOf},
    request::{Known, Request},
    text::Division,
    time::Timestamp,
};

/// Whether what a store records stands by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Durability {
    /// When a call returns, it is done.
    Own,
    /// It is done when the host commits, and undone when the host rolls back.
    Hosts,
}

/// A new invitation and the evidence of its creation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct NewInvitation {
    /// The facts.
    pub invitation: Invitation,
    /// The event, complete.
    pub event: Event,
}

/// New invitations, and what must hold for them to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a part")]
pub struct Insert {
    /// The invitations, by ascending id.
    pub rows: Vec<NewInvitation>,
    /// Which bounds must have room, by ascending [`Quota::of`].
    pub quotas: Vec<Quota>,
    /// Under which key it is asked for, if under one.
    pub request: Option<Request>,
}

/// A mailbox that may have been invited to a division.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a part")]
pub struct Invitee {
    /// The division.
    pub division: Division,
    /// The comparison form of the address.
    pub address: EmailKey,
}

impl Invitee {
    /// Whether this invitation invites the mailbox to the division, and is active at `now`.
    #[must_use]
    pub fn is_invited_by(&self, invitation: &Invitation, now: Timestamp) -> bool {
        let is_addressee =
            matches!(&invitation.binding, Binding::Address(email) if *email.key() == self.address);
        is_addressee
            && invitation.division == self.division
            && invitation.deleted_at.is_none()
            && invitation.status(now) == Status::Active
    }
}

impl Insert {
    /// Whether a key is to be stored: that of a request which creates something, or which
    /// has results to be given again.
    #[must_use]
    pub fn keeps_request(&self) -> Option<&Request> {
        let kept = |request: &&Request| !self.rows.is_empty() || request.results.is_some();
        self.request.as_ref().filter(kept)
    }

    /// The instant from which on the key is as good as not there; none where it stays with
    /// its invitations.
    #[must_use]
    pub fn forgotten_at(&self) -> Option<Timestamp> {
        self.request.as_ref().filter(|_| self.rows.is_empty()).map(Request::forgotten_at)
    }

    /// New invitations, without quota and key.
    #[must_use]
    pub fn of(rows: Vec<NewInvitation>) -> Self {
        Self { rows, quotas: Vec::new(), request: None }
    }
}

/// What became of an insert.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Inserted {
    /// All are stored.
    Stored,
    /// None is: something was stored under this key before.
    Known(Known),
    /// None is: this quota has no room for them.
    QuotaFull {
        /// Whose quota it is.
        of: QuotaOf,
        /// How many it counts already; of more than its maximum, any number beyond.
        pending: u32,
    },
    /// None is: one of the digests is taken.
    CodeTaken,
}

/// What became of a transition.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must look at each")]
pub enum Outcome {
    /// It was made. The facts are those after it.
    Applied(Box<Facts>),
    /// This very operation had been made before. The facts are those of now.
    Replayed(Box<Facts>),
    /// The guard did not hold. The facts are those of now.
    Refused(Box<Facts>),
    /// This quota has no room.
    QuotaFull(QuotaOf),
    /// The new code's digest is stored already.
    CodeTaken,
    /// Within the scope there is no such invitation.
    Missing,
}

/// Where an invitation is.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Located {
    /// Its id.
    pub id: InvitationId,
    /// Its division.
    pub division: Division,
}
