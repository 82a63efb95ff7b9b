//! What is handed to a store, and what it answers.

use crate::{
    event::Event,
    id::InvitationId,
    invitation::{Facts, Invitation},
    quota::{Quota, QuotaOf},
    request::{Known, Request},
    text::Division,
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

impl Insert {
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
    QuotaFull(QuotaOf),
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
