//! The stored facts of an invitation, and the values derived from them.

use std::num::NonZeroU32;

use crate::{
    binding::Binding,
    code::{CodeDigest, CodeTag, SealedCode},
    id::{BatchId, InvitationId},
    inviter::Inviter,
    metadata::Metadata,
    redemption::{Redemption, UsedBy},
    revocation::Revocation,
    state::State,
    status::Status,
    text::{Division, Role},
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
    /// The user or system that created the invitation. Never changes; quotas count by it.
    pub inviter: Inviter,
    /// The user or system whose rights the role is granted by: the inviter, then the
    /// performer of the latest change of role or expiry, rotation or reinstatement.
    pub grantor: Inviter,
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

    /// Returns whether the invitation has changed since its creation: its terms, its uses, or a
    /// lease.
    pub(crate) fn has_history(&self) -> bool {
        self.version != 1 || self.uses > 0 || self.held > 0 || self.deleted_at.is_some()
    }

    /// Returns the content of the column *Used By*; none before the first redemption.
    #[must_use]
    pub fn used_by(&self) -> Option<UsedBy<'_>> {
        let last = &self.last_use.as_ref()?.username;
        Some(UsedBy::new(last, self.uses.saturating_sub(1)))
    }

    /// Returns whether `now` is at or after the expiry. No other function defines this rule.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Returns the state. A tombstone has the state that the invitation had before.
    #[must_use]
    pub fn state(&self) -> State {
        State::of(self.uses, self.max_uses.get(), self.revocation.is_some())
    }

    /// Returns the status at `now`: the first that applies of used, revoked, expired,
    /// active.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match self.state() {
            State::UsedUp => Status::Used,
            State::Revoked => Status::Revoked,
            State::Open if self.is_expired(now) => Status::Expired,
            State::Open => Status::Active,
        }
    }

    /// Returns the time at which the invitation ended, or will end if no change comes
    /// before: the first entry of this list that applies.
    ///
    /// - the time of its deletion;
    /// - the time of its last use, if no uses are left;
    /// - the time of its revocation;
    /// - the time of its expiry.
    ///
    /// None if the store lost the redemption of a used invitation.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        if self.deleted_at.is_some() {
            return self.deleted_at;
        }
        match self.state() {
            State::UsedUp => self.last_use.as_ref().map(|last| last.at),
            State::Revoked => self.revocation.as_ref().map(|revocation| revocation.at),
            State::Open => Some(self.expires_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// Before the expiry, exactly at it, and after it.
    fn around_expiry(invitation: &Record) -> [Status; 3] {
        [-1, 0, 1].map(|micros| {
            let at = invitation.expires_at.as_micros() + micros;
            invitation.status(Timestamp::from_micros(at).unwrap())
        })
    }

    #[test]
    fn state_and_end_follow_the_stored_facts() {
        let open = sample::invitation();
        let last_use = Some(sample::redemption());
        let used = Record { uses: 2, last_use: last_use.clone(), ..open.clone() };
        let (at, reason) = (sample::at(5_000), None);
        let revocation = Some(Revocation { at, reason });
        let revoked = Record { uses: 1, revocation: revocation.clone(), ..used.clone() };
        let partly_used = Record { uses: 1, ..used.clone() };
        let used_and_revoked = Record { revocation, ..used.clone() };

        let (expired, active) = (Status::Expired, Status::Active);
        for (invitation, state, ended_at, statuses) in [
            (&open, State::Open, open.expires_at, [active, expired, expired]),
            (&partly_used, State::Open, open.expires_at, [active, expired, expired]),
            (&revoked, State::Revoked, at, [Status::Revoked; 3]),
            (&used, State::UsedUp, sample::redemption().at, [Status::Used; 3]),
            (&used_and_revoked, State::UsedUp, sample::redemption().at, [Status::Used; 3]),
        ] {
            assert_eq!(invitation.state(), state);
            assert_eq!(invitation.ended_at(), Some(ended_at), "{state:?}");
            assert_eq!(around_expiry(invitation), statuses, "{state:?}");
            assert!(statuses.iter().all(|status| status.state() == state));

            let deleted_at = Some(sample::at(9_000));
            let deleted = Record { deleted_at, ..invitation.clone() };
            assert_eq!((deleted.state(), deleted.ended_at()), (state, deleted_at));
        }
        let lost = Record { last_use: None, ..used };
        assert_eq!(lost.ended_at(), None, "the store lost the redemption");
    }
}
