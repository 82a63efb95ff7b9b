//! The state of an invitation: the part of its status that does not depend on the clock.

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
    /// [`Record::state`](crate::store::Record::state) calls it. It is for stores that have read single columns.
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
