//! What a transition does to the facts.

use crate::{
    code::{CodeDigest, CodeTag, SealedCode},
    id::EventId,
    invitation::{Binding, Facts, Redemption, Revocation},
    lease::{Held, Lease},
    text::{Role, UserId, Username},
    time::Timestamp,
};

/// A change of the facts of one invitation.
///
/// [`apply_to`](Self::apply_to) is the specification: a store must leave exactly
/// the facts that it leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a change")]
pub enum Change {
    /// Counts a use and remembers whose it was. The granted role is the one
    /// that is stored at that moment. The lease that it takes the place of ends.
    Redeem {
        /// The id of the redemption: that of its event.
        id: EventId,
        /// Whose account.
        user: UserId,
        /// Under which name.
        username: Username,
        /// When.
        at: Timestamp,
        /// Whose held use it is; none takes a free one.
        in_place_of: Option<Held>,
    },
    /// Holds a use. The lease that it takes the place of ends first: one that is
    /// renewed is followed by one with the same id.
    Hold {
        /// For whom and how long; but not longer than the invitation is valid.
        lease: Lease,
        /// Whose held use it is; none takes a free one.
        in_place_of: Option<Held>,
    },
    /// Ends this user's lease.
    Release {
        /// Whose.
        user: UserId,
        /// Which.
        lease: EventId,
    },
    /// Changes terms; what is `None` stays. Counts the version up. Another
    /// binding or role ends all leases: they were for other terms.
    Amend {
        /// Who may redeem.
        binding: Option<Binding>,
        /// As what.
        role: Option<Role>,
        /// Until when.
        expires_at: Option<Timestamp>,
    },
    /// Replaces the code. Counts the version up. Ends all leases.
    Rotate {
        /// The new look-up digest.
        digest: CodeDigest,
        /// The new search tag.
        tag: CodeTag,
        /// The new code, sealed.
        sealed: SealedCode,
    },
    /// Withdraws it. Counts the version up. Ends all leases.
    Revoke(Revocation),
    /// Undoes the revocation. Counts the version up.
    Reinstate,
    /// Leaves a tombstone. Ends all leases.
    Delete {
        /// When.
        at: Timestamp,
    },
}

impl Change {
    /// Makes the change, and gives back the lease whose use it took.
    ///
    /// Of the leases, in the facts and in the store:
    ///
    /// | change | the redeemer's lease | the lease given back |
    /// |---|---|---|
    /// | `Redeem` and `Hold`, `in_place_of` none | stays · begins | none |
    /// | … of [`Held::Own`](Held) | ends · ends, and the new one begins | the one that ended |
    /// | … of [`Held::RunOut`](Held) | stays · begins | the first of all, which ends |
    /// | `Release` | ends | the one that ended |
    /// | one that [ends all leases](Self::ends_all_leases) | ends, as everybody's does | none |
    ///
    /// A `Redeem` also sets [`Facts::mine`] and [`Invitation::last_use`]. Which lease is
    /// the first afterwards, the facts cannot tell: when the one that was first has
    /// ended, [`Facts::first_lease`] is none, and the store fills in the next.
    ///
    /// [`Invitation::last_use`]: crate::Invitation::last_use
    pub fn apply_to(&self, facts: &mut Facts) -> Option<Lease> {
        let ended = match self {
            Self::Redeem { id, user, username, at, in_place_of } => {
                let ended = in_place_of.and_then(|held| facts.end_lease(held));
                let invitation = &mut facts.invitation;
                let redemption = Redemption {
                    id: *id,
                    user: user.clone(),
                    username: username.clone(),
                    at: *at,
                    role: invitation.role.clone(),
                    lease: self.own_lease(),
                };
                // The guard of a redeem has left room for one more.
                invitation.uses = invitation.uses.saturating_add(1);
                invitation.last_use = Some(redemption.clone());
                facts.mine = Some(redemption);
                ended
            }
            Self::Hold { lease, in_place_of } => {
                let ended = in_place_of.and_then(|held| facts.end_lease(held));
                let until = lease.holds_until(&facts.invitation);
                facts.begin_lease(Lease { until, ..lease.clone() });
                ended
            }
            Self::Release { lease, .. } => facts.end_lease(Held::Own { lease: *lease }),
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

    /// Whether no lease outlives it: also where a role or a binding is set to what it
    /// was already.
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

    /// Whether it counts the version up.
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

    /// The user whom it is about.
    #[must_use]
    pub fn redeemer(&self) -> Option<&UserId> {
        match self {
            Self::Redeem { user, .. } | Self::Release { user, .. } => Some(user),
            Self::Hold { lease, .. } => Some(&lease.user),
            _ => None,
        }
    }

    /// The redeemer's lease whose use it takes; a redemption remembers it.
    #[must_use]
    pub fn own_lease(&self) -> Option<EventId> {
        match self.in_place_of() {
            Some(Held::Own { lease }) => Some(lease),
            Some(Held::RunOut { .. }) | None => None,
        }
    }

    /// The lease whose use it takes, if it takes a held one.
    #[must_use]
    pub fn in_place_of(&self) -> Option<Held> {
        match self {
            Self::Redeem { in_place_of, .. } | Self::Hold { in_place_of, .. } => *in_place_of,
            Self::Release { lease, .. } => Some(Held::Own { lease: *lease }),
            _ => None,
        }
    }
}
