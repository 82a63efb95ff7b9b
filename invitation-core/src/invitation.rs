//! The stored facts of an invitation, and what is derived from them.

use std::{fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::{
    code::{CodeDigest, CodeTag, SealedCode},
    email::{Email, EmailDomain, EmailKey},
    event::words,
    id::{BatchId, EventId, InvitationId},
    lease::{Held, Lease},
    metadata::Metadata,
    text::{Division, Role, UserId, Username},
    time::Timestamp,
};

/// The facts of one invitation, as a store keeps them.
///
/// Only facts: whether it is active, used or expired is a question to the facts
/// and the clock ([`status`](Self::status)) and never stored.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Invitation {
    /// The public key.
    pub id: InvitationId,
    /// By what the code is found; unique in a store, tombstones included.
    pub digest: CodeDigest,
    /// By what a list is searched for the beginning of the code.
    pub tag: CodeTag,
    /// The code, sealed.
    pub sealed: SealedCode,
    /// Who may redeem.
    pub binding: Binding,
    /// The role that the newcomer gets.
    pub role: Role,
    /// The division that the newcomer joins; it never changes.
    pub division: Division,
    /// Who invites.
    pub inviter: Inviter,
    /// When it was created.
    pub created_at: Timestamp,
    /// It is valid while `now < expires_at`.
    pub expires_at: Timestamp,
    /// How many different people may redeem it.
    pub max_uses: NonZeroU32,
    /// How many did.
    pub uses: u32,
    /// How many of the uses left are held by leases, run-out ones included.
    pub held: u32,
    /// The latest redemption; of a single-use invitation, the only one.
    pub last_use: Option<Redemption>,
    /// Whether and why it was withdrawn.
    pub revocation: Option<Revocation>,
    /// When it was deleted. What remains is a tombstone: to everybody it does
    /// not exist, but its code is never issued again.
    pub deleted_at: Option<Timestamp>,
    /// Counts the changes of terms: amend, rotate, revoke, reinstate.
    pub version: u64,
    /// The call that created it together with others.
    pub batch: Option<BatchId>,
    /// What the host attached.
    pub metadata: Option<Metadata>,
}

impl Invitation {
    /// What the facts amount to at `now`; the first that fits: used, revoked,
    /// expired, active.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        if !self.has_uses_left() {
            Status::Used
        } else if self.revocation.is_some() {
            Status::Revoked
        } else if self.is_expired(now) {
            Status::Expired
        } else {
            Status::Active
        }
    }

    /// Whether somebody may still be counted.
    #[must_use]
    pub fn has_uses_left(&self) -> bool {
        self.uses < self.max_uses.get()
    }

    /// Whether somebody may still be counted or get a lease: the uses and the
    /// leases together are fewer than may be.
    #[must_use]
    pub fn has_free_use(&self) -> bool {
        self.uses.saturating_add(self.held) < self.max_uses.get()
    }

    /// What the column *Used By* shows; none while nobody has redeemed it.
    #[must_use]
    pub fn used_by(&self) -> Option<UsedBy<'_>> {
        let last = &self.last_use.as_ref()?.username;
        Some(UsedBy { last, others: self.uses.saturating_sub(1) })
    }

    /// Whether `now` is at or after the expiry. The one comparison of this rule.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }
}

/// Who redeemed an invitation: the last by name, and how many besides.
///
/// Written out, it reads `anna`, or `anna and 2 more`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsedBy<'a> {
    last: &'a Username,
    others: u32,
}

impl UsedBy<'_> {
    /// The last redeemer's name.
    #[must_use]
    pub fn last(&self) -> &Username {
        self.last
    }

    /// How many redeemed it before.
    #[must_use]
    pub fn others(&self) -> u32 {
        self.others
    }
}

impl fmt::Display for UsedBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.others {
            0 => f.pad(self.last.as_str()),
            others => f.pad(&format!("{} and {others} more", self.last)),
        }
    }
}

/// Who may redeem a code.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a binding")]
pub enum Binding {
    /// Whoever holds it.
    #[default]
    Anyone,
    /// Who proves this address.
    Address(Email),
    /// Who proves an address of this domain.
    Domain(EmailDomain),
}

impl Binding {
    /// Whether a proof of `address`, or none, is enough.
    #[must_use]
    pub fn is_met_by(&self, address: Option<&EmailKey>) -> bool {
        match (self, address) {
            (Self::Anyone, _) => true,
            (_, None) => false,
            (Self::Address(bound), Some(address)) => bound.key() == address,
            (Self::Domain(bound), Some(address)) => bound.as_str() == address.domain(),
        }
    }
}

/// Who created an invitation, and in which role.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while losing a kind")]
pub enum Inviter {
    /// The host's bootstrap code.
    System,
    /// A user.
    User {
        /// Who.
        user: UserId,
        /// In which role, at that time. What this role may hand out *now*
        /// decides when the code is redeemed.
        role: Role,
    },
}

/// That somebody redeemed an invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Redemption {
    /// The id of the event that is its evidence.
    pub id: EventId,
    /// Whose account.
    pub user: UserId,
    /// Under which name.
    pub username: Username,
    /// When.
    pub at: Timestamp,
    /// The role that was granted.
    pub role: Role,
    /// The lease that held the use for this redemption, if one did.
    pub lease: Option<EventId>,
}

/// That an invitation was withdrawn.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why, if somebody said.
    pub reason: Option<String>,
}

/// What a decision about one invitation is explained from.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Facts {
    /// The invitation.
    pub invitation: Invitation,
    /// The redemption by the user whom the transition is about, if there is one.
    pub mine: Option<Redemption>,
    /// The lease of the user whom the transition is about, if there is one.
    pub lease: Option<Lease>,
    /// Of all leases on the invitation, the first to run out, by
    /// [`Lease::order`].
    pub first_lease: Option<Lease>,
}

impl Facts {
    /// The facts of an invitation on which there is neither a redemption nor a
    /// lease to tell of.
    #[must_use]
    pub fn of(invitation: Invitation) -> Self {
        Self { invitation, mine: None, lease: None, first_lease: None }
    }

    /// The lease of this user, if it is the one that is known here.
    pub(crate) fn lease_of(&self, user: &UserId) -> Option<&Lease> {
        self.lease.as_ref().filter(|own| own.user == *user)
    }

    /// Ends a lease, if there is such a one.
    pub(crate) fn end_lease(&mut self, held: Held) -> Option<Lease> {
        let ended = match held {
            Held::Own { lease } => self.lease.clone().filter(|own| own.id == lease),
            Held::RunOut { now } => self.first_lease.clone().filter(|lease| lease.has_run_out(now)),
        }?;
        let is_it = |lease: &Lease| lease.id == ended.id;
        self.lease.take_if(|own| is_it(own));
        self.first_lease.take_if(|first| is_it(first));
        self.invitation.held = self.invitation.held.saturating_sub(1);
        Some(ended)
    }

    /// Begins a lease of the user whom the transition is about.
    pub(crate) fn begin_lease(&mut self, lease: Lease) {
        let comes_first = match &self.first_lease {
            Some(first) => lease.order() < first.order(),
            None => self.invitation.held == 0,
        };
        if comes_first {
            self.first_lease = Some(lease.clone());
        }
        self.invitation.held = self.invitation.held.saturating_add(1);
        self.lease = Some(lease);
    }

    pub(crate) fn end_all_leases(&mut self) {
        self.invitation.held = 0;
        self.lease = None;
        self.first_lease = None;
    }
}

words! {
    /// What an invitation is at an instant: derived from its facts and the clock.
    #[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a status")]
    Status, "status" {
        /// Valid, with uses left.
        Active = "active",
        /// Redeemed as often as it may be.
        Used = "used",
        /// Past its expiry.
        Expired = "expired",
        /// Withdrawn by an administrator.
        Revoked = "revoked",
    }
}
