//! Changes: the effects of a transition on the facts of an invitation.

mod indexed;
mod properties;

pub use self::indexed::Indexed;
use crate::{
    binding::Binding,
    code::{CodeDigest, CodeTag, SealedCode},
    email::EmailKey,
    facts::Facts,
    id::EventId,
    inviter::Inviter,
    lease::{ConsumedLease, Lease},
    redemption::Redemption,
    revocation::Revocation,
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
}
