//! The state of an invitation: the part of its status that does not depend on the clock.

use crate::{
    record::{Record, Status},
    time::Timestamp,
};

/// What the stored facts of an invitation say about its status, whatever the time.
///
/// A store may keep the state in an index, because only a change moves it. Time turns an
/// open invitation from active to expired, and changes no other status.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a state")]
pub enum State {
    /// Uses are left, and the invitation is not revoked: active or expired.
    Open,
    /// Revoked, with uses left.
    Revoked,
    /// Redeemed `max_uses` times, revoked or not.
    UsedUp,
}

impl State {
    /// Returns the state of an invitation with these facts.
    ///
    /// [`Record::state`] calls it. It is for stores that have read single columns.
    #[must_use]
    pub fn of(uses: u32, max_uses: u32, is_revoked: bool) -> Self {
        if uses >= max_uses {
            Self::UsedUp
        } else if is_revoked {
            Self::Revoked
        } else {
            Self::Open
        }
    }
}

impl Status {
    /// Returns the state of every invitation with this status.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Self::Active | Self::Expired => State::Open,
            Self::Revoked => State::Revoked,
            Self::Used => State::UsedUp,
        }
    }
}

impl Record {
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
    use crate::{record::Revocation, sample};

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
