//! The status of an invitation at one instant.

use crate::{state::State, string_enum::string_enum};

string_enum! {
    /// The status of an invitation at one instant, derived from its facts and the clock.
    #[expect(clippy::exhaustive_enums, reason = "a store must not compile while ignoring a status")]
    Status, "status" {
        /// Valid, with uses left.
        Active = "active",
        /// Redeemed `max_uses` times.
        Used = "used",
        /// Past its expiry.
        Expired = "expired",
        /// Revoked by an administrator.
        Revoked = "revoked",
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
