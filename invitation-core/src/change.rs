//! Changes: the effects of a transition on the facts of an invitation.

use crate::{
    binding::Binding,
    code::{CodeDigest, CodeTag, SealedCode},
    email::EmailKey,
    facts::Facts,
    id::EventId,
    inviter::Inviter,
    lease::{ConsumedLease, Lease},
    record::Record,
    redemption::Redemption,
    revocation::Revocation,
    state::State,
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
        /// The proved address. It becomes the mailbox of the redemption if the invitation is
        /// bound to a domain. None if the redemption takes the user's own lease: then it gets
        /// the mailbox of that lease.
        address: Option<EmailKey>,
        /// The lease whose use the redemption takes; none takes a free use.
        taken_over_from: Option<ConsumedLease>,
    },
    /// Holds a use with a lease. If `taken_over_from` names a lease, that lease ends first. A
    /// renewal ends the user's lease and begins one with the same id.
    Hold {
        /// The new lease. Its end is brought forward to the expiry of the invitation if
        /// it lies after it. Its mailbox is kept only if the invitation is bound to a domain.
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
        /// The new grantor: the performer of an amendment of role or expiry.
        grantor: Option<Inviter>,
    },
    /// Replaces the code, increments the version, and ends all leases.
    Rotate {
        /// The new look-up digest.
        digest: CodeDigest,
        /// The new search tag.
        tag: CodeTag,
        /// The new code, sealed.
        sealed: SealedCode,
        /// The new grantor.
        grantor: Inviter,
    },
    /// Revokes the invitation, increments the version, and ends all leases.
    Revoke(Revocation),
    /// Undoes the revocation and increments the version.
    Reinstate {
        /// The new grantor.
        grantor: Inviter,
    },
    /// Deletes the invitation, which leaves a tombstone, and ends all leases.
    Delete {
        /// The time of deletion.
        at: Timestamp,
    },
    /// Rewrites the stored forms of the same code, for example under another key. The
    /// version, the terms and the leases stay.
    Reseal {
        /// The new look-up digest, which may equal the present one.
        digest: CodeDigest,
        /// The new search tag.
        tag: CodeTag,
        /// The code, sealed in the new form.
        sealed: SealedCode,
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
    /// | … of [`ConsumedLease::Mailbox`](ConsumedLease) | stays · begins | the one with the mailbox, which ends |
    /// | `Release` | ends | the one that ended |
    /// | one that [ends all leases](Self::ends_all_leases) | ends, as all leases do | none |
    ///
    /// A `Redeem` also sets [`Facts::mine`] and [`Record::last_use`], and
    /// [`Facts::mailbox_use`] if it names an address and gets a mailbox.
    ///
    /// The facts do not contain the second lease of the invitation. When the first lease
    /// has ended, [`Facts::first_lease`] is therefore none, and the store fills in the
    /// next.
    ///
    /// [`Record::last_use`]: crate::Record::last_use
    pub fn apply_to(&self, facts: &mut Facts) -> Option<Lease> {
        let ended = match self {
            Self::Redeem { id, user, username, at, address, taken_over_from } => {
                let ended = taken_over_from.and_then(|held| facts.end_lease(held));
                let invitation = &mut facts.invitation;
                let mailbox = match self.own_lease() {
                    Some(_) => ended.as_ref().and_then(|own| own.mailbox.clone()),
                    None => invitation.binding.mailbox(address.as_ref()).cloned(),
                };
                let redemption = Redemption {
                    id: *id,
                    user: user.clone(),
                    username: username.clone(),
                    at: *at,
                    role: invitation.role.clone(),
                    lease: self.own_lease(),
                    mailbox,
                };
                // The guard of a redemption has ensured that a use is left.
                invitation.uses = invitation.uses.saturating_add(1);
                invitation.last_use = Some(redemption.clone());
                if address.is_some() && redemption.mailbox.is_some() {
                    facts.mailbox_use = Some(redemption.clone());
                }
                facts.mine = Some(redemption);
                ended
            }
            Self::Hold { lease, taken_over_from } => {
                let ended = taken_over_from.and_then(|held| facts.end_lease(held));
                facts.begin_lease(lease.begun_on(&facts.invitation));
                ended
            }
            Self::Release { lease, .. } => facts.end_lease(ConsumedLease::Own { lease: *lease }),
            Self::Amend { binding, role, expires_at, grantor } => {
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
                if let Some(grantor) = grantor {
                    invitation.grantor = grantor.clone();
                }
                None
            }
            Self::Rotate { digest, tag, sealed, grantor } => {
                let invitation = &mut facts.invitation;
                invitation.digest = *digest;
                invitation.tag = *tag;
                invitation.sealed = sealed.clone();
                invitation.grantor = grantor.clone();
                None
            }
            Self::Revoke(revocation) => {
                facts.invitation.revocation = Some(revocation.clone());
                None
            }
            Self::Reinstate { grantor } => {
                facts.invitation.revocation = None;
                facts.invitation.grantor = grantor.clone();
                None
            }
            Self::Delete { at } => {
                facts.invitation.deleted_at = Some(*at);
                None
            }
            Self::Reseal { digest, tag, sealed } => {
                let invitation = &mut facts.invitation;
                invitation.digest = *digest;
                invitation.tag = *tag;
                invitation.sealed = sealed.clone();
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

    /// Returns which indexed facts the change can move, for stores that keep indexes of
    /// their own.
    #[must_use]
    pub fn indexed(&self) -> Indexed {
        let none = Indexed::default();
        match self {
            Self::Redeem { .. } => Indexed { state: true, used_by: true, ..none },
            Self::Hold { .. } | Self::Release { .. } => none,
            Self::Amend { binding, role, expires_at, grantor: _ } => Indexed {
                address: binding.is_some(),
                role: role.is_some(),
                expiry: expires_at.is_some(),
                ..none
            },
            Self::Rotate { .. } | Self::Reseal { .. } => Indexed { code: true, ..none },
            Self::Revoke(_) | Self::Reinstate { .. } => Indexed { state: true, ..none },
            Self::Delete { .. } => Indexed { existence: true, ..none },
        }
    }
}

/// The facts that a change can move, among those by which stores find invitations.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store must not compile while ignoring a fact")]
#[expect(clippy::struct_excessive_bools, reason = "each fact moves on its own")]
pub struct Indexed {
    /// The digest and the tag of the code.
    pub code: bool,
    /// The [`State`](crate::State).
    pub state: bool,
    /// The time of expiry.
    pub expiry: bool,
    /// The role of the newcomer.
    pub role: bool,
    /// The binding, and with it [`StoredTerms::address`](crate::StoredTerms).
    pub address: bool,
    /// The latest redemption, and with it [`StoredTerms::used_by`](crate::StoredTerms).
    pub used_by: bool,
    /// Whether lists and searches find the invitation at all.
    pub existence: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{email::Email, sample};

    /// One change of each variant, and of `Amend` one for each term.
    fn changes() -> Vec<Change> {
        let Redemption { id, user, username, at, .. } = sample::redemption();
        let lease = Lease {
            id,
            user: user.clone(),
            username: username.clone(),
            since: at,
            until: sample::at(4_000),
            mailbox: None,
        };
        let grantor = Inviter::System;
        let nothing = Change::Amend { binding: None, role: None, expires_at: None, grantor: None };
        let address = Binding::Address(Email::parse("anna@example.com").unwrap());
        let amended = |binding, role, expires_at| {
            let grantor = Some(grantor.clone());
            Change::Amend { binding, role, expires_at, grantor }
        };
        vec![
            Change::Redeem {
                id,
                user: user.clone(),
                username,
                at,
                address: None,
                taken_over_from: None,
            },
            Change::Hold { lease, taken_over_from: None },
            Change::Release { user, lease: id },
            nothing,
            amended(Some(address), None, None),
            amended(None, Some(Role::new("manager").unwrap()), None),
            amended(None, None, Some(sample::at(20_000))),
            Change::Rotate {
                digest: CodeDigest::from_bytes([9; 32]),
                tag: CodeTag::from_bytes([9; 8]),
                sealed: SealedCode::from_bytes(vec![9]),
                grantor: grantor.clone(),
            },
            Change::Revoke(Revocation { at, reason: None }),
            Change::Reinstate { grantor: grantor.clone() },
            Change::Delete { at },
            Change::Reseal {
                digest: CodeDigest::from_bytes([8; 32]),
                tag: CodeTag::from_bytes([8; 8]),
                sealed: SealedCode::from_bytes(vec![8]),
            },
        ]
    }

    #[test]
    fn reseal_keeps_version_terms_and_leases() {
        let change = changes().pop().unwrap();
        assert!(change.shares_event() && !change.changes_terms() && !change.ends_all_leases());
        let mut facts = Facts::of(sample::invitation());
        facts.invitation.held = 1;
        let before = facts.clone();
        assert_eq!(change.apply_to(&mut facts), None);
        let Change::Reseal { digest, tag, sealed } = change else { panic!("the last change") };
        let invitation = Record { digest, tag, sealed, ..before.invitation };
        assert_eq!(facts, Facts { invitation, ..before });
    }

    #[test]
    fn indexed_names_exactly_the_facts_that_a_change_moves() {
        for change in changes() {
            let mut before = Facts::of(sample::invitation());
            before.invitation.max_uses = std::num::NonZeroU32::MIN;
            if matches!(change, Change::Reinstate { .. }) {
                let revocation = Revocation { at: sample::at(2_000), reason: None };
                before.invitation.revocation = Some(revocation);
            }
            let mut after = before.clone();
            change.apply_to(&mut after);
            let (before, after) = (before.invitation, after.invitation);
            let moved = Indexed {
                code: before.digest != after.digest || before.tag != after.tag,
                state: before.state() != after.state(),
                expiry: before.expires_at != after.expires_at,
                role: before.role != after.role,
                address: before.binding != after.binding,
                used_by: before.last_use != after.last_use,
                existence: before.deleted_at != after.deleted_at,
            };
            assert_eq!(change.indexed(), moved, "{change:?}");
            assert_eq!(change.new_digest().is_some(), moved.code, "{change:?}");
            assert_eq!(change.state_before(&after), before.state(), "{change:?}");
        }
    }
}
