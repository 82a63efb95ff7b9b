//! What a change concerns and writes, derived from its variant.

use super::Change;
use crate::{
    code::CodeDigest,
    email::EmailKey,
    id::EventId,
    lease::{ConsumedLease, Lease},
    record::Record,
    state::State,
    text::UserId,
};

impl Change {
    /// Returns whether the change ends all leases. An amendment with a binding or role
    /// does so even if the value is the one already stored.
    #[must_use]
    pub fn ends_all_leases(&self) -> bool {
        match self {
            Self::Amend { binding, role, .. } => binding.is_some() || role.is_some(),
            Self::Rotate { .. } | Self::Revoke(_) | Self::Delete { .. } => true,
            Self::Redeem { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Reinstate { .. }
            | Self::Reseal { .. } => false,
        }
    }

    /// Returns whether the change increments the version.
    #[must_use]
    pub fn changes_terms(&self) -> bool {
        match self {
            Self::Amend { .. } | Self::Rotate { .. } | Self::Revoke(_) | Self::Reinstate { .. } => {
                true
            }
            Self::Redeem { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Delete { .. }
            | Self::Reseal { .. } => false,
        }
    }

    /// Returns whether the change shares its event with other changes: those of one page of
    /// a re-sealing job. Such an event is written once, and about no invitation.
    #[must_use]
    pub fn shares_event(&self) -> bool {
        match self {
            Self::Reseal { .. } => true,
            Self::Redeem { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Amend { .. }
            | Self::Rotate { .. }
            | Self::Revoke(_)
            | Self::Reinstate { .. }
            | Self::Delete { .. } => false,
        }
    }

    /// Returns the user whom the change is about, if it is about one.
    #[must_use]
    pub fn redeemer(&self) -> Option<&UserId> {
        match self {
            Self::Redeem { user, .. } | Self::Release { user, .. } => Some(user),
            Self::Hold { lease, .. } => Some(&lease.user),
            Self::Amend { .. }
            | Self::Rotate { .. }
            | Self::Revoke(_)
            | Self::Reinstate { .. }
            | Self::Delete { .. }
            | Self::Reseal { .. } => None,
        }
    }

    /// Returns the redeemer's own lease whose use the change takes. A redemption records
    /// it.
    #[must_use]
    pub fn own_lease(&self) -> Option<EventId> {
        match self.taken_over_from() {
            Some(ConsumedLease::Own { lease }) => Some(lease),
            Some(ConsumedLease::Expired { .. } | ConsumedLease::Mailbox { .. }) | None => None,
        }
    }

    /// Returns the lease whose use the change takes; none if it takes no held use.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<ConsumedLease> {
        match self {
            Self::Redeem { taken_over_from, .. } | Self::Hold { taken_over_from, .. } => {
                *taken_over_from
            }
            Self::Release { lease, .. } => Some(ConsumedLease::Own { lease: *lease }),
            Self::Amend { .. }
            | Self::Rotate { .. }
            | Self::Revoke(_)
            | Self::Reinstate { .. }
            | Self::Delete { .. }
            | Self::Reseal { .. } => None,
        }
    }

    /// Returns the digest that the change writes, if it writes one.
    pub(crate) fn new_digest(&self) -> Option<&CodeDigest> {
        match self {
            Self::Rotate { digest, .. } | Self::Reseal { digest, .. } => Some(digest),
            Self::Redeem { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Amend { .. }
            | Self::Revoke(_)
            | Self::Reinstate { .. }
            | Self::Delete { .. } => None,
        }
    }

    /// Returns the address that the change names as the redeemer's, if it names one. A lease
    /// or a redemption keeps it only if the invitation is bound to a domain.
    #[must_use]
    pub fn address(&self) -> Option<&EmailKey> {
        match self {
            Self::Redeem { address, .. } => address.as_ref(),
            Self::Hold { lease, .. } => lease.mailbox.as_ref(),
            Self::Release { .. }
            | Self::Amend { .. }
            | Self::Rotate { .. }
            | Self::Revoke(_)
            | Self::Reinstate { .. }
            | Self::Delete { .. }
            | Self::Reseal { .. } => None,
        }
    }

    /// Returns the lease that the change begins on `invitation`, if it begins one. Its end
    /// is brought forward to the expiry of the invitation if it lies after it, and it has a
    /// mailbox only if the invitation is bound to a domain.
    #[must_use]
    pub fn new_lease(&self, invitation: &Record) -> Option<Lease> {
        match self {
            Self::Hold { lease, .. } => Some(lease.begun_on(invitation)),
            Self::Redeem { .. }
            | Self::Release { .. }
            | Self::Amend { .. }
            | Self::Rotate { .. }
            | Self::Revoke(_)
            | Self::Reinstate { .. }
            | Self::Delete { .. }
            | Self::Reseal { .. } => None,
        }
    }

    /// Returns the state before the change, of an invitation whose guard held. `after` is
    /// the invitation after the change.
    #[must_use]
    pub fn state_before(&self, after: &Record) -> State {
        let (uses, max_uses) = (after.uses, after.max_uses.get());
        match self {
            Self::Redeem { .. } => {
                State::of(uses.saturating_sub(1), max_uses, after.revocation.is_some())
            }
            Self::Revoke(_) => State::of(uses, max_uses, false),
            Self::Reinstate { .. } => State::of(uses, max_uses, true),
            Self::Hold { .. }
            | Self::Release { .. }
            | Self::Amend { .. }
            | Self::Rotate { .. }
            | Self::Delete { .. }
            | Self::Reseal { .. } => after.state(),
        }
    }
}
