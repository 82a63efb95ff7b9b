//! Changes: the effects of a transition on the facts of an invitation.

use crate::{
    code::{CodeDigest, CodeTag, SealedCode},
    id::EventId,
    invitation::{Binding, Facts, Redemption, Revocation},
    lease::{ConsumedLease, Lease},
    text::{Role, UserId, Username},
    time::Timestamp,
};

/// A change of the facts of one invitation.
///
/// [`apply_to`](Self::apply_to) is the specification: after a store has made the change,
/// its facts must equal those that `apply_to` leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a change")]
pub enum Change {
    /// Counts a use and records the redemption. The granted role is the role stored at
    /// that moment. If `taken_over_from` names a lease, that lease ends.
    Redeem {
        /// The id of the redemption, equal to the id of its event.
        id: EventId,
        /// The user whose account is created.
        user: UserId,
        /// The username of that account.
        username: Username,
        /// The time of the redemption.
        at: Timestamp,
        /// The lease whose use the redemption takes; none takes a free use.
        taken_over_from: Option<ConsumedLease>,
    },
    /// Holds a use with a lease. If `taken_over_from` names a lease, that lease ends first. A
    /// renewal ends the user's lease and begins one with the same id.
    Hold {
        /// The new lease. Its end is brought forward to the expiry of the invitation if
        /// it lies after it.
        lease: Lease,
        /// The lease whose use the new lease takes; none takes a free use.
        taken_over_from: Option<ConsumedLease>,
    },
    /// Ends the lease of one user.
    Release {
        /// The user who holds the lease.
        user: UserId,
        /// The id of the lease.
        lease: EventId,
    },
    /// Changes terms; fields that are `None` keep their value. Increments the version. If
    /// a binding or role is given, all leases end, because they were held under other
    /// terms.
    Amend {
        /// The new binding, which replaces the stored one.
        binding: Option<Binding>,
        /// The new role of the newcomer.
        role: Option<Role>,
        /// The new time of expiry.
        expires_at: Option<Timestamp>,
    },
    /// Replaces the code, increments the version, and ends all leases.
    Rotate {
        /// The new look-up digest.
        digest: CodeDigest,
        /// The new search tag.
        tag: CodeTag,
        /// The new code, sealed.
        sealed: SealedCode,
    },
    /// Revokes the invitation, increments the version, and ends all leases.
    Revoke(Revocation),
    /// Undoes the revocation and increments the version.
    Reinstate,
    /// Deletes the invitation, which leaves a tombstone, and ends all leases.
    Delete {
        /// The time of deletion.
        at: Timestamp,
    },
}

impl Change {
    /// Applies the change to `facts`, and returns the lease whose use it took.
    ///
    /// Effects on leases, in the facts and in the store:
    ///
    /// | change | the redeemer's lease | the returned lease |
    /// |---|---|---|
    /// | `Redeem` and `Hold`, `taken_over_from` none | stays · begins | none |
    /// | … of [`ConsumedLease::Own`](ConsumedLease) | ends · ends, and the new one begins | the one that ended |
    /// | … of [`ConsumedLease::Expired`](ConsumedLease) | stays · begins | the first of all leases, which ends |
    /// | `Release` | ends | the one that ended |
    /// | one that [ends all leases](Self::ends_all_leases) | ends, as all leases do | none |
    ///
    /// A `Redeem` also sets [`Facts::mine`] and [`Invitation::last_use`].
    ///
    /// The facts do not contain the second lease of the invitation. When the first lease
    /// has ended, [`Facts::first_lease`] is therefore none, and the store fills in the
    /// next.
    ///
    /// [`Invitation::last_use`]: crate::Invitation::last_use
    pub fn apply_to(&self, facts: &mut Facts) -> Option<Lease> {
        let ended = match self {
            Self::Redeem { id, user, username, at, taken_over_from } => {
                let ended = taken_over_from.and_then(|held| facts.end_lease(held));
                let invitation = &mut facts.invitation;
                let redemption = Redemption {
                    id: *id,
                    user: user.clone(),
                    username: username.clone(),
                    at: *at,
                    role: invitation.role.clone(),
                    lease: self.own_lease(),
                };
                // The guard of a redemption has ensured that a use is left.
                invitation.uses = invitation.uses.saturating_add(1);
                invitation.last_use = Some(redemption.clone());
                facts.mine = Some(redemption);
                ended
            }
            Self::Hold { lease, taken_over_from } => {
                let ended = taken_over_from.and_then(|held| facts.end_lease(held));
                let until = lease.holds_until(&facts.invitation);
                facts.begin_lease(Lease { until, ..lease.clone() });
                ended
            }
            Self::Release { lease, .. } => facts.end_lease(ConsumedLease::Own { lease: *lease }),
            Self::Amend { binding, role, expires_at } => {
                let invitation = &mut facts.invitation;
                if let Some(binding) = binding {
                    invitation.binding = binding.clone();
                }
                if let Some(role) = role {
                    invitation.role = role.clone();
                }
                if let Some(expires_at) = expires_at {
                    invitation.expires_at = *expires_at;
                }
                None
            }
            Self::Rotate { digest, tag, sealed } => {
                let invitation = &mut facts.invitation;
                invitation.digest = *digest;
                invitation.tag = *tag;
                invitation.sealed = sealed.clone();
                None
            }
            Self::Revoke(revocation) => {
                facts.invitation.revocation = Some(revocation.clone());
                None
            }
            Self::Reinstate => {
                facts.invitation.revocation = None;
                None
            }
            Self::Delete { at } => {
                facts.invitation.deleted_at = Some(*at);
                None
            }
        };
        if self.ends_all_leases() {
            facts.end_all_leases();
        }
        if self.changes_terms() {
            facts.invitation.version += 1;
        }
        ended
    }

    /// Returns whether the change ends all leases. An amendment with a binding or role
    /// does so even if the value is the one already stored.
    #[must_use]
    pub fn ends_all_leases(&self) -> bool {
        match self {
            Self::Amend { binding, role, .. } => binding.is_some() || role.is_some(),
            Self::Rotate { .. } | Self::Revoke(_) | Self::Delete { .. } => true,
            Self::Redeem { .. } | Self::Hold { .. } | Self::Release { .. } | Self::Reinstate => {
                false
            }
        }
    }

    /// Returns whether the change increments the version.
    #[must_use]
    pub fn changes_terms(&self) -> bool {
        match self {
            Self::Amend { .. } | Self::Rotate { .. } | Self::Revoke(_) | Self::Reinstate => true,
            Self::Redeem { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Delete { .. } => false,
        }
    }

    /// Returns the user whom the change is about, if it is about one.
    #[must_use]
    pub fn redeemer(&self) -> Option<&UserId> {
        match self {
            Self::Redeem { user, .. } | Self::Release { user, .. } => Some(user),
            Self::Hold { lease, .. } => Some(&lease.user),
            _ => None,
        }
    }

    /// Returns the redeemer's own lease whose use the change takes. A redemption records
    /// it.
    #[must_use]
    pub fn own_lease(&self) -> Option<EventId> {
        match self.taken_over_from() {
            Some(ConsumedLease::Own { lease }) => Some(lease),
            Some(ConsumedLease::Expired { .. }) | None => None,
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
            _ => None,
        }
    }
}
