//! The indexed facts that a change can move.

use super::Change;

impl Change {
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
    use crate::{
        binding::Binding,
        code::{CodeDigest, CodeTag, SealedCode},
        email::Email,
        facts::Facts,
        inviter::Inviter,
        lease::Lease,
        record::Record,
        redemption::Redemption,
        revocation::Revocation,
        sample,
        text::Role,
    };

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
