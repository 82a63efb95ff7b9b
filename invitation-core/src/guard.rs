//! The rules on contended paths, as data: what must hold for a change to be made.

use std::sync::Arc;

use crate::{
    email::EmailKey,
    id::EventId,
    invitation::{Facts, Inviter},
    policy::RolePair,
    text::UserId,
    time::Timestamp,
};

/// One rule about the facts of an invitation: a word of the domain, not a
/// comparison of columns.
///
/// [`holds`](Self::holds) is the specification. A store renders each word in its
/// own language and must come to the same verdict on the same facts; the
/// conformance suite compares them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a rule")]
pub enum Condition {
    /// This user has not redeemed it yet.
    FirstUseBy(UserId),
    /// It is not a tombstone.
    NotDeleted,
    /// Fewer than `max_uses` have redeemed it.
    UsesLeft,
    /// It is not withdrawn.
    NotRevoked,
    /// `now < expires_at`.
    NotExpired {
        /// The time of the call.
        now: Timestamp,
    },
    /// Anyone may redeem it, or the proved address meets what it is bound to.
    AddressProved(Option<EmailKey>),
    /// The inviter's role, as stored, may hand out the role, as stored: the pair
    /// is one of these, or the system invited.
    Grantable(Arc<[RolePair]>),
    /// Its terms have not changed since they were at this version.
    Version(u64),
    /// This user has no lease on it.
    FirstHoldBy(UserId),
    /// Of the uses left, one is not held by a lease.
    UseFree,
    /// One of the leases on it has run out.
    LeaseRunOut {
        /// The time of the call.
        now: Timestamp,
    },
    /// This user has this very lease on it, run out or not.
    HoldsLease {
        /// Which.
        lease: EventId,
        /// Whose.
        user: UserId,
    },
    /// This user has a lease on it, and it has run out.
    OwnLeaseRunOut {
        /// Whose.
        user: UserId,
        /// The time of the call.
        now: Timestamp,
    },
}

impl Condition {
    /// Whether the facts satisfy it.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> bool {
        let invitation = &facts.invitation;
        match self {
            Self::FirstUseBy(user) => facts.mine.as_ref().is_none_or(|mine| mine.user != *user),
            Self::NotDeleted => invitation.deleted_at.is_none(),
            Self::UsesLeft => invitation.has_uses_left(),
            Self::NotRevoked => invitation.revocation.is_none(),
            Self::NotExpired { now } => !invitation.is_expired(*now),
            Self::AddressProved(address) => invitation.binding.is_met_by(address.as_ref()),
            Self::Grantable(pairs) => match &invitation.inviter {
                Inviter::System => true,
                Inviter::User { role, .. } => pairs
                    .iter()
                    .any(|pair| pair.inviter == *role && pair.granted == invitation.role),
            },
            Self::Version(version) => invitation.version == *version,
            Self::FirstHoldBy(user) => facts.lease_of(user).is_none(),
            Self::UseFree => invitation.has_free_use(),
            Self::LeaseRunOut { now } => {
                facts.first_lease.as_ref().is_some_and(|first| first.has_run_out(*now))
            }
            Self::HoldsLease { lease, user } => {
                facts.lease_of(user).is_some_and(|own| own.id == *lease)
            }
            Self::OwnLeaseRunOut { user, now } => {
                facts.lease_of(user).is_some_and(|own| own.has_run_out(*now))
            }
        }
    }

    /// Whether it looks at redemptions or leases, besides the invitation itself: a store
    /// that keeps these elsewhere has to look at both as one.
    #[must_use]
    pub fn looks_beyond(&self) -> bool {
        match self {
            Self::FirstUseBy(_)
            | Self::FirstHoldBy(_)
            | Self::LeaseRunOut { .. }
            | Self::HoldsLease { .. }
            | Self::OwnLeaseRunOut { .. } => true,
            Self::NotDeleted
            | Self::UsesLeft
            | Self::NotRevoked
            | Self::NotExpired { .. }
            | Self::AddressProved(_)
            | Self::Grantable(_)
            | Self::Version(_)
            | Self::UseFree => false,
        }
    }
}

/// Conditions that must all hold, in the order in which a refusal names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard(Vec<Condition>);

impl Guard {
    pub(crate) fn new(conditions: Vec<Condition>) -> Self {
        Self(conditions)
    }

    /// The conditions, in order.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.0
    }

    /// The first condition that the facts do not satisfy: why it is refused.
    #[must_use]
    pub fn first_refusal(&self, facts: &Facts) -> Option<&Condition> {
        self.0.iter().find(|condition| !condition.holds(facts))
    }
}
