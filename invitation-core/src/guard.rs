//! Guards: the conditions under which a change is made, as data.

use std::sync::Arc;

use crate::{
    email::EmailKey, facts::Facts, id::EventId, inviter::Inviter, policy::RolePair, text::UserId,
    time::Timestamp,
};

/// One rule about the facts of an invitation, as a term of the domain rather than a
/// comparison of columns.
///
/// [`holds`](Self::holds) is the specification. A store translates each condition into
/// its own language, and must reach the same result on the same facts. The conformance
/// suite compares them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a rule")]
pub enum Condition {
    /// The user has not redeemed the invitation yet.
    FirstUseBy(UserId),
    /// The invitation is not deleted.
    NotDeleted,
    /// Fewer than `max_uses` users have redeemed the invitation.
    UsesLeft,
    /// The invitation is not revoked.
    NotRevoked,
    /// The invitation has not expired: `now < expires_at`.
    NotExpired {
        /// The time of the call.
        now: Timestamp,
    },
    /// The code is not bound, or the proved address satisfies its binding.
    AddressProved(Option<EmailKey>),
    /// The stored role of the grantor may grant the stored role of the invitation: this
    /// list contains the pair, or the grantor is the system.
    Grantable(Arc<[RolePair]>),
    /// The version of the terms is still this one.
    Version(u64),
    /// The user has no lease on the invitation.
    FirstHoldBy(UserId),
    /// The code is not bound to a domain, or no user has redeemed the invitation with this
    /// mailbox or has a lease with it.
    MailboxUnused(EmailKey),
    /// At least one remaining use is not held by a lease.
    UseFree,
    /// At least one lease on the invitation has expired.
    LeaseExpired {
        /// The time of the call.
        now: Timestamp,
    },
    /// The user has exactly this lease on the invitation, expired or not.
    HoldsLease {
        /// The id of the lease.
        lease: EventId,
        /// The user who holds the lease.
        user: UserId,
    },
    /// The user has a lease on the invitation, and it has expired.
    OwnLeaseExpired {
        /// The user who holds the lease.
        user: UserId,
        /// The time of the call.
        now: Timestamp,
    },
    /// A lease with this mailbox exists, of any user, and it has expired.
    MailboxLeaseExpired {
        /// The mailbox of the lease.
        mailbox: EmailKey,
        /// The time of the call.
        now: Timestamp,
    },
}

impl Condition {
    /// Returns whether the facts satisfy the condition.
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
            Self::Grantable(pairs) => match &invitation.grantor {
                Inviter::System => true,
                Inviter::User { role, .. } => pairs
                    .iter()
                    .any(|pair| pair.grantor == *role && pair.granted == invitation.role),
            },
            Self::Version(version) => invitation.version == *version,
            Self::FirstHoldBy(user) => facts.lease_of(user).is_none(),
            Self::MailboxUnused(mailbox) => {
                invitation.binding.mailbox(Some(mailbox)).is_none()
                    || (!facts.is_mailbox_used(mailbox)
                        && facts.lease_with_mailbox(mailbox).is_none())
            }
            Self::UseFree => invitation.has_free_use(),
            Self::LeaseExpired { now } => {
                facts.first_lease.as_ref().is_some_and(|first| first.has_expired(*now))
            }
            Self::HoldsLease { lease, user } => {
                facts.lease_of(user).is_some_and(|own| own.id == *lease)
            }
            Self::OwnLeaseExpired { user, now } => {
                facts.lease_of(user).is_some_and(|own| own.has_expired(*now))
            }
            Self::MailboxLeaseExpired { mailbox, now } => {
                facts.lease_with_mailbox(mailbox).is_some_and(|held| held.has_expired(*now))
            }
        }
    }

    /// Returns whether the condition reads redemptions or leases besides the invitation
    /// itself. A store that keeps these in other tables or keys must read them together
    /// with the invitation, as one atomic view.
    #[must_use]
    pub fn looks_beyond(&self) -> bool {
        match self {
            Self::FirstUseBy(_)
            | Self::FirstHoldBy(_)
            | Self::MailboxUnused(_)
            | Self::LeaseExpired { .. }
            | Self::HoldsLease { .. }
            | Self::OwnLeaseExpired { .. }
            | Self::MailboxLeaseExpired { .. } => true,
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

/// Conditions that must all hold, in the order in which a refusal reports them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard(Vec<Condition>);

impl Guard {
    pub(crate) fn new(conditions: Vec<Condition>) -> Self {
        Self(conditions)
    }

    /// Returns the conditions, in order.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.0
    }

    /// Returns the first condition that the facts do not satisfy, which is the reason of
    /// the refusal.
    #[must_use]
    pub fn first_refusal(&self, facts: &Facts) -> Option<&Condition> {
        self.0.iter().find(|condition| !condition.holds(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binding::Binding,
        email::{Email, EmailDomain},
        id::EventId,
        lease::Lease,
        record::Record,
        redemption::Redemption,
        sample,
    };

    fn key(address: &str) -> EmailKey {
        Email::parse(address).unwrap().key().clone()
    }

    /// Facts of a code for a domain, with a redemption and a lease with these mailboxes.
    fn facts(used: Option<&str>, held: Option<&str>) -> Facts {
        let Redemption { user, username, at, .. } = sample::redemption();
        let until = sample::at(5_000);
        let id = EventId::from_bytes([8; 16]);
        let binding = Binding::Domain(EmailDomain::parse("example.com").unwrap());
        Facts {
            mailbox_use: used
                .map(|used| Redemption { mailbox: Some(key(used)), ..sample::redemption() }),
            mailbox_lease: held.map(|held| {
                let mailbox = Some(key(held));
                Lease { id, user, username, since: at, until, mailbox }
            }),
            ..Facts::of(Record { binding, ..sample::invitation() })
        }
    }

    #[test]
    fn mailbox_of_a_domains_code_is_unused_without_a_use_and_a_lease() {
        let (anna, ben) = ("anna@example.com", "ben@example.com");
        let unused = Condition::MailboxUnused(key("Anna@Example.com"));
        for (used, held, holds) in [
            (None, None, true),
            (Some(anna), None, false),
            (None, Some(anna), false),
            (Some(ben), Some(ben), true),
        ] {
            let mut facts = facts(used, held);
            assert_eq!(unused.holds(&facts), holds, "{used:?} {held:?}");
            for other in [Binding::Anyone, Binding::Address(Email::parse(anna).unwrap())] {
                facts.invitation.binding = other;
                assert!(unused.holds(&facts), "{used:?} {held:?}: no domain");
            }
        }
    }

    #[test]
    fn lease_with_the_mailbox_expires_at_its_end() {
        let (anna, ben) = ("anna@example.com", "ben@example.com");
        for (held, now, holds) in [
            (None, 9_000, false),
            (Some(anna), 4_999, false),
            (Some(anna), 5_000, true),
            (Some(anna), 5_001, true),
            (Some(ben), 5_001, false),
        ] {
            let expired =
                Condition::MailboxLeaseExpired { mailbox: key(anna), now: sample::at(now) };
            assert_eq!(expired.holds(&facts(None, held)), holds, "{held:?} at {now}");
        }
    }
}
