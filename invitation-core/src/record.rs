//! The stored facts of an invitation, and the values derived from them.

use std::{fmt, num::NonZeroU32};

use crate::{
    code::{CodeDigest, CodeTag, SealedCode},
    email::{Email, EmailDomain, EmailKey},
    id::{BatchId, EventId, InvitationId},
    lease::{ConsumedLease, Lease},
    metadata::Metadata,
    string_enum::string_enum,
    text::{Division, Role, UserId, Username},
    time::Timestamp,
};

/// The facts of one invitation, as a store keeps them.
///
/// The status (active, used, expired, revoked) is never stored. [`status`](Self::status)
/// derives it from the facts and the current time.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Record {
    /// The public id of the invitation.
    pub id: InvitationId,
    /// The digest by which a store finds the code. It is unique in a store, tombstones
    /// included.
    pub digest: CodeDigest,
    /// The tag by which a list is searched for the first symbols of the code.
    pub tag: CodeTag,
    /// The code, in sealed form.
    pub sealed: SealedCode,
    /// The e-mail address or domain that a redeemer must prove, if there is one.
    pub binding: Binding,
    /// The role that the newcomer gets.
    pub role: Role,
    /// The division that the newcomer joins. It never changes.
    pub division: Division,
    /// The user or system that created the invitation.
    pub inviter: Inviter,
    /// The time at which the invitation was created.
    pub created_at: Timestamp,
    /// The time of expiry. The invitation is valid while `now < expires_at`.
    pub expires_at: Timestamp,
    /// How many different users may redeem the invitation.
    pub max_uses: NonZeroU32,
    /// How many users have redeemed the invitation.
    pub uses: u32,
    /// The number of remaining uses that leases hold, expired leases included.
    pub held: u32,
    /// The latest redemption. A single-use invitation has at most one.
    pub last_use: Option<Redemption>,
    /// The time and reason of the revocation; none while the invitation is not revoked.
    pub revocation: Option<Revocation>,
    /// The time of deletion. A deleted invitation remains as a tombstone: no caller can
    /// see it, but its code is never issued again.
    pub deleted_at: Option<Timestamp>,
    /// The number of changes of the terms: amend, rotate, revoke and reinstate each count
    /// one.
    pub version: u64,
    /// The id of the call that created several invitations, this one among them.
    pub batch: Option<BatchId>,
    /// The metadata that the host attached.
    pub metadata: Option<Metadata>,
}

impl Record {
    /// Returns whether at least one use has not been redeemed.
    #[must_use]
    pub fn has_uses_left(&self) -> bool {
        self.uses < self.max_uses.get()
    }

    /// Returns whether one use is neither redeemed nor held by a lease: redemptions and
    /// leases together are fewer than `max_uses`.
    #[must_use]
    pub fn has_free_use(&self) -> bool {
        self.uses.saturating_add(self.held) < self.max_uses.get()
    }

    /// Returns the content of the column *Used By*; none before the first redemption.
    #[must_use]
    pub fn used_by(&self) -> Option<UsedBy<'_>> {
        let last = &self.last_use.as_ref()?.username;
        Some(UsedBy { last, others: self.uses.saturating_sub(1) })
    }

    /// Returns whether `now` is at or after the expiry. No other function defines this rule.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }
}

/// The users who redeemed an invitation: the name of the latest, and the number of
/// earlier ones.
///
/// Its `Display` form is `anna`, or `anna and 2 more`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsedBy<'a> {
    last: &'a Username,
    others: u32,
}

impl UsedBy<'_> {
    /// Returns the username of the latest redeemer.
    #[must_use]
    pub fn last(&self) -> &Username {
        self.last
    }

    /// Returns the number of users who redeemed the invitation earlier.
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

/// The e-mail address or domain that a redeemer of a code must prove.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a binding")]
pub enum Binding {
    /// No address: every holder of the code may redeem it.
    #[default]
    Anyone,
    /// The redeemer must prove this address.
    Address(Email),
    /// The redeemer must prove any address of this domain.
    Domain(EmailDomain),
}

impl Binding {
    /// Returns whether a redeemer with this proved address, or with none, may redeem the
    /// code.
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

/// The creator of an invitation, and the role in which the creator acted.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while losing a kind")]
pub enum Inviter {
    /// The system: the host's bootstrap code.
    System,
    /// A user of the host.
    User {
        /// The user who created the invitation.
        user: UserId,
        /// The role of the creator at that time. A redemption is refused unless the
        /// policy *now* lets this role grant the invitation's role.
        role: Role,
    },
}

/// The record of one redemption of an invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Redemption {
    /// The id of the redemption, equal to the id of its audit event.
    pub id: EventId,
    /// The user whose account was created.
    pub user: UserId,
    /// The username of that account.
    pub username: Username,
    /// The time of the redemption.
    pub at: Timestamp,
    /// The role that the redemption granted.
    pub role: Role,
    /// The lease that held the use for this redemption, if there was one.
    pub lease: Option<EventId>,
}

/// The record of a revocation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Revocation {
    /// The time of the revocation.
    pub at: Timestamp,
    /// The reason, if the revoking user gave one.
    pub reason: Option<String>,
}

/// The facts from which a decision about one invitation is made and explained.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while losing a fact")]
pub struct Facts {
    /// The invitation itself.
    pub invitation: Record,
    /// The redemption by the user named in the transition, if there is one.
    pub mine: Option<Redemption>,
    /// The lease of the user named in the transition, if there is one.
    pub lease: Option<Lease>,
    /// The lease on the invitation that expires first, in [`Lease::order`], if there is
    /// one.
    pub first_lease: Option<Lease>,
}

impl Facts {
    /// Returns the facts of an invitation without a redemption by the user and without
    /// leases.
    #[must_use]
    pub fn of(invitation: Record) -> Self {
        Self { invitation, mine: None, lease: None, first_lease: None }
    }

    /// Returns the lease in these facts if it belongs to `user`.
    pub(crate) fn lease_of(&self, user: &UserId) -> Option<&Lease> {
        self.lease.as_ref().filter(|own| own.user == *user)
    }

    /// Ends the lease that `held` names, and returns it; none if there is no such lease.
    pub(crate) fn end_lease(&mut self, held: ConsumedLease) -> Option<Lease> {
        let ended = match held {
            ConsumedLease::Own { lease } => self.lease.clone().filter(|own| own.id == lease),
            ConsumedLease::Expired { now } => {
                self.first_lease.clone().filter(|lease| lease.has_expired(now))
            }
        }?;
        let is_it = |lease: &Lease| lease.id == ended.id;
        self.lease.take_if(|own| is_it(own));
        self.first_lease.take_if(|first| is_it(first));
        self.invitation.held = self.invitation.held.saturating_sub(1);
        Some(ended)
    }

    /// Begins a lease of the user named in the transition.
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

string_enum! {
    /// The status of an invitation at one instant, derived from its facts and the clock.
    #[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a status")]
    Status, "status" {
        /// Valid, with uses left.
        Active = "active",
        /// Redeemed `max_uses` times.
        Used = "used",
        /// Past its expiry.
        Expired = "expired",
        /// Revoked by an administrator.
        Revoked = "revoked",
    }
}
